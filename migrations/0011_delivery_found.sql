-- What pages and operators ask of the outbox, found without reading all of it.

-- The page of a booking: what asked about it.
CREATE INDEX prompts_object ON prompts (kind, object);

-- `outbox unknown`.
CREATE INDEX outbox_unknown ON outbox (id) WHERE state = 'unknown';

-- How far one notice to many has come, with those of the last thirty days beside it.
CREATE INDEX outbox_of_job ON outbox (job) WHERE job IS NOT NULL;
