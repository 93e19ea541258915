-- Whoever leaves us gets nothing that was queued before: each row of the outbox hangs on its recipient, too (design 6).

-- How often each citizen has left. It is there from their arrival on: whoever is about to send can lock it.
INSERT INTO versions (key) SELECT 'recipient:' || conversation FROM accounts ON CONFLICT DO NOTHING;

-- The recipient's is the third guard of a row, and the job's the second.
ALTER TABLE jobs ADD CHECK (cardinality(guard_keys) <= 1);
ALTER TABLE reminders ADD CHECK (cardinality(guard_keys) <= 2);
