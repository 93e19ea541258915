-- A run goes on, or gives itself up so that whoever has the message in hand may run it once this lease is over.
-- KEYS: claim. ARGV: fence, token, lease ms.
local claim = redis.call('HMGET', KEYS[1], 'state', 'fence', 'token')
if claim[1] ~= 'run' or claim[2] ~= ARGV[1] or claim[3] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'lease', now + ARGV[3])
return 1
