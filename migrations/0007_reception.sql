-- What is owed to citizens whose message could not be answered in WeChat's five seconds, and what we send ourselves.

-- One row per message that is promised an answer; it is gone as soon as the answer is on its way.
CREATE TABLE owed (
    event     text        PRIMARY KEY,
    account   text        NOT NULL,
    sealed    bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    since     timestamptz NOT NULL DEFAULT now(),
    looked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX owed_looked_at ON owed (looked_at);

-- One row per message of ours. `sealed` holds its words until nobody needs them any more.
-- sending: somebody holds it until `lease_until`; with `attempted_at` its request may have left us.
CREATE TABLE outbox (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text        NOT NULL UNIQUE,
    conversation text        NOT NULL,
    sealed       bytea       CHECK (octet_length(sealed) > 29),
    state        text        NOT NULL DEFAULT 'queued' CHECK (
        state IN ('queued', 'held', 'sending', 'accepted', 'failed', 'unknown', 'expired', 'cancelled')
    ),
    not_before   timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL,
    tries        integer     NOT NULL DEFAULT 0,
    holder       text,
    lease_until  timestamptz,
    attempted_at timestamptz,
    reason       text        NOT NULL DEFAULT '',
    made_at      timestamptz NOT NULL DEFAULT now(),
    settled_at   timestamptz,
    CHECK ((state IN ('queued', 'held', 'sending')) = (settled_at IS NULL)),
    CHECK ((state = 'sending') = (holder IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK (settled_at IS NOT NULL OR sealed IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (not_before, id) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_waiting ON outbox (conversation, id) WHERE state IN ('queued', 'held', 'sending');
CREATE INDEX outbox_held ON outbox (not_before, id) WHERE state = 'held';
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE settled_at IS NOT NULL;
