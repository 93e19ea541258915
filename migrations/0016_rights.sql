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
