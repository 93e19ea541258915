-- Payments: contracts to debit without a password, what is owed, each try to debit it, and what goes back
-- (domain-rules 0.6, T4; docs/pay-facts.md). Money is integer fen.

-- Every step the four machines may take; the first ones lead from ''.
CREATE TABLE payment_transitions (
    machine text NOT NULL CHECK (machine IN ('contract', 'payment', 'try', 'refund')),
    old     text NOT NULL,
    what    text NOT NULL,
    new     text NOT NULL,
    PRIMARY KEY (machine, old, what, new)
);
INSERT INTO payment_transitions (machine, old, what, new) VALUES
    ('contract', '', 'asked', 'asked'),
    ('contract', 'asked', 'asked_again', 'asked'),
    ('contract', 'asked', 'signed', 'signed'),
    ('contract', 'asked', 'lapsed', 'ended'),
    ('contract', 'asked', 'ended', 'ended'),
    ('contract', 'asked', 'let_go', 'ending'),
    ('contract', 'signed', 'let_go', 'ending'),
    ('contract', 'signed', 'ended', 'ended'),
    ('contract', 'ending', 'ended', 'ended'),
    ('contract', 'ended', 'signed_late', 'ending'),
    ('payment', '', 'owed', 'owed'),
    ('payment', 'owed', 'asked', 'asked'),
    ('payment', 'stopped', 'asked', 'asked'),
    ('payment', 'asked', 'failed', 'owed'),
    ('payment', 'owed', 'failed', 'owed'),          -- there was no contract to debit by
    ('payment', 'owed', 'stopped', 'stopped'),
    ('payment', 'asked', 'paid', 'paid'),
    ('payment', 'owed', 'paid', 'paid'),            -- by a try that had been told to have failed
    ('payment', 'stopped', 'paid', 'paid'),
    ('try', '', 'opened', 'open'),
    ('try', 'open', 'failed', 'failed'),
    ('try', 'open', 'paid', 'paid'),
    ('try', 'failed', 'paid_late', 'paid'),
    ('refund', '', 'asked', 'due'),
    ('refund', 'due', 'done', 'done'),
    ('refund', 'due', 'failed', 'failed'),
    ('refund', 'failed', 'asked_again', 'due'),
    ('refund', 'failed', 'done', 'done');

-- What happened, of all four machines in one book; `subject` is the row's id.
CREATE TABLE payment_events (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    machine    text        NOT NULL,
    subject    text        NOT NULL,
    step       integer     NOT NULL,
    at         timestamptz NOT NULL,
    who        text        NOT NULL,
    what       text        NOT NULL,
    old        text        NOT NULL,
    new        text        NOT NULL,
    amount_fen bigint,
    key        text        NOT NULL,
    UNIQUE (machine, subject, step)
);
CREATE TRIGGER payment_events_append_only BEFORE UPDATE OR DELETE ON payment_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- Whoever writes to one of the four tables, by whatever statement: a state moves only by a step of the machine, which
-- leaves its event; what is only about when to ask again moves without.
CREATE FUNCTION payment_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old  text := '';
    v_step integer := 0;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.step = OLD.step AND NEW.state = OLD.state THEN RETURN NEW; END IF;
        v_old := OLD.state;
        v_step := OLD.step + 1;
    END IF;
    IF NOT EXISTS (SELECT FROM payment_transitions t
                   WHERE t.machine = TG_ARGV[0] AND t.old = v_old AND t.what = NEW.what AND t.new = NEW.state)
       OR NEW.step <> v_step THEN
        RAISE EXCEPTION '% %: "%" does not lead from "%" to "%"', TG_ARGV[0], NEW.id, NEW.what, v_old, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'payment_transitions lists what is possible';
    END IF;
    INSERT INTO payment_events (machine, subject, step, at, who, what, old, new, amount_fen, key)
    VALUES (TG_ARGV[0], NEW.id, NEW.step, NEW.changed_at, NEW.who, NEW.what, v_old, NEW.state,
            (to_jsonb(NEW) ->> 'amount_fen')::bigint, NEW.key);
    RETURN NEW;
END $$;

-- Refuse to change what stays as it was first written (P1).
CREATE FUNCTION payment_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% %: what it is about does not change', TG_TABLE_NAME, OLD.id USING ERRCODE = 'check_violation';
END $$;

--------------------------------------------------------------------------------------------------------- contracts

-- id is our out_contract_code, signed once. account: through which of a citizen's accounts; contract_id: what WeChat Pay
-- calls it. Of one citizen and plan one is made at a time (contract_asked); a citizen who turns out to be another one's
-- account, too, may bring a second.
CREATE TABLE pay_contracts (
    id            text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9]{32}$'),
    citizen       text        NOT NULL REFERENCES citizens (id),
    plan          text        NOT NULL CHECK (plan <> ''),
    account       text        NOT NULL CHECK (account <> ''),
    state         text        NOT NULL CHECK (state IN ('asked', 'signed', 'ending', 'ended')),
    contract_id   text        UNIQUE CHECK (contract_id <> ''),
    asked_at      timestamptz NOT NULL,
    signed_at     timestamptz,
    next_query_at timestamptz,
    busy_until    timestamptz,
    why           text        NOT NULL DEFAULT '',
    step          integer     NOT NULL DEFAULT 0,
    what          text        NOT NULL,
    who           text        NOT NULL,
    key           text        NOT NULL,
    changed_at    timestamptz NOT NULL,
    CHECK (state <> 'signed' OR (contract_id IS NOT NULL AND signed_at IS NOT NULL))
);
CREATE INDEX pay_contracts_citizen ON pay_contracts (citizen, plan);
CREATE INDEX pay_contracts_query ON pay_contracts (next_query_at) WHERE state IN ('asked', 'ending');
CREATE TRIGGER pay_contracts_steps BEFORE INSERT OR UPDATE ON pay_contracts
    FOR EACH ROW EXECUTE FUNCTION payment_steps('contract');

---------------------------------------------------------------------------------------------------------- payments

-- begun_at: when it was first tried, from which the steps of T4 count. next_try_at: while it is owed. paid_by: the try
-- that paid it; another one that turns out paid, too, is `extra` and goes back in full (P5).
CREATE TABLE payments (
    id          text        PRIMARY KEY CHECK (id ~ '^pay_[A-Za-z0-9_-]{16}$'),
    citizen     text        NOT NULL REFERENCES citizens (id),
    plan        text        NOT NULL CHECK (plan <> ''),
    purpose     text        NOT NULL CHECK (purpose <> ''),
    object      text        NOT NULL CHECK (object <> ''),
    version     integer     NOT NULL CHECK (version >= 0),
    amount_fen  integer     NOT NULL CHECK (amount_fen > 0),
    text        text        NOT NULL,
    due_at      timestamptz NOT NULL,
    state       text        NOT NULL CHECK (state IN ('owed', 'asked', 'paid', 'stopped')),
    tries       integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),
    begun_at    timestamptz,
    next_try_at timestamptz,
    paid_by     text,
    paid_at     timestamptz,
    step        integer     NOT NULL DEFAULT 0,
    what        text        NOT NULL,
    who         text        NOT NULL,
    key         text        NOT NULL,
    changed_at  timestamptz NOT NULL,
    UNIQUE (purpose, object, version),
    CHECK ((state = 'paid') = (paid_by IS NOT NULL)),
    CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
    CHECK ((state = 'owed') = (next_try_at IS NOT NULL))
);
CREATE INDEX payments_citizen ON payments (citizen, state);
CREATE INDEX payments_due ON payments (next_try_at, id) WHERE state = 'owed';
CREATE INDEX payments_listed ON payments (state, changed_at, id) WHERE state <> 'paid';
CREATE TRIGGER payments_steps BEFORE INSERT OR UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION payment_steps('payment');
CREATE TRIGGER payments_fixed BEFORE UPDATE ON payments FOR EACH ROW
    WHEN ((NEW.id, NEW.plan, NEW.purpose, NEW.object, NEW.version, NEW.amount_fen, NEW.due_at) IS DISTINCT FROM
          (OLD.id, OLD.plan, OLD.purpose, OLD.object, OLD.version, OLD.amount_fen, OLD.due_at)
          OR (OLD.paid_by IS NOT NULL AND NEW.paid_by IS DISTINCT FROM OLD.paid_by))
    EXECUTE FUNCTION payment_fixed();

-- id is our out_trade_no, unique for ever. busy_until: some process is asking WeChat Pay about it.
CREATE TABLE pay_tries (
    id             text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9]{32}$'),
    payment        text        NOT NULL REFERENCES payments (id),
    no             integer     NOT NULL CHECK (no > 0),
    contract       text        NOT NULL REFERENCES pay_contracts (id),
    amount_fen     integer     NOT NULL CHECK (amount_fen > 0),
    state          text        NOT NULL CHECK (state IN ('open', 'failed', 'paid')),
    extra          boolean     NOT NULL DEFAULT false,
    reason         text        NOT NULL DEFAULT '',
    transaction_id text        NOT NULL DEFAULT '',
    asked_at       timestamptz NOT NULL,
    next_query_at  timestamptz,
    busy_until     timestamptz,
    refunding_fen  integer     NOT NULL DEFAULT 0,  -- asked back; a refund that failed is asked again, so it counts
    refunded_fen   integer     NOT NULL DEFAULT 0,  -- arrived
    step           integer     NOT NULL DEFAULT 0,
    what           text        NOT NULL,
    who            text        NOT NULL,
    key            text        NOT NULL,
    changed_at     timestamptz NOT NULL,
    UNIQUE (payment, no),
    CHECK ((state = 'open') = (next_query_at IS NOT NULL)),
    CHECK (refunding_fen BETWEEN 0 AND amount_fen),  -- P6
    CHECK (refunded_fen BETWEEN 0 AND amount_fen),
    CHECK (state = 'paid' OR (refunding_fen = 0 AND NOT extra)),
    CHECK (NOT extra OR refunding_fen = amount_fen)  -- P5: what was taken twice goes back in the same transaction
);
ALTER TABLE payments ADD FOREIGN KEY (paid_by) REFERENCES pay_tries (id);
CREATE UNIQUE INDEX pay_tries_one_open ON pay_tries (payment) WHERE state = 'open';
CREATE UNIQUE INDEX pay_tries_one_paid ON pay_tries (payment) WHERE state = 'paid' AND NOT extra;
CREATE INDEX pay_tries_contract ON pay_tries (contract) WHERE state = 'open';
CREATE INDEX pay_tries_query ON pay_tries (next_query_at, id) WHERE state = 'open';
CREATE TRIGGER pay_tries_steps BEFORE INSERT OR UPDATE ON pay_tries
    FOR EACH ROW EXECUTE FUNCTION payment_steps('try');
CREATE TRIGGER pay_tries_fixed BEFORE UPDATE ON pay_tries FOR EACH ROW
    WHEN ((NEW.id, NEW.payment, NEW.no, NEW.contract, NEW.amount_fen) IS DISTINCT FROM
          (OLD.id, OLD.payment, OLD.no, OLD.contract, OLD.amount_fen))
    EXECUTE FUNCTION payment_fixed();

-- id is our out_refund_no: asked again under the same one, for ever.
CREATE TABLE pay_refunds (
    id         text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9]{32}$'),
    try        text        NOT NULL REFERENCES pay_tries (id),
    amount_fen integer     NOT NULL CHECK (amount_fen > 0),
    why        text        NOT NULL CHECK (why <> ''),
    state      text        NOT NULL CHECK (state IN ('due', 'done', 'failed')),
    reason     text        NOT NULL DEFAULT '',
    asked_at   timestamptz NOT NULL,
    next_at    timestamptz,
    busy_until timestamptz,
    step       integer     NOT NULL DEFAULT 0,
    what       text        NOT NULL,
    who        text        NOT NULL,
    key        text        NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (try, why),
    CHECK ((state = 'due') = (next_at IS NOT NULL))
);
CREATE INDEX pay_refunds_due ON pay_refunds (next_at, id) WHERE state = 'due';
CREATE INDEX pay_refunds_failed ON pay_refunds (changed_at, id) WHERE state = 'failed';
CREATE TRIGGER pay_refunds_steps BEFORE INSERT OR UPDATE ON pay_refunds
    FOR EACH ROW EXECUTE FUNCTION payment_steps('refund');
CREATE TRIGGER pay_refunds_fixed BEFORE UPDATE ON pay_refunds FOR EACH ROW
    WHEN ((NEW.id, NEW.try, NEW.amount_fen, NEW.why) IS DISTINCT FROM (OLD.id, OLD.try, OLD.amount_fen, OLD.why))
    EXECUTE FUNCTION payment_fixed();

-- What WeChat Pay told, rightly signed, and does not fit what we have: for a person to look into.
CREATE TABLE pay_strays (
    id     text        PRIMARY KEY,
    at     timestamptz NOT NULL,
    about  text        NOT NULL,
    reason text        NOT NULL
);
CREATE INDEX pay_strays_at ON pay_strays (at);
