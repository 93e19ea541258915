-- Who writes to the city: accounts, persons, and who may act for whom. No name, phone or raw openid stands here.

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: write a new row instead', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- One row per WeChat account of a citizen. A raw openid has 28 characters; anything that short was not sealed.
CREATE TABLE accounts (
    citizen      text        PRIMARY KEY CHECK (citizen ~ '^c_[A-Za-z0-9_-]{16}$'),
    conversation text        NOT NULL UNIQUE,
    account      text        NOT NULL,
    openid       bytea       NOT NULL CHECK (octet_length(openid) > 29),
    following    boolean     NOT NULL,
    since        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE persons (
    id    text        PRIMARY KEY CHECK (id ~ '^p_[A-Za-z0-9_-]{16}$'),
    since timestamptz NOT NULL DEFAULT now()
);

-- domain-rules B3, B4, B4a: without a proof only a `self` binding is active, and it carries three scopes at most.
CREATE TABLE bindings (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    citizen  text        NOT NULL REFERENCES accounts (citizen),
    person   text        NOT NULL REFERENCES persons (id),
    relation text        NOT NULL CHECK (relation IN ('self', 'family')),
    state    text        NOT NULL CHECK (state IN ('requested', 'active', 'rejected', 'revoked', 'expired')),
    proof    text        CHECK (proof IN ('person', 'institution_code', 'counter', 'guardian_roster')),
    scopes   text[]      NOT NULL CHECK (
        scopes <@ ARRAY['book', 'pay', 'queue', 'report', 'record', 'glucose', 'school']
    ),
    since    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (citizen, person),
    CHECK (state <> 'active' OR proof IS NOT NULL OR relation = 'self'),
    CHECK (proof IS NOT NULL OR scopes <@ ARRAY['book', 'pay', 'queue'])
);
CREATE UNIQUE INDEX bindings_one_self ON bindings (citizen) WHERE relation = 'self' AND state = 'active';
CREATE INDEX bindings_person ON bindings (person);

-- Every change of the three tables above: who, what, when, old, new, key.
CREATE TABLE citizen_events (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    who     text        NOT NULL,
    what    text        NOT NULL CHECK (what IN ('arrived', 'person_made', 'bound', 'left', 'returned')),
    citizen text        NOT NULL REFERENCES accounts (citizen),
    person  text        REFERENCES persons (id),
    old     text        NOT NULL,
    new     text        NOT NULL,
    key     text        NOT NULL
);
CREATE INDEX citizen_events_citizen ON citizen_events (citizen, id);
CREATE TRIGGER citizen_events_append_only BEFORE UPDATE OR DELETE ON citizen_events
    FOR EACH ROW EXECUTE FUNCTION append_only();
