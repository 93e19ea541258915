-- One signature, one body: the first to come is remembered, another one is refused (design 4, "freshness").
-- KEYS: digest. ARGV: SHA-256 of the body. Durations and limits stand before this text.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', CLAIM_MS) then
  return 1
end
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0
