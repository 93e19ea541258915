-- The send windows of a conversation, which `enter` opens (wechat-facts 2.2): a message of ours may go out while any of
-- them has some left, and counts against all that are open.
-- KEYS: windows. ARGV: "look" (1, 0 if only so many are left, -1 if nothing is known of any), "take" one message
-- (the same answers), "give_back" one that was not sent, "heard" (how many ms ago the citizen last opened one, -1 if that
-- is not known), or "close" them all but those that were opened in the last so many ms.
local known = redis.call('HMGET', KEYS[1], 'message', 'message_left', 'tap', 'tap_left')
local given = tonumber(ARGV[2])
if ARGV[1] == 'close' then
  if tonumber(known[1] or 0) - WINDOW_MS <= now - given then
    redis.call('HSET', KEYS[1], 'message_left', 0)
  end
  if tonumber(known[3] or 0) - TAP_MS <= now - given then
    redis.call('HSET', KEYS[1], 'tap_left', 0)
  end
  return redis.call('PEXPIRE', KEYS[1], WINDOW_MS)
end
if ARGV[1] == 'heard' then
  local last = math.max(tonumber(known[1] or 0) - WINDOW_MS, tonumber(known[3] or 0) - TAP_MS)
  return last > 0 and now - last or -1
end
local function open(ends)
  return tonumber(ends or 0) > now
end
local message, tap = open(known[1]), open(known[3])
local function count(by)
  if message then
    redis.call('HINCRBY', KEYS[1], 'message_left', by)
  end
  if tap then
    redis.call('HINCRBY', KEYS[1], 'tap_left', by)
  end
end
if ARGV[1] == 'give_back' then
  count(1)
  return 1
end
if not (known[1] or known[3]) and redis.call('EXISTS', KEYS[1]) == 0 then
  return -1
end
local left = math.max(message and tonumber(known[2]) or 0, tap and tonumber(known[4]) or 0)
if left <= given then
  return 0
end
if ARGV[1] == 'take' then
  count(-1)
end
return 1
