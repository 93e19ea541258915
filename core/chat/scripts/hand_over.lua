-- Nobody will be there to take the answer, and a row in the database says so already (design 4, "Deadline").
-- KEYS: claim, reply. ARGV: "1" if the last attempt is about to be answered: then this decides which way the answer goes.
local claim = redis.call('HMGET', KEYS[1], 'state', 'way', 'why', 'seen')
local state, way, last = claim[1], claim[2], ARGV[1] == '1'
if not state then
  return {'GONE'}
elseif state == 'refused' then
  return {claim[3]}
elseif way == 'late' then -- the promise stands, whoever else has gone
  return {'WAIT', 0, 0}
elseif way == 'passive' and not last then
  return {'DONE'}
elseif state == 'done' or state == 'passed' then
  redis.call('HSET', KEYS[1], 'owed', '1')
  if last and live(KEYS[1], claim[4]) then -- if Redis hung meanwhile, nobody is there to be answered any more
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
