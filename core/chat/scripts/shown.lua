-- A late reply has reached the citizen: its question has been shown, if no later message changed the session since.
-- KEYS: session. ARGV: name of the message it answers.
if redis.call('HGET', KEYS[1], 'by') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'shown', 1)
  return 1
end
return 0
