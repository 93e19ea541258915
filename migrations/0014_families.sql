-- Families: a citizen with several accounts, persons whose identity is proven, and who may act for whom until when
-- (domain-rules 0.1). Names, ID numbers and what an asker calls themselves stand here sealed only.

-------------------------------------------------------------------------------------------------------- citizens

-- Who writes to us, through however many accounts: those of one unionid are one citizen (a keyed hash of it).
CREATE TABLE citizens (
    id      text        PRIMARY KEY CHECK (id ~ '^c_[A-Za-z0-9_-]{16}$'),
    unionid bytea       UNIQUE CHECK (octet_length(unionid) = 16),
    since   timestamptz NOT NULL DEFAULT now()
);
INSERT INTO citizens (id, since) SELECT citizen, since FROM accounts;

ALTER TABLE bindings DROP CONSTRAINT bindings_citizen_fkey, ADD FOREIGN KEY (citizen) REFERENCES citizens (id);
ALTER TABLE citizen_events
    DROP CONSTRAINT citizen_events_citizen_fkey, ADD FOREIGN KEY (citizen) REFERENCES citizens (id);
ALTER TABLE bookings DROP CONSTRAINT bookings_citizen_fkey, ADD FOREIGN KEY (citizen) REFERENCES citizens (id);

-- heard_at: when its citizen wrote here after having written elsewhere, or came. The latest is where they are reached.
ALTER TABLE accounts
    DROP CONSTRAINT accounts_pkey,
    DROP CONSTRAINT accounts_conversation_key,
    ADD PRIMARY KEY (conversation),
    ADD FOREIGN KEY (citizen) REFERENCES citizens (id),
    ADD COLUMN heard_at timestamptz NOT NULL DEFAULT now();
UPDATE accounts SET heard_at = since;
CREATE INDEX accounts_citizen ON accounts (citizen, heard_at);

-- Let all that refers to a citizen refer to another one, who is the same human, in whatever table it stands. What
-- happened before is told of the citizen it happened to, and bindings are handed over step by step.
CREATE FUNCTION refer_to_citizen(p_old text, p_new text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT c.conrelid::regclass AS tab, a.attname AS col
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.confrelid = 'citizens'::regclass
          AND c.conrelid NOT IN ('bindings'::regclass, 'citizen_events'::regclass)
        ORDER BY 1
    LOOP
        EXECUTE format('UPDATE %s SET %I = $2 WHERE %I = $1', r.tab, r.col, r.col) USING p_old, p_new;
    END LOOP;
END $$;

--------------------------------------------------------------------------------------------------------- persons

-- identity: the keyed hash of an ID number that was proven once; only a registered person has one, and keeps it.
ALTER TABLE persons
    ADD COLUMN name      bytea CHECK (octet_length(name) > 29),
    ADD COLUMN id_number bytea CHECK (octet_length(id_number) > 29),
    ADD COLUMN identity  bytea UNIQUE CHECK (octet_length(identity) = 16),
    ADD CHECK (identity IS NULL OR (name IS NOT NULL AND id_number IS NOT NULL));

-- What an institution calls a registered person, opaque to us and sealed: what their reports are asked for with.
CREATE TABLE patient_references (
    person      text        NOT NULL REFERENCES persons (id),
    institution text        NOT NULL,
    sealed      bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    at          timestamptz NOT NULL,
    PRIMARY KEY (person, institution)
);

-------------------------------------------------------------------------------------------------------- bindings

-- Every step a binding may take; the first ones lead from ''. `replaced`: a newer binding of the same two says more.
-- `former`: a self whose citizen has proven to be another registered person. `joined`: its citizen is another one's
-- account, too (unionid).
CREATE TABLE binding_transitions (
    old  text NOT NULL,
    what text NOT NULL,
    new  text NOT NULL,
    PRIMARY KEY (old, what, new)
);
INSERT INTO binding_transitions (old, what, new) VALUES
    ('', 'bound', 'active'),
    ('', 'asked', 'requested'),
    ('requested', 'approved', 'active'),
    ('requested', 'refused', 'rejected'),
    ('requested', 'withdrawn', 'withdrawn'),
    ('requested', 'expired', 'expired'),
    ('requested', 'joined', 'requested'),
    ('active', 'revoked', 'revoked'),
    ('active', 'replaced', 'expired'),
    ('active', 'former', 'active'),
    ('active', 'joined', 'active');

DROP INDEX bindings_one_self, bindings_person;
ALTER TABLE bindings DROP CONSTRAINT bindings_citizen_person_key;
ALTER TABLE bindings RENAME COLUMN since TO made_at;
DO $$  -- the checks of 0002 have names that PostgreSQL chose
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT conname FROM pg_constraint WHERE conrelid = 'bindings'::regclass AND contype = 'c' LOOP
        EXECUTE format('ALTER TABLE bindings DROP CONSTRAINT %I', v_name);
    END LOOP;
END $$;
UPDATE bindings SET relation = 'other' WHERE relation = 'family';

-- While it is requested it names no person, but a target (the keyed hash of an ID number), a ticket (what institutions
-- know it by), and sealed what was entered, which goes at every end. asker: what the asker calls themselves, for those
-- who agree; it goes when the binding does. who, what, key, changed_at tell the last step. proven_by: the citizen, the
-- institution or the member of staff the proof came from.
ALTER TABLE bindings
    ALTER COLUMN person DROP NOT NULL,
    ADD COLUMN ticket     text        UNIQUE CHECK (ticket ~ '^[A-Za-z0-9_-]{22,64}$'),
    ADD COLUMN target     bytea       CHECK (octet_length(target) = 16),
    ADD COLUMN sealed     bytea       CHECK (octet_length(sealed) > 29),
    ADD COLUMN asker      bytea       CHECK (octet_length(asker) > 29),
    ADD COLUMN proven_by  text        CHECK (proven_by <> ''),
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN who        text        NOT NULL DEFAULT 'migration',
    ADD COLUMN what       text        NOT NULL DEFAULT 'bound',
    ADD COLUMN key        text        NOT NULL DEFAULT 'migration',
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
UPDATE bindings SET who = citizen, changed_at = made_at, proven_by = CASE WHEN proof IS NOT NULL THEN 'migration' END;
ALTER TABLE bindings
    ALTER COLUMN who DROP DEFAULT,
    ALTER COLUMN what DROP DEFAULT,
    ALTER COLUMN key DROP DEFAULT,
    ADD CHECK (relation IN ('self', 'former', 'mother', 'father', 'spouse', 'son', 'daughter', 'grandmother',
                            'grandfather', 'brother', 'sister', 'mother_in_law', 'father_in_law', 'grandchild', 'other')),
    ADD CHECK (state IN ('requested', 'active', 'rejected', 'withdrawn', 'revoked', 'expired')),
    ADD CHECK (proof IN ('person', 'institution_code', 'counter', 'guardian_roster')),
    ADD CHECK (scopes <@ ARRAY['book', 'pay', 'queue', 'report', 'record', 'glucose', 'school']),
    -- B3, B4, B4a: whoever is active was proven, or is a self of which nothing is known but what was entered here.
    ADD CHECK (state <> 'active' OR proof IS NOT NULL OR relation IN ('self', 'former')),
    ADD CHECK (state <> 'active' OR proof IS NOT NULL OR scopes <@ ARRAY['book', 'pay', 'queue']),
    ADD CHECK (relation NOT IN ('self', 'former') OR proof IN ('institution_code', 'counter')),
    ADD CHECK ((proof IS NULL) = (proven_by IS NULL)),
    ADD CHECK (state <> 'requested' OR (person IS NULL AND proof IS NULL)),
    ADD CHECK (state NOT IN ('active', 'revoked') OR person IS NOT NULL),
    ADD CHECK ((state = 'requested') = (sealed IS NOT NULL)),
    ADD CHECK ((state = 'requested') = (target IS NOT NULL)),
    ADD CHECK (state <> 'requested' OR (ticket IS NOT NULL AND expires_at IS NOT NULL)),
    ADD CHECK (state IN ('requested', 'active') OR asker IS NULL),
    ADD CHECK (state <> 'requested' OR decided_at IS NULL);
CREATE UNIQUE INDEX bindings_one_self ON bindings (citizen) WHERE relation = 'self' AND state = 'active';
CREATE UNIQUE INDEX bindings_one_active ON bindings (citizen, person) WHERE state = 'active';
CREATE UNIQUE INDEX bindings_one_request ON bindings (citizen, target) WHERE state = 'requested';
-- What somebody entered of themselves is nobody else's.
CREATE UNIQUE INDEX bindings_one_unproven ON bindings (person) WHERE state = 'active' AND proof IS NULL;
CREATE INDEX bindings_citizen ON bindings (citizen, state);
CREATE INDEX bindings_person ON bindings (person, citizen);
CREATE INDEX bindings_target ON bindings (target) WHERE state = 'requested';
CREATE INDEX bindings_ending ON bindings (expires_at, id) WHERE state = 'requested';

ALTER TABLE citizen_events
    ADD COLUMN binding   bigint REFERENCES bindings (id),
    ADD COLUMN relation  text,
    ADD COLUMN proof     text,
    ADD COLUMN proven_by text,
    ADD COLUMN scopes    text[],
    DROP CONSTRAINT citizen_events_what_check,
    ADD CHECK (what IN ('arrived', 'person_made', 'registered', 'bound', 'left', 'returned', 'united', 'asked', 'approved',
                        'refused', 'withdrawn', 'expired', 'revoked', 'replaced', 'former', 'joined'));
ALTER TABLE citizen_events DISABLE TRIGGER citizen_events_append_only;
UPDATE citizen_events e SET binding = b.id, relation = b.relation, scopes = b.scopes, proof = b.proof, at = b.made_at
FROM bindings b WHERE e.what = 'bound' AND e.citizen = b.citizen AND e.person = b.person;
ALTER TABLE citizen_events ENABLE TRIGGER citizen_events_append_only;
CREATE INDEX citizen_events_binding ON citizen_events (binding, id) WHERE binding IS NOT NULL;

-- Let only a step of the machine change a row, and only what that step changes.
CREATE FUNCTION binding_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old text := '';
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_at := NEW.changed_at;
    ELSE
        v_old := OLD.state;
    END IF;
    IF NOT EXISTS (SELECT FROM binding_transitions t WHERE t.old = v_old AND t.what = NEW.what AND t.new = NEW.state)
       OR (TG_OP = 'INSERT' AND NEW.what = 'bound' AND (NEW.relation <> 'self' OR NEW.proof IS NOT NULL))
       OR (TG_OP = 'UPDATE' AND (
               (NEW.id, NEW.made_at, NEW.ticket, NEW.scopes) IS DISTINCT FROM (OLD.id, OLD.made_at, OLD.ticket, OLD.scopes)
            OR (NEW.citizen <> OLD.citizen AND NEW.what <> 'joined')
            OR (NEW.relation <> OLD.relation AND NOT (
                    OLD.relation = 'self' AND NEW.relation = 'former' AND NEW.what IN ('former', 'joined')))
            OR (NEW.relation = OLD.relation AND NEW.what = 'former')
            OR ((NEW.person, NEW.proof, NEW.proven_by) IS DISTINCT FROM (OLD.person, OLD.proof, OLD.proven_by)
                AND NEW.what <> 'approved')
       ))
       OR (NEW.what = 'approved' AND NEW.proof IS NULL) THEN
        RAISE EXCEPTION 'binding %: "%" does not lead from "%" to "%" like this', NEW.id, NEW.what, v_old, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'binding_transitions lists what is possible';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bindings_steps BEFORE INSERT OR UPDATE ON bindings FOR EACH ROW EXECUTE FUNCTION binding_steps();

-- Compare a binding with its person when the statement is over, and tell of the step.
CREATE FUNCTION binding_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_registered boolean;
    v_old        text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN v_old := OLD.state; END IF;
    IF NEW.state = 'active' THEN
        SELECT identity IS NOT NULL INTO v_registered FROM persons WHERE id = NEW.person;
        IF v_registered <> (NEW.proof IS NOT NULL) THEN
            RAISE EXCEPTION 'binding %: a registered person is bound by a proof, and nobody else can be', NEW.id
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.what = 'approved' AND NEW.proof = 'person' AND NOT EXISTS (  -- B4a
           SELECT FROM bindings b WHERE b.citizen = NEW.proven_by AND b.person = NEW.person AND b.relation = 'self'
             AND b.state = 'active' AND b.proof IS NOT NULL AND b.citizen <> NEW.citizen) THEN
        RAISE EXCEPTION 'binding %: nobody but the bound person agrees to it', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO citizen_events (at, who, what, citizen, person, binding, relation, proof, proven_by, scopes, old, new, key)
    VALUES (NEW.changed_at, NEW.who, NEW.what, NEW.citizen, NEW.person, NEW.id, NEW.relation, NEW.proof, NEW.proven_by,
            NEW.scopes, v_old, NEW.state, NEW.key);
    RETURN NULL;
END $$;
CREATE TRIGGER bindings_told AFTER INSERT OR UPDATE ON bindings FOR EACH ROW EXECUTE FUNCTION binding_told();

-- An identity is given once, to a person nobody holds unproven; it never becomes another, and is erased only behind all.
CREATE FUNCTION person_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.identity IS NOT NULL AND NEW.identity IS NOT NULL)
       OR (NEW.identity IS NOT NULL AND EXISTS (
               SELECT FROM bindings WHERE person = NEW.id AND state = 'active' AND proof IS NULL))
       OR (NEW.identity IS NULL AND EXISTS (SELECT FROM bindings WHERE person = NEW.id AND state = 'active')) THEN
        RAISE EXCEPTION 'person %: an identity is given once, and only to who is held by proof', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER persons_identity BEFORE UPDATE OF identity ON persons
    FOR EACH ROW WHEN (OLD.identity IS DISTINCT FROM NEW.identity) EXECUTE FUNCTION person_identity();

----------------------------------------------------------------------------------------- what hangs on a request

-- The dialogue that goes on once a request is decided, sealed. title: what a citizen calls it (挂号).
CREATE TABLE kept_dialogues (
    binding bigint      PRIMARY KEY REFERENCES bindings (id),
    sealed  bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    title   text        NOT NULL,
    until   timestamptz NOT NULL
);
CREATE INDEX kept_dialogues_until ON kept_dialogues (until);

-- What was tried, by and against whom (keyed hashes), so that it can be limited. key: the same try is counted once.
CREATE TABLE binding_attempts (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who     bytea       NOT NULL CHECK (octet_length(who) = 16),
    target  bytea       NOT NULL CHECK (octet_length(target) = 16),
    kind    text        NOT NULL CHECK (kind IN ('request', 'send', 'check', 'roster')),
    institution text    NOT NULL DEFAULT '',
    binding bigint      NOT NULL REFERENCES bindings (id),
    key     bytea       NOT NULL UNIQUE CHECK (octet_length(key) = 16),
    at      timestamptz NOT NULL
);
CREATE INDEX binding_attempts_who ON binding_attempts (who, kind, at);
CREATE INDEX binding_attempts_target ON binding_attempts (target, kind, at);
CREATE INDEX binding_attempts_binding ON binding_attempts (binding, kind);
CREATE INDEX binding_attempts_at ON binding_attempts (at);
