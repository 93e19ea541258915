-- What citizens agreed to, who looked at what is theirs, and their rights over their data (domain-rules 0.2, 0.3, B6).

-- Evidence: nobody changes a row, and nobody removes one before its time, which the trigger names.
CREATE FUNCTION append_only_for() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR OLD.at > now() - TG_ARGV[0]::interval THEN
        RAISE EXCEPTION '% is append-only for %: write a new row instead', TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;

------------------------------------------------------------------------------------------------------- consents

-- Every step a consent may take; the first one leads from ''. `asked` again: another text, or the time was over.
CREATE TABLE consent_transitions (
    old  text NOT NULL,
    what text NOT NULL,
    new  text NOT NULL,
    PRIMARY KEY (old, what)
);
INSERT INTO consent_transitions (old, what, new) VALUES
    ('', 'asked', 'asked'),
    ('asked', 'asked', 'asked'),
    ('asked', 'granted', 'granted'),
    ('asked', 'refused', 'refused'),
    ('asked', 'lapsed', 'lapsed'),
    ('granted', 'withdrawn', 'withdrawn'),
    ('granted', 'superseded', 'superseded'),
    ('refused', 'asked', 'asked'),
    ('lapsed', 'asked', 'asked'),
    ('withdrawn', 'asked', 'asked'),
    ('superseded', 'asked', 'asked');

-- One row for each purpose a citizen was asked about, for each person it is about (NULL: for themselves, or for all).
-- text_hash: SHA-256 of the file that was shown. message: the event id of the message it was decided in. Who agreed
-- stays told as it was, so nothing here refers to `citizens`: of two that turn out to be one human, the first is asked.
CREATE TABLE consents (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    citizen    text        NOT NULL,
    purpose    text        NOT NULL CHECK (purpose ~ '^[a-z_]{1,32}$'),
    person     text        REFERENCES persons (id),
    scopes     text[]      NOT NULL,
    state      text        NOT NULL CHECK (
        state IN ('asked', 'granted', 'refused', 'lapsed', 'withdrawn', 'superseded')
    ),
    version    smallint    NOT NULL CHECK (version > 0),
    text_hash  bytea       NOT NULL CHECK (octet_length(text_hash) = 32),
    message    text        NOT NULL DEFAULT '',
    asked_at   timestamptz NOT NULL,
    decided_at timestamptz,
    what       text        NOT NULL,
    key        text        NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (citizen, purpose, person),
    CHECK ((state = 'asked') = (decided_at IS NULL)),
    CHECK (state <> 'granted' OR message <> '')
);
CREATE INDEX consents_asked ON consents (asked_at, id) WHERE state = 'asked';

CREATE TABLE consent_events (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    consent   bigint      NOT NULL REFERENCES consents (id),
    citizen   text        NOT NULL,
    purpose   text        NOT NULL,
    person    text        REFERENCES persons (id),
    scopes    text[]      NOT NULL,
    version   smallint    NOT NULL,
    text_hash bytea       NOT NULL,
    message   text        NOT NULL,
    what      text        NOT NULL,
    old       text        NOT NULL,
    new       text        NOT NULL,
    key       text        NOT NULL
);
CREATE INDEX consent_events_consent ON consent_events (consent, id);
CREATE INDEX consent_events_at ON consent_events (at);
CREATE TRIGGER consent_events_append_only BEFORE UPDATE OR DELETE ON consent_events
    FOR EACH ROW EXECUTE FUNCTION append_only_for('5 years');

-- Let only a step of the machine change a row: what was shown is told by the asking, and by nothing after it.
CREATE FUNCTION consent_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        v_old := OLD.state;
    END IF;
    IF NOT EXISTS (SELECT FROM consent_transitions t WHERE t.old = v_old AND t.what = NEW.what AND t.new = NEW.state)
       OR (TG_OP = 'UPDATE' AND (
               (NEW.id, NEW.citizen, NEW.purpose, NEW.person)
                   IS DISTINCT FROM (OLD.id, OLD.citizen, OLD.purpose, OLD.person)
            OR (NEW.what <> 'asked' AND (NEW.version, NEW.text_hash, NEW.scopes, NEW.asked_at)
                   IS DISTINCT FROM (OLD.version, OLD.text_hash, OLD.scopes, OLD.asked_at))
       )) THEN
        RAISE EXCEPTION 'consent %: "%" does not lead from "%" to "%" like this', NEW.id, NEW.what, v_old, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'consent_transitions lists what is possible';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consents_steps BEFORE INSERT OR UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consent_steps();

CREATE FUNCTION consent_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN v_old := OLD.state; END IF;
    INSERT INTO consent_events (at, consent, citizen, purpose, person, scopes, version, text_hash, message, what, old,
                                new, key)
    VALUES (NEW.changed_at, NEW.id, NEW.citizen, NEW.purpose, NEW.person, NEW.scopes, NEW.version, NEW.text_hash,
            NEW.message, NEW.what, v_old, NEW.state, NEW.key);
    RETURN NULL;
END $$;
CREATE TRIGGER consents_told AFTER INSERT OR UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION consent_told();

-- What was agreed to is over only with all who remember it: nobody removes a row.
CREATE FUNCTION consent_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'consent % cannot be removed: withdraw it', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consents_stay BEFORE DELETE ON consents FOR EACH ROW EXECUTE FUNCTION consent_stays();

--------------------------------------------------------------------------------------------------- who looked

-- A report or a record that was read through a binding (B6): which citizen, about which person, under which binding.
CREATE TABLE access_events (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL,
    citizen     text        NOT NULL,
    person      text        NOT NULL REFERENCES persons (id),
    binding     bigint      NOT NULL REFERENCES bindings (id),
    what        text        NOT NULL CHECK (what IN ('report', 'record', 'glucose', 'school')),
    institution text        NOT NULL
);
CREATE INDEX access_events_person ON access_events (person, id);
CREATE INDEX access_events_at ON access_events (at);
CREATE TRIGGER access_events_append_only BEFORE UPDATE OR DELETE ON access_events
    FOR EACH ROW EXECUTE FUNCTION append_only_for('3 years');

-- How a person is told of it, and what they were told: up to which event, and on which day last.
CREATE TABLE access_digests (
    person text    PRIMARY KEY REFERENCES persons (id),
    mode   text    NOT NULL DEFAULT 'daily' CHECK (mode IN ('daily', 'each')),  -- `off` is not allowed for records
    told   bigint  NOT NULL DEFAULT 0,
    day    date
);

--------------------------------------------------------------------------------------------- what was stopped

-- What a citizen does not want to get: notices of a purpose (`purpose` of their kind), in a conversation of theirs.
CREATE TABLE stops (
    conversation text        NOT NULL,
    purpose      text        NOT NULL CHECK (purpose ~ '^[a-z_]{1,32}$'),
    at           timestamptz NOT NULL,
    PRIMARY KEY (conversation, purpose)
);
CREATE INDEX reminders_conversation ON reminders (conversation) WHERE state = 'due';

---------------------------------------------------------------------------------------------- what was asked for

-- What a citizen wants put right that nobody but a human being can (domain-rules D1, D2). due_on: fifteen working days.
CREATE SEQUENCE rights_numbers START 20001;
CREATE TABLE rights_requests (
    id        text        PRIMARY KEY,
    citizen   text        NOT NULL REFERENCES citizens (id),
    kind      text        NOT NULL CHECK (kind IN ('name', 'id_number', 'other')),
    sealed    bytea       CHECK (octet_length(sealed) > 29),
    state     text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'refused', 'dropped')),
    made_at   timestamptz NOT NULL,
    due_on    date        NOT NULL,
    closed_at timestamptz,
    closed_by text,
    reason    text        NOT NULL DEFAULT '',
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK (state <> 'open' OR sealed IS NOT NULL),
    CHECK (state <> 'refused' OR reason <> '')
);
CREATE INDEX rights_requests_citizen ON rights_requests (citizen, id);
CREATE INDEX rights_requests_open ON rights_requests (due_on, id) WHERE state = 'open';

-- A link to what is stored of a citizen: each form of it is given once, to them alone, within a day.
CREATE TABLE exports (
    id      text        PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{16}$'),
    citizen text        NOT NULL REFERENCES citizens (id),
    made_at timestamptz NOT NULL,
    until   timestamptz NOT NULL,
    taken   text[]      NOT NULL DEFAULT '{}' CHECK (taken <@ ARRAY['html', 'json'])
);
CREATE INDEX exports_citizen ON exports (citizen);

-- What is to be erased, or was: its receipt says what and when, and when all is done no more of whom.
-- counts, kept: rows by category. hash: SHA-256 over these, the number and the time.
CREATE TABLE erasures (
    receipt  text        PRIMARY KEY CHECK (receipt ~ '^[0-9A-HJKMNP-TV-Z]{12}$'),
    citizen  text        REFERENCES citizens (id),
    why      text        NOT NULL CHECK (why IN ('asked', 'left')),
    state    text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'withdrawn')),
    asked_at timestamptz NOT NULL,
    due_at   timestamptz NOT NULL,
    ended_at timestamptz,
    counts   jsonb,
    kept     jsonb,
    hash     bytea       CHECK (octet_length(hash) = 32),
    CHECK ((state = 'waiting') = (ended_at IS NULL)),
    CHECK ((state = 'done') = (hash IS NOT NULL AND counts IS NOT NULL AND kept IS NOT NULL)),
    CHECK ((state = 'done') = (citizen IS NULL))
);
CREATE INDEX erasures_waiting ON erasures (asked_at, receipt) WHERE state = 'waiting';
CREATE INDEX erasures_citizen ON erasures (citizen) WHERE citizen IS NOT NULL;

ALTER TABLE citizen_events DROP CONSTRAINT citizen_events_what_check;
ALTER TABLE citizen_events ADD CONSTRAINT citizen_events_what_check CHECK (
    what IN ('arrived', 'person_made', 'registered', 'bound', 'left', 'returned', 'united', 'asked', 'approved', 'refused',
             'withdrawn', 'expired', 'revoked', 'replaced', 'former', 'joined', 'erasure_asked', 'erasure_withdrawn',
             'erased')
);

-- What a citizen's conversation did is found by its name, which stands in front of every run.
CREATE INDEX effects_conversation ON effects (run text_pattern_ops);

------------------------------------------------------------------------------------------------------ retention

-- What the nightly purge did to each table: how many rows went, how old the oldest is that stayed.
CREATE TABLE purge_reports (
    at      timestamptz NOT NULL,
    "table" text        NOT NULL,
    removed bigint      NOT NULL,
    oldest  timestamptz,
    overdue boolean     NOT NULL,
    PRIMARY KEY (at, "table")
);
