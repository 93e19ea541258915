-- A run is over: session, reply, done and the next head in one step, for the current fence only (design 4, "commit").
-- KEYS: claim, order, session, reply. ARGV: name, fence, token, session ("" leaves it), reply, "1" if the reply
-- shows the open question. Durations and limits stand before this text.
local claim = redis.call('HMGET', KEYS[1], 'state', 'fence', 'token', 'until')
if claim[1] ~= 'run' or claim[2] ~= ARGV[2] or claim[3] ~= ARGV[3] then
  return {'STALE'}
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local shown = tonumber(claim[4] or 0) > now and 1 or 0
redis.call('HSET', KEYS[1], 'state', 'done')
redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
redis.call('SET', KEYS[4], ARGV[5], 'PX', REPLY_MS)
if ARGV[4] ~= '' then
  if ARGV[6] == '1' then -- `by`: an attempt that collects this reply later shows the question then
    redis.call('HSET', KEYS[3], 'sealed', ARGV[4], 'shown', shown, 'by', ARGV[1])
  else
    redis.call('HSET', KEYS[3], 'sealed', ARGV[4])
  end
  redis.call('PEXPIRE', KEYS[3], SESSION_MS)
end
redis.call('LREM', KEYS[2], 1, ARGV[1])
return {'OK', shown}
