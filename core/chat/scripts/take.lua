-- A late reply is about to be sent: from here on no attempt gets it as its answer.
-- KEYS: claim. Answers 0 if an attempt took it already.
local way = redis.call('HGET', KEYS[1], 'way')
if way == 'passive' then
  return 0
elseif redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'way', 'late')
end
return 1
