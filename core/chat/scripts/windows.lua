-- The send windows of a conversation, which `enter` opens (wechat-facts 2.2): a message of ours may go out while any of
-- them has some left, and counts against all that are open.
-- KEYS: windows. ARGV: "look" (1, 0, or -1 if nothing is known of any), "spend" one message, or "close" them all but
-- those that were opened in the last so many ms.
local known = redis.call('HMGET', KEYS[1], 'message', 'message_left', 'tap', 'tap_left')
if ARGV[1] == 'close' then
  local before = now - tonumber(ARGV[2])
  if tonumber(known[1] or 0) - WINDOW_MS <= before then
    redis.call('HSET', KEYS[1], 'message_left', 0)
  end
  if tonumber(known[3] or 0) - TAP_MS <= before then
    redis.call('HSET', KEYS[1], 'tap_left', 0)
  end
  return redis.call('PEXPIRE', KEYS[1], WINDOW_MS)
end
local function left(ends, count)
  return tonumber(ends or 0) > now and tonumber(count) or 0
end
local message, tap = left(known[1], known[2]), left(known[3], known[4])
if ARGV[1] == 'look' then
  if redis.call('EXISTS', KEYS[1]) == 0 then
    return -1
  end
  return (message > 0 or tap > 0) and 1 or 0
end
if message > 0 then
  redis.call('HINCRBY', KEYS[1], 'message_left', -1)
end
if tap > 0 then
  redis.call('HINCRBY', KEYS[1], 'tap_left', -1)
end
return 1
