-- A run is over: session, reply, done and the next head in one step, for the current fence only (design 4, "commit").
-- KEYS: claim, order, session, reply. ARGV: name, fence, token, session ("" leaves it), reply, "1" if the reply
-- shows the open question.
local claim = redis.call('HMGET', KEYS[1], 'state', 'fence', 'token', 'seen', 'way', 'owed', 'e1')
if claim[1] ~= 'run' or claim[2] ~= ARGV[2] or claim[3] ~= ARGV[3] then
  return {'STALE'}
end
local handed, owed = claim[5] == 'late', claim[6] == '1'
local waited_for = not handed and live(KEYS[1], claim[4], claim[7])
if waited_for and not owed then -- `to`: only if this attempt is dropped, too, the reply may go another way
  redis.call('HSET', KEYS[1], 'state', 'done', 'done', now, 'way', 'passive', 'to', waited_for)
else
  redis.call('HSET', KEYS[1], 'state', 'done', 'done', now)
end
redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
redis.call('SET', KEYS[4], ARGV[5], 'PX', (owed or not waited_for) and CLAIM_MS or REPLY_MS)
if ARGV[4] ~= '' then
  if ARGV[6] == '1' then -- `by`: an attempt that collects this reply later shows the question then
    redis.call('HSET', KEYS[3], 'sealed', ARGV[4], 'shown', waited_for and 1 or 0, 'by', ARGV[1])
  else
    redis.call('HSET', KEYS[3], 'sealed', ARGV[4])
  end
  redis.call('PEXPIRE', KEYS[3], SESSION_MS)
end
redis.call('LREM', KEYS[2], 1, ARGV[1])
if handed then
  return {'LATE', 0}
elseif not waited_for then -- a retry may still collect it
  redis.call('HSET', KEYS[1], 'owed', '1')
  return {'LATE', PASSING_MS}
end
return {owed and 'OWED' or 'OK'}
