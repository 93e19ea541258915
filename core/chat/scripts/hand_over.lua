-- Nobody will be there to take the answer, and a row in the database says so already (design 4, "Deadline").
-- KEYS: claim, reply. ARGV: "1" if the last attempt is about to be answered: then this decides which way the answer goes.
local claim = redis.call('HMGET', KEYS[1], 'state', 'way', 'why', 'done')
local state, way, last = claim[1], claim[2], ARGV[1] == '1'
if not state then
  return {'GONE'}
elseif state == 'refused' then
  return {claim[3]}
elseif way == 'late' or (way == 'passive' and state == 'done' and not last) then
  return {'DONE'}
elseif state == 'done' or state == 'passed' then
  redis.call('HSET', KEYS[1], 'owed', '1')
  if last then
    redis.call('HSET', KEYS[1], 'way', 'passive')
  end
  if state == 'passed' then
    return {'PASSED', 1, way or ''}
  end
  redis.call('PEXPIRE', KEYS[2], CLAIM_MS)
  return {'DONE', redis.call('GET', KEYS[2]), 1}
end
redis.call('HSET', KEYS[1], 'owed', '1')
if last then
  redis.call('HSET', KEYS[1], 'way', 'late')
end
return {'WAIT', 0, 0}
