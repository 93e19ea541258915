-- A message knocks: claim it, put it in its place, and say whether it may run (design 4, "enter").
-- KEYS: claim, order, session, reply. ARGV: name, token, lease ms, attempt ms, claim ms, pass ms, most waiting,
-- "1" for an attempt of WeChat's or "0" for a waiting one that looks again, prefix of claim keys.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claim = redis.call('HMGET', KEYS[1], 'state', 'lease')
local state = claim[1]

if state == 'done' then
  return {'DONE', redis.call('GET', KEYS[4])}
elseif state == 'passed' then
  return {'PASSED'}
end

-- Only the head runs; a head that is finished, gone or long dead makes room.
local blocked = false
local head = redis.call('LINDEX', KEYS[2], 0)
while head and head ~= ARGV[1] and not blocked do
  local before = redis.call('HMGET', ARGV[9] .. head, 'state', 'lease', 'last')
  local waits = before[1] == 'wait' or before[1] == 'run'
  if waits and (tonumber(before[2] or 0) > now or before[3] + ARGV[6] > now) then
    blocked = true
  else
    if waits then
      redis.call('HSET', ARGV[9] .. head, 'state', 'passed')
    end
    redis.call('LPOP', KEYS[2])
    head = redis.call('LINDEX', KEYS[2], 0)
  end
end

if not state then
  if redis.call('LLEN', KEYS[2]) > tonumber(ARGV[7]) then
    return {'FULL'}
  end
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'wait', 'first', now, 'last', now)
elseif not head then -- the order was lost, the claim was not
  redis.call('RPUSH', KEYS[2], ARGV[1])
end
if ARGV[8] == '1' then
  redis.call('HSET', KEYS[1], 'last', now, 'until', now + ARGV[4])
  redis.call('HINCRBY', KEYS[1], 'seen', 1)
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if blocked or (state == 'run' and tonumber(claim[2]) > now) then
  return {'WAIT'}
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'state', 'run', 'token', ARGV[2], 'lease', now + ARGV[3])
local session = redis.call('HMGET', KEYS[3], 'sealed', 'shown')
return {'RUN', fence, session[1], session[2]}
