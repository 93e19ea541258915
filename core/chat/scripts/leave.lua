-- The connection of an attempt was closed before it had its answer (design 4, "Attempts").
-- KEYS: claim. ARGV: the attempt's number. Answers 1 if nobody waits for this message any more.
local claim = redis.call('HMGET', KEYS[1], 'state', 'seen')
if not claim[1] or claim[1] == 'refused' then
  return 0
end
redis.call('HSET', KEYS[1], 'e' .. ARGV[1], now)
return live(KEYS[1], claim[2]) and 0 or 1
