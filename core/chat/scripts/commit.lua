-- A run is over: session, reply, done and the next head in one step, for the current fence only (design 4, "commit").
-- KEYS: claim, order, session, reply. ARGV: name, fence, token, session ("" leaves it), reply, session ms, claim ms,
-- reply ms, "1" if the reply shows the open question.
local claim = redis.call('HMGET', KEYS[1], 'state', 'fence', 'token', 'until')
if claim[1] ~= 'run' or claim[2] ~= ARGV[2] or claim[3] ~= ARGV[3] then
  return {'STALE'}
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local shown = tonumber(claim[4] or 0) > now and 1 or 0
redis.call('HSET', KEYS[1], 'state', 'done')
redis.call('HDEL', KEYS[1], 'token', 'lease')
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[8])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[3], 'sealed', ARGV[4])
  if ARGV[9] == '1' then
    redis.call('HSET', KEYS[3], 'shown', shown)
  end
  redis.call('PEXPIRE', KEYS[3], ARGV[6])
end
redis.call('LREM', KEYS[2], 1, ARGV[1])
return {'OK', shown}
