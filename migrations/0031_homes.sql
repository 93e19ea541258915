-- Who lives where: asked for by a citizen, approved by staff of the place (domain-rules 3.1, states 0.1).

-- Where a place is, in words, from the community down. What lies between (a grid) only staff knows by name.
CREATE FUNCTION community_where(p_place text) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT id, parent, kind, name, 0 AS above FROM community_places WHERE id = p_place
        UNION ALL
        SELECT p.id, p.parent, p.kind, p.name, up.above + 1 FROM community_places p JOIN up ON p.id = up.parent
    )
    SELECT string_agg(name, ' ' ORDER BY above DESC) FROM up WHERE kind NOT IN ('district', 'street', 'grid')
$$;

-- Every step a home may take; the first one leads from ''.
CREATE TABLE community_home_steps (
    old  text NOT NULL,
    what text NOT NULL,
    new  text NOT NULL,
    PRIMARY KEY (old, what)
);
INSERT INTO community_home_steps (old, what, new) VALUES
    ('', 'asked', 'requested'),
    ('requested', 'approved', 'active'),
    ('requested', 'refused', 'rejected'),
    ('requested', 'expired', 'expired'),
    ('requested', 'left', 'revoked'),
    ('active', 'left', 'revoked'),
    ('active', 'ended', 'revoked');

-- sealed: room and name, opened for staff of the place alone, and why they said no. until: when a request is over
-- that nobody decided. decided_by: which member of staff decided it.
CREATE SEQUENCE community_numbers START 50001;
CREATE TABLE community_homes (
    id         text        PRIMARY KEY,
    citizen    text        NOT NULL REFERENCES citizens (id),
    place      text        NOT NULL REFERENCES community_places (id),
    role       text        NOT NULL CHECK (role IN ('owner', 'tenant', 'family')),
    sealed     bytea       CHECK (octet_length(sealed) > 29),
    state      text        NOT NULL CHECK (state IN ('requested', 'active', 'rejected', 'expired', 'revoked')),
    asked_at   timestamptz NOT NULL,
    until      timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text        NOT NULL DEFAULT '',
    what       text        NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (state NOT IN ('requested', 'active') OR sealed IS NOT NULL),
    CHECK (state NOT IN ('active', 'rejected') OR decided_by <> '')
);
CREATE INDEX community_homes_citizen ON community_homes (citizen, id);
CREATE INDEX community_homes_waiting ON community_homes (place text_pattern_ops, asked_at) WHERE state = 'requested';
CREATE INDEX community_homes_active ON community_homes (place text_pattern_ops) WHERE state = 'active';
CREATE INDEX community_homes_over ON community_homes (until) WHERE state = 'requested';

CREATE TABLE community_home_events (
    id   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at   timestamptz NOT NULL,
    home text        NOT NULL REFERENCES community_homes (id) ON DELETE CASCADE,
    what text        NOT NULL,
    old  text        NOT NULL,
    new  text        NOT NULL,
    decided_by text  NOT NULL
);
CREATE INDEX community_home_events_home ON community_home_events (home, id);

-- Only a step of the machine changes where a home stands; whose it is and where, nothing does.
CREATE FUNCTION community_home_stepped() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.state, NEW.what, NEW.changed_at) = (OLD.state, OLD.what, OLD.changed_at) THEN
            RETURN NEW;  -- another citizen's, of two who are one human
        END IF;
        v_old := OLD.state;
    END IF;
    IF NOT EXISTS (
        SELECT FROM community_home_steps s WHERE s.old = v_old AND s.what = NEW.what AND s.new = NEW.state
    ) OR (TG_OP = 'UPDATE' AND (NEW.id, NEW.place) IS DISTINCT FROM (OLD.id, OLD.place)) THEN
        RAISE EXCEPTION 'home %: "%" does not lead from "%" to "%"', NEW.id, NEW.what, v_old, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'community_home_steps lists what is possible';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER community_home_stepped BEFORE INSERT OR UPDATE ON community_homes
    FOR EACH ROW EXECUTE FUNCTION community_home_stepped();

CREATE FUNCTION community_home_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old text := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN v_old := OLD.state; END IF;
    IF v_old <> NEW.state THEN
        INSERT INTO community_home_events (at, home, what, old, new, decided_by)
        VALUES (NEW.changed_at, NEW.id, NEW.what, v_old, NEW.state, NEW.decided_by);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER community_home_told AFTER INSERT OR UPDATE ON community_homes
    FOR EACH ROW EXECUTE FUNCTION community_home_told();
