-- The connection of an attempt was closed before it had its answer (design 4, "Attempts").
-- KEYS: claim, session. ARGV: the attempt's number, the message's name. Answers 1 if nobody waits for this message any more, nor has its answer.
local claim = redis.call('HMGET', KEYS[1], 'state', 'seen', 'way', 'to')
if not claim[1] or claim[1] == 'refused' then
  return 0
end
redis.call('HSET', KEYS[1], 'e' .. ARGV[1], now)
if claim[3] == 'passive' then
  if claim[4] ~= ARGV[1] then
    return 0
  end
  redis.call('HDEL', KEYS[1], 'way')
  if redis.call('HGET', KEYS[2], 'by') == ARGV[2] then -- what it would have shown nobody has seen
    redis.call('HSET', KEYS[2], 'shown', 0)
  end
end
return live(KEYS[1], claim[2]) and 0 or 1
