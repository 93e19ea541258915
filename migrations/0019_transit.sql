-- Transit: ride-code accounts, grants, gates, what was tapped, the trips that taps are, and what they cost
-- (domain-rules 2). Whereabouts are sensitive: no row here names more than an account. Money is integer fen.

---------------------------------------------------------------------------------------------------------- accounts

-- Every step an account may take (domain-rules 2.1); the first one leads from ''.
CREATE TABLE transit_transitions (
    old  text NOT NULL,
    what text NOT NULL,
    new  text NOT NULL,
    PRIMARY KEY (old, what, new)
);
INSERT INTO transit_transitions (old, what, new) VALUES
    ('', 'asked', 'consent'),
    ('consent', 'signed', 'active'),
    ('consent', 'dropped', 'closed'),
    ('active', 'fell_behind', 'arrears'),
    ('arrears', 'paid_up', 'active'),
    ('active', 'suspended', 'suspended'),
    ('suspended', 'restored', 'active'),
    ('active', 'unsigned', 'consent'),
    ('active', 'closing', 'closing'),
    ('closing', 'fell_behind', 'arrears'),
    ('closing', 'closed', 'closed');

-- One account that is not closed is made at a time; a citizen who turns out to be another one's account, too, may
-- bring a second. who, what, key, changed_at tell the last step.
CREATE TABLE transit_accounts (
    id         text        PRIMARY KEY CHECK (id ~ '^t_[A-Za-z0-9_-]{16}$'),
    citizen    text        NOT NULL REFERENCES citizens (id),
    state      text        NOT NULL CHECK (state IN ('consent', 'active', 'arrears', 'suspended', 'closing', 'closed')),
    since      timestamptz NOT NULL,
    step       integer     NOT NULL DEFAULT 0,
    what       text        NOT NULL,
    who        text        NOT NULL,
    key        text        NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX transit_accounts_citizen ON transit_accounts (citizen, since);

CREATE TABLE transit_account_events (
    account text        NOT NULL REFERENCES transit_accounts (id),
    step    integer     NOT NULL,
    at      timestamptz NOT NULL,
    who     text        NOT NULL,
    what    text        NOT NULL,
    old     text        NOT NULL,
    new     text        NOT NULL,
    key     text        NOT NULL,
    PRIMARY KEY (account, step)
);
CREATE TRIGGER transit_account_events_append_only BEFORE UPDATE OR DELETE ON transit_account_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION transit_account_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old  text := '';
    v_step integer := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.step = OLD.step AND NEW.state = OLD.state THEN RETURN NULL; END IF;  -- another name of the same citizen
        v_old := OLD.state;
        v_step := OLD.step + 1;
    END IF;
    IF NOT EXISTS (SELECT FROM transit_transitions t WHERE t.old = v_old AND t.what = NEW.what AND t.new = NEW.state)
       OR NEW.step <> v_step THEN
        RAISE EXCEPTION 'transit account %: "%" does not lead from "%" to "%"', NEW.id, NEW.what, v_old, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'transit_transitions lists what is possible';
    END IF;
    INSERT INTO transit_account_events (account, step, at, who, what, old, new, key)
    VALUES (NEW.id, NEW.step, NEW.changed_at, NEW.who, NEW.what, v_old, NEW.state, NEW.key);
    RETURN NULL;
END $$;
CREATE TRIGGER transit_accounts_steps AFTER INSERT OR UPDATE ON transit_accounts
    FOR EACH ROW EXECUTE FUNCTION transit_account_steps();

------------------------------------------------------------------------------------------------------------ grants

-- What the issuer was asked to sign. acct_ref stands in the codes and is new with each grant; only here it is mapped
-- back. kind 1: a grant for a device's key; kind 2: a picture of one code. companion: for who rides along.
CREATE TABLE transit_grants (
    acct_ref   bytea       PRIMARY KEY CHECK (octet_length(acct_ref) = 16),
    account    text        NOT NULL REFERENCES transit_accounts (id),
    kind       smallint    NOT NULL CHECK (kind IN (1, 2)),
    companion  boolean     NOT NULL,
    cap_fen    integer     NOT NULL CHECK (cap_fen >= 0),
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > issued_at)
);
CREATE INDEX transit_grants_account ON transit_grants (account, issued_at);
CREATE INDEX transit_grants_expires ON transit_grants (expires_at);

------------------------------------------------------------------------------------------------------------- gates

-- A gate stands in a station of a metro line, or rides in a vehicle of a bus line.
CREATE TABLE transit_devices (
    id            text        PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,63}$'),
    public_key    bytea       NOT NULL CHECK (octet_length(public_key) = 32),
    line          text        NOT NULL,
    station       text        NOT NULL DEFAULT '',
    vehicle       text        NOT NULL DEFAULT '',
    registered_at timestamptz NOT NULL,
    revoked_at    timestamptz,
    CHECK ((station = '') <> (vehicle = ''))
);

-------------------------------------------------------------------------------------------------------------- taps

-- A code that a gate let through. at: the gate's time. counted: false where the same code had been let through
-- elsewhere, by gates that did not know of one another; of such codes one is charged.
CREATE TABLE transit_taps (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device     text        NOT NULL REFERENCES transit_devices (id),
    seq        bigint      NOT NULL,
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 16),
    account    text        NOT NULL REFERENCES transit_accounts (id),
    acct_ref   bytea       NOT NULL,
    gen_time   bigint      NOT NULL,
    nonce      bytea       NOT NULL CHECK (octet_length(nonce) = 8),
    companion  boolean     NOT NULL,
    at         timestamptz NOT NULL,
    day        date        NOT NULL,
    way        text        NOT NULL CHECK (way IN ('in', 'out', 'board')),
    line       text        NOT NULL,
    station    text        NOT NULL DEFAULT '',
    vehicle    text        NOT NULL DEFAULT '',
    counted    boolean     NOT NULL,
    arrived_at timestamptz NOT NULL,
    UNIQUE (device, seq)
);
CREATE UNIQUE INDEX transit_taps_once ON transit_taps (acct_ref, gen_time, nonce) WHERE counted;
CREATE INDEX transit_taps_day ON transit_taps (account, day);
CREATE INDEX transit_taps_at ON transit_taps (at);

-- What a gate sent and nobody believes: nothing of it is lost. said: the tap as it was sent.
CREATE TABLE transit_quarantine (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device     text        NOT NULL REFERENCES transit_devices (id),
    seq        bigint      NOT NULL,
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 16),
    reason     text        NOT NULL,
    said       jsonb       NOT NULL,
    arrived_at timestamptz NOT NULL,
    UNIQUE (device, seq, digest)
);

-- Accounts and days of which taps have come that are in no trip yet.
CREATE TABLE transit_due (
    account text        NOT NULL REFERENCES transit_accounts (id),
    day     date        NOT NULL,
    since   timestamptz NOT NULL,
    PRIMARY KEY (account, day)
);
CREATE INDEX transit_due_since ON transit_due (since);

------------------------------------------------------------------------------------------------------------- trips

-- What the taps of an account and day say, named by its first tap. void: a tap that came later says otherwise.
-- money: none (nothing to pay), owed, settled, arrears. fare_fen: what it costs now; charged_fen: what was asked for.
CREATE TABLE transit_trips (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     text        NOT NULL REFERENCES transit_accounts (id),
    day         date        NOT NULL,
    first_tap   bigint      NOT NULL UNIQUE REFERENCES transit_taps (id),
    last_tap    bigint      REFERENCES transit_taps (id),
    state       text        NOT NULL CHECK (state IN ('open', 'closed', 'missing_exit', 'orphan_exit', 'void')),
    money       text        NOT NULL CHECK (money IN ('none', 'owed', 'settled', 'arrears')),
    fare_fen    integer     NOT NULL CHECK (fare_fen >= 0),
    charged_fen integer     NOT NULL DEFAULT 0 CHECK (charged_fen >= 0),
    because     text        NOT NULL DEFAULT '',
    metres      integer     NOT NULL DEFAULT 0,
    tariff      text        NOT NULL,
    version     integer     NOT NULL DEFAULT 1,
    changed_at  timestamptz NOT NULL,
    CHECK (state = 'closed' OR fare_fen = 0)
);
CREATE INDEX transit_trips_day ON transit_trips (account, day);
CREATE INDEX transit_trips_open ON transit_trips (day) WHERE state = 'open';
CREATE INDEX transit_trips_unpaid ON transit_trips (account) WHERE money IN ('owed', 'arrears');

CREATE TABLE transit_trip_events (
    trip        bigint      NOT NULL REFERENCES transit_trips (id),
    version     integer     NOT NULL,
    at          timestamptz NOT NULL,
    state       text        NOT NULL,
    money       text        NOT NULL,
    fare_fen    integer     NOT NULL,
    charged_fen integer     NOT NULL,
    PRIMARY KEY (trip, version)
);
CREATE TRIGGER transit_trip_events_append_only BEFORE UPDATE OR DELETE ON transit_trip_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION transit_trip_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transit_trip_events (trip, version, at, state, money, fare_fen, charged_fen)
    VALUES (NEW.id, NEW.version, NEW.changed_at, NEW.state, NEW.money, NEW.fare_fen, NEW.charged_fen);
    RETURN NULL;
END $$;
CREATE TRIGGER transit_trips_told AFTER INSERT OR UPDATE ON transit_trips FOR EACH ROW EXECUTE FUNCTION transit_trip_told();

------------------------------------------------------------------------------------------------------------- money

-- The payments that stand for a trip; what they say together, less what went back, is what it was charged.
CREATE TABLE transit_charges (
    payment    text        PRIMARY KEY,
    trip       bigint      NOT NULL REFERENCES transit_trips (id),
    version    integer     NOT NULL,
    fen        integer     NOT NULL CHECK (fen > 0),
    paid       boolean     NOT NULL DEFAULT false,
    behind     boolean     NOT NULL DEFAULT false,
    refunding_fen integer  NOT NULL DEFAULT 0 CHECK (refunding_fen BETWEEN 0 AND fen),
    UNIQUE (trip, version)
);

-- Double entry: each row moves so much from one account of the books to another, and so balances by itself.
-- rider: what riders owe · fares: what rides earned · advance: what is paid for riders in arrears · bank: what arrived.
CREATE TABLE transit_ledger (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trip   bigint      NOT NULL REFERENCES transit_trips (id),
    what   text        NOT NULL CHECK (what IN ('priced', 'repriced', 'paid', 'advanced', 'recovered', 'refunded')),
    debit  text        NOT NULL CHECK (debit IN ('rider', 'fares', 'advance', 'bank')),
    credit text        NOT NULL CHECK (credit IN ('rider', 'fares', 'advance', 'bank') AND credit <> debit),
    fen    integer     NOT NULL CHECK (fen > 0),
    key    text        NOT NULL UNIQUE,
    at     timestamptz NOT NULL
);
CREATE INDEX transit_ledger_trip ON transit_ledger (trip);
CREATE TRIGGER transit_ledger_append_only BEFORE UPDATE OR DELETE ON transit_ledger
    FOR EACH ROW EXECUTE FUNCTION append_only();
