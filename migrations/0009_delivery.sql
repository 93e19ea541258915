-- Everything we start ourselves: notices in lanes, their guards, bulk jobs, credits, receipts, prompts, reminders.

-- How often an object changed. A message or reminder names the numbers it was made under; once one of them moved, it is
-- not sent any more (design 6, "Guards").
CREATE TABLE versions (
    key text   PRIMARY KEY,
    n   bigint NOT NULL DEFAULT 0
);

-- One notice to many. Its words are sealed once, here; the rows of its recipients hold none of their own.
CREATE TABLE jobs (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text        NOT NULL UNIQUE,
    kind        text        NOT NULL,
    account     text        NOT NULL,
    audience    text        NOT NULL,
    sealed      bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    guard_keys  text[]      NOT NULL DEFAULT '{}',
    guard_ns    bigint[]    NOT NULL DEFAULT '{}',
    state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'stopped', 'cancelled', 'done')),
    who         text        NOT NULL,
    reached     text        NOT NULL DEFAULT '',  -- the last recipient who has a row
    rows        integer     NOT NULL DEFAULT 0,
    filled_at   timestamptz,
    not_before  timestamptz NOT NULL,
    valid_until timestamptz NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state IN ('cancelled', 'done')) = (ended_at IS NOT NULL)),
    CHECK (cardinality(guard_keys) = cardinality(guard_ns) AND cardinality(guard_keys) <= 2)  -- the third is the job
);
CREATE INDEX jobs_open ON jobs (id) WHERE state IN ('running', 'stopped');

-- Who did what to a job: made, stopped, continued, cancelled.
CREATE TABLE job_events (
    id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT now(),
    job  bigint      NOT NULL REFERENCES jobs (id),
    who  text        NOT NULL,
    what text        NOT NULL CHECK (what IN ('made', 'stopped', 'continued', 'cancelled', 'done'))
);
CREATE INDEX job_events_job ON job_events (job, id);
CREATE TRIGGER job_events_append_only BEFORE UPDATE OR DELETE ON job_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- lane: 0 replies, 1 urgent, 2 personal, 3 bulk. hold: why a held row waits, '' for a send window.
-- perhaps: a request of it left us and nobody knows what became of it; it keeps its channel and is never booked as unsent.
-- repeatable: saying it twice does no harm. trying_at: since when it is tried again because it surely was not sent.
ALTER TABLE outbox
    ADD lane       smallint NOT NULL DEFAULT 0 CHECK (lane BETWEEN 0 AND 3),
    ADD kind       text     NOT NULL DEFAULT 'late',
    ADD job        bigint   REFERENCES jobs (id),
    ADD row_no     integer,
    ADD guard_keys text[]   NOT NULL DEFAULT '{}',
    ADD guard_ns   bigint[] NOT NULL DEFAULT '{}',
    ADD hold       text     NOT NULL DEFAULT '' CHECK (hold IN ('', 'quiet', 'kept')),
    ADD channel    text     NOT NULL DEFAULT '' CHECK (channel IN ('', 'window', 'subscription', 'template', 'reply')),
    ADD template   text     NOT NULL DEFAULT '',
    ADD msg_id     text     NOT NULL DEFAULT '',
    ADD perhaps    boolean  NOT NULL DEFAULT false,
    ADD repeatable boolean  NOT NULL DEFAULT false,
    ADD first_at   timestamptz,
    ADD trying_at  timestamptz,
    ADD UNIQUE (job, row_no),
    ADD CHECK ((job IS NULL) = (row_no IS NULL)),
    ADD CHECK (cardinality(guard_keys) = cardinality(guard_ns) AND cardinality(guard_keys) <= 3),
    ADD CHECK (hold = '' OR state = 'held'),
    DROP CONSTRAINT outbox_check2,
    ADD CHECK (settled_at IS NOT NULL OR sealed IS NOT NULL OR job IS NOT NULL),
    DROP CONSTRAINT outbox_state_check,
    ADD CHECK (state IN ('queued', 'held', 'sending', 'accepted', 'delivered', 'read',
                         'failed', 'unknown', 'expired', 'cancelled'));
DROP INDEX outbox_due, outbox_waiting, outbox_held;
CREATE INDEX outbox_due ON outbox (lane, not_before, id) WHERE state = 'queued' AND job IS NULL;
CREATE INDEX outbox_job_due ON outbox (job, not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_open_of_job ON outbox (job) WHERE settled_at IS NULL AND job IS NOT NULL;
CREATE INDEX outbox_in_hand ON outbox (lease_until) WHERE state = 'sending';
CREATE INDEX outbox_order ON outbox (conversation, id) WHERE lane = 0 AND state IN ('queued', 'held', 'sending');
CREATE INDEX outbox_held ON outbox (not_before, id) WHERE state = 'held';
CREATE INDEX outbox_ending ON outbox (valid_until) WHERE state IN ('queued', 'held');
CREATE INDEX outbox_kept ON outbox (conversation, id) WHERE hold = 'kept';
CREATE INDEX outbox_by_msg_id ON outbox (msg_id) WHERE msg_id <> '';
CREATE INDEX outbox_await_receipt ON outbox (conversation, template, id)
    WHERE channel = 'subscription' AND msg_id = '' AND state IN ('sending', 'accepted', 'unknown');

-- One row for each "允许" of a citizen's to one template (design 6, "Channels"). A one-time credit allows one message:
-- taken_by holds it for that message, spent_at ends it. A long-term one allows any number. void_at: taken back.
CREATE TABLE credits (
    event        text        NOT NULL,
    template     text        NOT NULL,
    no           smallint    NOT NULL,
    conversation text        NOT NULL,
    long_term    boolean     NOT NULL,
    allowed_at   timestamptz NOT NULL,
    taken_by     bigint,
    spent_at     timestamptz,
    void_at      timestamptz,
    PRIMARY KEY (event, template, no)
);
CREATE INDEX credits_taken ON credits (taken_by) WHERE spent_at IS NULL;
CREATE INDEX credits_open ON credits (conversation, template, allowed_at) WHERE spent_at IS NULL AND void_at IS NULL;

-- What the platform said became of our messages, until it stands in their rows. It may come before those know its id.
CREATE TABLE receipts (
    event        text        NOT NULL,
    no           smallint    NOT NULL,
    conversation text        NOT NULL,
    template     text        NOT NULL,  -- of a subscription notice; '' for a template message, which is named by msg_id
    msg_id       text        NOT NULL,
    failed       text        NOT NULL,  -- why it failed; '' for delivered
    sent_at      timestamptz NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event, no)
);
CREATE INDEX receipts_at ON receipts (at);

-- A message of ours that invites a digit (design 8): what each digit means, and until when.
CREATE TABLE prompts (
    message      bigint      PRIMARY KEY,
    conversation text        NOT NULL,
    kind         text        NOT NULL,
    object       text        NOT NULL,
    guard_keys   text[]      NOT NULL DEFAULT '{}',
    guard_ns     bigint[]    NOT NULL DEFAULT '{}',
    title        text        NOT NULL,
    options      text[]      NOT NULL,
    labels       text[]      NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    CHECK (cardinality(options) = cardinality(labels) AND cardinality(options) BETWEEN 1 AND 9)
);
CREATE INDEX prompts_conversation ON prompts (conversation, at);

-- What is due when. Firing moves a row to the outbox in one statement, its sealed words with it, under the same key.
CREATE TABLE reminders (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text        NOT NULL UNIQUE,
    conversation text        NOT NULL,
    kind         text        NOT NULL,
    lane         smallint    NOT NULL CHECK (lane BETWEEN 1 AND 3),
    sealed       bytea       CHECK (octet_length(sealed) > 29),
    guard_keys   text[]      NOT NULL DEFAULT '{}',
    guard_ns     bigint[]    NOT NULL DEFAULT '{}',
    repeatable   boolean     NOT NULL,
    due_at       timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'fired', 'cancelled', 'expired')),
    made_at      timestamptz NOT NULL DEFAULT now(),
    settled_at   timestamptz,
    CHECK ((state = 'due') = (settled_at IS NULL)),
    CHECK (due_at < valid_until),
    CHECK (settled_at IS NOT NULL OR sealed IS NOT NULL),
    CHECK (cardinality(guard_keys) = cardinality(guard_ns) AND cardinality(guard_keys) BETWEEN 1 AND 3)
);
CREATE INDEX reminders_due ON reminders (due_at) WHERE state = 'due';
CREATE INDEX reminders_settled ON reminders (settled_at) WHERE settled_at IS NOT NULL;

-- Who does a recurring job at the moment (design 7).
CREATE TABLE leases (
    name   text        PRIMARY KEY,
    holder text        NOT NULL,
    until  timestamptz NOT NULL
);

-- Tell whether an object a row was made for has changed since.
CREATE FUNCTION guards_hold(p_keys text[], p_ns bigint[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(p_keys, p_ns) AS g (key, n) LEFT JOIN versions v USING (key) WHERE coalesce(v.n, 0) <> g.n
    )
$$;
