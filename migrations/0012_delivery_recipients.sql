-- Whoever leaves us gets nothing that was queued before: each row of the outbox hangs on its recipient, too (design 6).
-- And what is counted every second is found without reading all of thirty days.

-- How often each citizen has left. It is there from their arrival on: whoever is about to send can lock it.
INSERT INTO versions (key) SELECT 'recipient:' || conversation FROM accounts ON CONFLICT DO NOTHING;

-- The recipient's is the third guard of a row, and the job's the second.
ALTER TABLE jobs ADD CHECK (cardinality(guard_keys) <= 1);
ALTER TABLE reminders ADD CHECK (cardinality(guard_keys) <= 2);

-- What is open beside the notices to many, and what was lost of late: health pages count both every second.
CREATE INDEX outbox_open ON outbox (conversation, id) WHERE settled_at IS NULL AND job IS NULL;
CREATE INDEX outbox_lost ON outbox (settled_at) WHERE state IN ('unknown', 'failed', 'expired');

-- Credits that are used up or taken back are forgotten one day.
CREATE INDEX credits_over ON credits (coalesce(spent_at, void_at)) WHERE coalesce(spent_at, void_at) IS NOT NULL;
