-- The hospital: catalogue, clinic sessions, periods, units, bookings, and the one machine that moves a unit.

---------------------------------------------------------------------------------------------------- catalogue

CREATE TABLE hospitals (
    id      text     PRIMARY KEY,
    name    text     NOT NULL UNIQUE,
    address text     NOT NULL,
    phone   text     NOT NULL,
    rank    smallint NOT NULL
);

CREATE TABLE specialties (
    id       text     PRIMARY KEY,
    name     text     NOT NULL UNIQUE,
    aliases  text[]   NOT NULL,
    symptoms text[]   NOT NULL,
    rank     smallint NOT NULL
);

CREATE TABLE departments (
    id        text PRIMARY KEY,
    hospital  text NOT NULL REFERENCES hospitals (id),
    specialty text NOT NULL REFERENCES specialties (id),
    place     text NOT NULL,
    UNIQUE (hospital, specialty)
);
CREATE INDEX departments_specialty ON departments (specialty);

CREATE TABLE doctors (
    id         text PRIMARY KEY,
    department text NOT NULL REFERENCES departments (id),
    surname    text NOT NULL,
    given_name text NOT NULL,
    title      text NOT NULL,
    skills     text NOT NULL
);
CREATE INDEX doctors_department ON doctors (department);

-- 排班 as a weekly pattern; open_day() makes sessions of it. weekday: 1 = Monday.
CREATE TABLE timetables (
    doctor         text     NOT NULL REFERENCES doctors (id),
    weekday        smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    half           text     NOT NULL CHECK (half IN ('AM', 'PM', 'NIGHT')),
    class          text     NOT NULL CHECK (class IN ('general', 'expert', 'special')),
    fee_fen        integer  NOT NULL CHECK (fee_fen >= 0),
    starts         time     NOT NULL,
    ends           time     NOT NULL,
    period_minutes smallint NOT NULL CHECK (period_minutes BETWEEN 15 AND 60),
    units          smallint NOT NULL CHECK (units BETWEEN 1 AND 100),
    onsite_percent smallint NOT NULL CHECK (onsite_percent BETWEEN 0 AND 100),
    room           text     NOT NULL,
    PRIMARY KEY (doctor, weekday, half),
    CHECK (ends >= starts + make_interval(mins => period_minutes))
);

-- Which data files are loaded, so that a second start has nothing to do.
CREATE TABLE catalogues (
    source text        PRIMARY KEY,
    digest bytea       NOT NULL,
    loaded timestamptz NOT NULL DEFAULT now()
);

------------------------------------------------------------------------------------- sessions, periods, units

-- `release_at`: not bookable before, whatever the horizon says; NULL: the horizon alone decides.
CREATE TABLE sessions (
    id         text     PRIMARY KEY,
    doctor     text     NOT NULL REFERENCES doctors (id),
    department text     NOT NULL REFERENCES departments (id),
    date       date     NOT NULL,
    half       text     NOT NULL CHECK (half IN ('AM', 'PM', 'NIGHT')),
    class      text     NOT NULL CHECK (class IN ('general', 'expert', 'special')),
    fee_fen    integer  NOT NULL CHECK (fee_fen >= 0),
    place      text     NOT NULL,
    quota      integer  NOT NULL CHECK (quota > 0),
    status     text     NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'suspended')),
    release_at timestamptz,
    UNIQUE (doctor, date, half)
);
CREATE INDEX sessions_date ON sessions (date);
CREATE INDEX sessions_department ON sessions (department, date);

CREATE TABLE session_events (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    who     text        NOT NULL,
    what    text        NOT NULL CHECK (what IN ('open', 'suspend')),
    session text        NOT NULL REFERENCES sessions (id),
    old     text        NOT NULL,
    new     text        NOT NULL,
    key     text        NOT NULL
);
CREATE INDEX session_events_session ON session_events (session, id);
CREATE TRIGGER session_events_append_only BEFORE UPDATE OR DELETE ON session_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TABLE periods (
    id        text        PRIMARY KEY,
    session   text        NOT NULL REFERENCES sessions (id),
    starts_at timestamptz NOT NULL,
    ends_at   timestamptz NOT NULL,
    UNIQUE (session, starts_at),
    CHECK (ends_at > starts_at)
);

-- One row per unit, the only authority on capacity. `what, who, key, changed_at` tell its last transition.
CREATE TABLE units (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period     text        NOT NULL REFERENCES periods (id),
    no         smallint    NOT NULL CHECK (no > 0),
    state      text        NOT NULL DEFAULT 'free',
    version    integer     NOT NULL DEFAULT 0,
    booking    text        UNIQUE,
    person     text,
    hold_until timestamptz,
    public_at  timestamptz,
    what       text        NOT NULL DEFAULT 'open',
    who        text        NOT NULL,
    key        text        NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (period, no),
    CHECK ((state = 'free') = (booking IS NULL)),
    CHECK ((booking IS NULL) = (person IS NULL)),
    CHECK ((state = 'held') = (hold_until IS NOT NULL)),
    CHECK (public_at IS NULL OR state = 'free')
);
CREATE INDEX units_free ON units (period, no) INCLUDE (public_at) WHERE state = 'free';
CREATE INDEX units_held ON units (hold_until) WHERE state = 'held';
CREATE UNIQUE INDEX units_one_hold ON units (person) WHERE state = 'held';  -- domain-rules H10

-- One person's claim on one unit. Its state is the unit's while the unit names it; `outcome` once it gave it back.
CREATE TABLE bookings (
    id          text        PRIMARY KEY CHECK (id ~ '^b_[A-Za-z0-9_-]{16}$'),
    unit        bigint      NOT NULL REFERENCES units (id),
    session     text        NOT NULL REFERENCES sessions (id),
    citizen     text        NOT NULL REFERENCES accounts (citizen),
    person      text        NOT NULL REFERENCES persons (id),
    fee_fen     integer     NOT NULL CHECK (fee_fen >= 0),
    made_at     timestamptz NOT NULL,
    returned_at timestamptz,
    outcome     text        CHECK (outcome IN ('cancel', 'release', 'timeout')),
    UNIQUE (id, unit, person),
    CHECK ((returned_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX bookings_one_per_unit ON bookings (unit) WHERE returned_at IS NULL;
CREATE UNIQUE INDEX bookings_one_per_session ON bookings (session, person) WHERE returned_at IS NULL;  -- H7
CREATE INDEX bookings_person ON bookings (person) WHERE returned_at IS NULL;
CREATE INDEX bookings_citizen ON bookings (citizen) WHERE returned_at IS NULL;
CREATE INDEX bookings_returned ON bookings (session, person, returned_at) WHERE returned_at IS NOT NULL;
ALTER TABLE units ADD FOREIGN KEY (booking, id, person) REFERENCES bookings (id, unit, person);

------------------------------------------------------------------------------- the unit machine (domain-rules 1.2)

CREATE TABLE unit_transitions (
    old  text NOT NULL,
    what text NOT NULL,
    new  text NOT NULL,
    PRIMARY KEY (old, what)
);
INSERT INTO unit_transitions (old, what, new) VALUES
    ('free', 'hold', 'held'),
    ('held', 'confirm', 'booked'),
    ('held', 'timeout', 'free'),
    ('held', 'release', 'free'),
    ('held', 'suspend', 'suspended'),
    ('booked', 'cancel', 'free'),
    ('booked', 'suspend', 'suspended'),
    ('booked', 'miss', 'noshow'),
    ('booked', 'check_in', 'checked_in'),
    ('checked_in', 'call', 'called'),
    ('called', 'start', 'in_visit'),
    ('called', 'pass', 'passed'),
    ('passed', 'check_in', 'checked_in'),
    ('in_visit', 'finish', 'done');

CREATE TABLE unit_events (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit       bigint      NOT NULL REFERENCES units (id),
    version    integer     NOT NULL,
    at         timestamptz NOT NULL,
    who        text        NOT NULL,
    what       text        NOT NULL,
    old        text        NOT NULL,
    new        text        NOT NULL,
    booking    text,
    hold_until timestamptz,
    public_at  timestamptz,
    key        text        NOT NULL,
    UNIQUE (unit, version)
);
CREATE INDEX unit_events_booking ON unit_events (booking) WHERE booking IS NOT NULL;
CREATE TRIGGER unit_events_append_only BEFORE UPDATE OR DELETE ON unit_events
    FOR EACH ROW EXECUTE FUNCTION append_only();

-- Whoever writes to a unit, by whatever statement: only a transition of the table passes, and it leaves its event.
CREATE FUNCTION unit_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM unit_transitions t
                   WHERE t.old = OLD.state AND t.what = NEW.what AND t.new = NEW.state)
       OR NEW.version <> OLD.version + 1
       OR (NEW.id, NEW.period, NEW.no) IS DISTINCT FROM (OLD.id, OLD.period, OLD.no)
       OR (NEW.booking IS DISTINCT FROM OLD.booking AND 'free' NOT IN (OLD.state, NEW.state)) THEN
        RAISE EXCEPTION 'unit %: "%" does not lead from % to %', OLD.id, NEW.what, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', HINT = 'move units with unit_move(); unit_transitions lists what is possible';
    END IF;
    INSERT INTO unit_events (unit, version, at, who, what, old, new, booking, hold_until, public_at, key)
    VALUES (NEW.id, NEW.version, NEW.changed_at, NEW.who, NEW.what, OLD.state, NEW.state,
            coalesce(NEW.booking, OLD.booking), NEW.hold_until, NEW.public_at, NEW.key);
    IF NEW.state = 'free' THEN
        UPDATE bookings SET returned_at = NEW.changed_at, outcome = NEW.what WHERE id = OLD.booking;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER units_change BEFORE UPDATE ON units FOR EACH ROW EXECUTE FUNCTION unit_changes();

CREATE FUNCTION unit_births() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM born WHERE state <> 'free' OR version <> 0 OR what <> 'open') THEN
        RAISE EXCEPTION 'a unit begins free, at version 0' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO unit_events (unit, version, at, who, what, old, new, public_at, key)
    SELECT id, version, changed_at, who, what, '', state, public_at, key FROM born ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER units_birth AFTER INSERT ON units REFERENCING NEW TABLE AS born
    FOR EACH STATEMENT EXECUTE FUNCTION unit_births();

CREATE FUNCTION unit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'unit % cannot be removed: it would be undersold', OLD.id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER units_stay BEFORE DELETE ON units FOR EACH ROW EXECUTE FUNCTION unit_stays();

-- The one way to move a unit. `p_booking`, `p_hold_until` count when it becomes held, `p_public_at` when free.
CREATE FUNCTION unit_move(
    p_unit bigint, p_what text, p_who text, p_key text, p_now timestamptz,
    p_booking text DEFAULT NULL, p_hold_until timestamptz DEFAULT NULL, p_public_at timestamptz DEFAULT NULL
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    UPDATE units u
    SET state = t.new, version = u.version + 1, what = p_what, who = p_who, key = p_key, changed_at = p_now,
        booking = CASE t.new WHEN 'free' THEN NULL WHEN 'held' THEN p_booking ELSE u.booking END,
        person = CASE t.new WHEN 'free' THEN NULL
                            WHEN 'held' THEN (SELECT b.person FROM bookings b WHERE b.id = p_booking)
                            ELSE u.person END,
        hold_until = CASE t.new WHEN 'held' THEN p_hold_until END,
        public_at = CASE t.new WHEN 'free' THEN p_public_at END
    FROM unit_transitions t
    WHERE u.id = p_unit AND t.old = u.state AND t.what = p_what
    RETURNING u.state INTO v_state;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'unit % cannot "%" in state %', p_unit, p_what,
            coalesce((SELECT state FROM units WHERE id = p_unit), '(none)') USING ERRCODE = 'check_violation';
    END IF;
    RETURN v_state;
END $$;
