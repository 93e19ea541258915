-- 改期: a booking keeps its id, takes a new unit and gives the old one back, in one transaction (docs/adr/0012).

-- What was told of a booking is told of one version of it. It grows with every move, and when the unit is given back
-- (cancelled, released, lapsed) or suspended.
ALTER TABLE bookings ADD COLUMN version integer NOT NULL DEFAULT 0 CHECK (version >= 0);

INSERT INTO unit_transitions (old, what, new) VALUES
    ('held', 'move', 'free'),
    ('booked', 'move', 'free');

-- As in 0003, but that a unit left by 'move' leaves its booking alive (move_booking gives it another one), and that
-- the booking's version grows here and nowhere else.
CREATE OR REPLACE FUNCTION unit_changes() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF NEW.what = 'move' OR NEW.state = 'suspended' THEN
        UPDATE bookings SET version = version + 1 WHERE id = OLD.booking;
    ELSIF NEW.state = 'free' THEN
        UPDATE bookings SET version = version + 1, returned_at = NEW.changed_at, outcome = NEW.what
        WHERE id = OLD.booking;
    END IF;
    RETURN NEW;
END $$;

-- What was said of a booking hangs on `booking:<id>` (core/delivery/guards.py): whatever makes its version grow makes
-- every message of before void, in the same transaction, whichever way the unit went.
CREATE FUNCTION booking_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO versions (key, n) VALUES ('booking:' || NEW.id, 1)
    ON CONFLICT (key) DO UPDATE SET n = versions.n + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER bookings_version AFTER UPDATE OF version ON bookings
    FOR EACH ROW WHEN (NEW.version > OLD.version) EXECUTE FUNCTION booking_versions();

------------------------------------------------------------------------------------------- what stands against it

-- What a period says against a claim by anybody: 停诊, H1, H5. Under the session's lock.
CREATE FUNCTION period_limit(
    p_session sessions, p_starts_at timestamptz, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_session.status <> 'open' THEN refusal := 'session_suspended'; RETURN; END IF;
    at := booking_opens_at(p_session.date, p_session.release_at, r);
    IF p_now < at THEN refusal := 'beyond_horizon'; RETURN; END IF;
    at := booking_closes_at(p_session.half, p_session.date, p_starts_at, r);
    IF p_now >= at THEN refusal := 'booking_closed'; RETURN; END IF;
    at := NULL;
END $$;

-- What a person's other claims say against one more in this session: H10, H7, H8, H11. Under the person's lock.
-- `p_moving` is the booking that would be moved there: all is said as if it did not exist. It was not given back, so
-- H11 says nothing of it either: who moved away may move back at once. That wins nothing, for the unit that was left
-- is public only after the delay of U5. What was paid goes along, so a paid booking stays at its price until
-- somebody can ask for the difference or send it back.
DROP FUNCTION claim_limit(text, sessions, timestamptz, hospital_rules);
CREATE FUNCTION claim_limit(
    p_person text, p_session sessions, p_now timestamptz, r hospital_rules, p_moving text DEFAULT NULL,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT hold_until INTO at FROM units
    WHERE person = p_person AND state = 'held' AND hold_until > p_now AND booking IS DISTINCT FROM p_moving;
    IF FOUND THEN refusal := 'hold_open'; RETURN; END IF;
    IF EXISTS (SELECT FROM bookings
               WHERE session = p_session.id AND person = p_person AND returned_at IS NULL
                 AND id IS DISTINCT FROM p_moving) THEN
        refusal := 'session_limit'; RETURN;
    END IF;
    IF (SELECT count(DISTINCT s.department) FILTER (WHERE s.department <> p_session.department)
        FROM bookings b JOIN sessions s ON s.id = b.session JOIN units u ON u.id = b.unit
        WHERE b.person = p_person AND b.returned_at IS NULL AND s.date = p_session.date
          AND u.state <> 'suspended' AND b.id IS DISTINCT FROM p_moving) >= r.departments_per_day THEN
        refusal := 'department_limit'; RETURN;
    END IF;
    SELECT max(returned_at + CASE WHEN outcome = 'cancel' AND fee_fen > 0 THEN r.rebook_after_refund
                                  ELSE r.rebook_after_cancel END) INTO at
    FROM bookings
    WHERE session = p_session.id AND person = p_person AND returned_at IS NOT NULL AND outcome <> 'timeout';
    IF at > p_now THEN refusal := 'rebook_too_soon'; RETURN; END IF;
    at := NULL;
    IF p_moving IS NOT NULL AND EXISTS (
        SELECT FROM bookings b JOIN units u ON u.id = b.unit
        WHERE b.id = p_moving AND u.state = 'booked' AND b.fee_fen <> p_session.fee_fen
    ) THEN
        refusal := 'fee_differs';
    END IF;
END $$;

-- Why a booking is not given back any more (U6–U9), by cancelling or by moving. A hold is over when its time is, swept
-- or not. `made_at` is never renewed: the half hour of U6 and U7 runs from the first booking, however often it is
-- moved, or two units taken in turn could be kept for ever.
CREATE FUNCTION return_limit(p_booking text, p_now timestamptz, r hospital_rules, OUT refusal text, OUT at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN b.returned_at IS NOT NULL OR lapsed THEN 'already_returned'
                WHEN u.state = 'suspended' THEN 'visit_suspended'
                WHEN u.state = 'noshow' THEN 'too_late_to_cancel'
                WHEN u.state NOT IN ('held', 'booked') THEN 'checked_in'  -- U8
                WHEN u.state = 'booked' AND p_now >= until THEN 'too_late_to_cancel' END,  -- U9
           CASE WHEN lapsed THEN u.hold_until ELSE coalesce(b.returned_at, until) END
    FROM bookings b
    JOIN units u ON u.id = b.unit
    JOIN periods p ON p.id = u.period
    JOIN sessions s ON s.id = p.session,
    LATERAL (SELECT b.returned_at IS NULL AND u.state = 'held' AND u.hold_until <= p_now AS lapsed,
                    cancel_until(s.class, s.date, p.starts_at, b.made_at, r) AS until) t
    WHERE b.id = p_booking
$$;

---------------------------------------------------------------------------------------------------- claims

-- Who takes, gives back or moves goes through its locks in one order, and so does 停诊, which has the second and third:
--   1. the person;
--   2. sessions, in the order of their ids: shared for a claim (its own) and for a move (both), exclusive for 停诊;
--   3. the unit that is given back;
--   4. the unit that is taken. It is waited for (take_unit), and nothing is waited for after it.
-- So nobody waits in a circle. In 1 and 2 the order sees to it, and who is in 3 or 4 never goes back there. 停诊 has
-- its session to itself: no claim or move that uses it is under way meanwhile. In 3 and 4, one waits for a unit that
-- it saw free after it had locked all it keeps. Who keeps that unit and has not just taken it locked it when it was
-- free no more: that is later than who waits looked, and it looked for its own unit later still. Along a row of such
-- waits the time only grows.

-- A free unit of the period, locked; NULL if there is none. First what nobody has in hand; else wait: a free row
-- that is locked belongs to a claim under way, and if that claim is rolled back the unit is ours. One row is waited
-- for at a time, and each time what is free is looked for anew: a list of several would grow old while the first is
-- waited for, and lead to rows that were taken and are being moved by now, in a circle.
CREATE OR REPLACE FUNCTION take_unit(p_period text, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_unit bigint;
BEGIN
    LOOP
        SELECT id INTO v_unit FROM units
        WHERE period = p_period AND state = 'free' AND (public_at IS NULL OR public_at <= p_now)
        ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF FOUND THEN RETURN v_unit; END IF;
        SELECT id INTO v_unit FROM units
        WHERE period = p_period AND state = 'free' AND (public_at IS NULL OR public_at <= p_now)
        ORDER BY no LIMIT 1;
        IF NOT FOUND THEN RETURN NULL; END IF;
        PERFORM FROM units WHERE id = v_unit FOR UPDATE;
    END LOOP;
END $$;

-- As in 0004; what stands against the period is said by period_limit.
CREATE OR REPLACE FUNCTION claim_unit(
    p_period text, p_citizen text, p_person text, p_booking text, p_key text, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_session sessions;
    v_starts  timestamptz;
    v_unit    bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || p_person, 0));
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('session:' || session, 0))
    FROM periods WHERE id = p_period;
    IF NOT FOUND THEN refusal := 'no_such_period'; RETURN; END IF;
    SELECT s.* INTO v_session FROM sessions s JOIN periods p ON p.session = s.id WHERE p.id = p_period;
    SELECT starts_at INTO v_starts FROM periods WHERE id = p_period;
    SELECT l.refusal, l.at INTO refusal, at FROM period_limit(v_session, v_starts, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;

    PERFORM lapse_holds(p_now, r, p_period, p_person, 100);
    SELECT l.refusal, l.at INTO refusal, at FROM claim_limit(p_person, v_session, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    v_unit := take_unit(p_period, p_now);
    IF v_unit IS NULL THEN refusal := 'unit_taken'; RETURN; END IF;

    INSERT INTO bookings (id, unit, session, citizen, person, fee_fen, made_at)
    VALUES (p_booking, v_unit, v_session.id, p_citizen, p_person, v_session.fee_fen, p_now);
    PERFORM unit_move(v_unit, 'hold', p_citizen, p_key, p_now, p_booking, p_now + r.hold_for);
    IF v_session.fee_fen = 0 THEN  -- U4
        PERFORM unit_move(v_unit, 'confirm', p_citizen, p_key, p_now);
    END IF;
END $$;

-- As in 0004; what stands against it is said by return_limit. Somebody else's booking does not exist.
CREATE OR REPLACE FUNCTION cancel_booking(
    p_booking text, p_citizen text, p_key text, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_unit units;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || person, 0))
    FROM bookings WHERE id = p_booking AND citizen = p_citizen;
    IF NOT FOUND THEN refusal := 'no_such_booking'; RETURN; END IF;
    SELECT u.* INTO v_unit FROM units u JOIN bookings b ON b.unit = u.id WHERE b.id = p_booking FOR UPDATE OF u;
    SELECT l.refusal, l.at INTO refusal, at FROM return_limit(p_booking, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    PERFORM unit_move(v_unit.id, CASE v_unit.state WHEN 'held' THEN 'release' ELSE 'cancel' END,
                      p_citizen, p_key, p_now, p_public_at => return_at(p_now, r));
END $$;

-- Take a unit of another period for a booking and give its old one back: both or, with a `refusal`, neither. What is
-- booked stays booked; what is held is held as long as it was, never longer.
CREATE FUNCTION move_booking(
    p_booking text, p_citizen text, p_period text, p_key text, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_each    text;
    v_person  text;
    v_old     units;
    v_session sessions;
    v_starts  timestamptz;
    v_unit    bigint;
BEGIN
    SELECT person INTO v_person FROM bookings WHERE id = p_booking AND citizen = p_citizen;
    IF NOT FOUND THEN refusal := 'no_such_booking'; RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || v_person, 0));
    FOR v_each IN
        SELECT session FROM bookings WHERE id = p_booking UNION SELECT session FROM periods WHERE id = p_period
        ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('session:' || v_each, 0));
    END LOOP;
    SELECT u.* INTO v_old FROM units u JOIN bookings b ON b.unit = u.id WHERE b.id = p_booking FOR UPDATE OF u;
    SELECT l.refusal, l.at INTO refusal, at FROM return_limit(p_booking, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;

    SELECT starts_at INTO v_starts FROM periods WHERE id = p_period;
    IF NOT FOUND THEN refusal := 'no_such_period'; RETURN; END IF;
    IF v_old.period = p_period THEN refusal := 'same_period'; at := NULL; RETURN; END IF;
    SELECT s.* INTO v_session FROM sessions s JOIN periods p ON p.session = s.id WHERE p.id = p_period;
    SELECT l.refusal, l.at INTO refusal, at FROM period_limit(v_session, v_starts, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    PERFORM lapse_holds(p_now, r, p_period, v_person, 100);
    SELECT l.refusal, l.at INTO refusal, at FROM claim_limit(v_person, v_session, p_now, r, p_booking) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    v_unit := take_unit(p_period, p_now);
    IF v_unit IS NULL THEN refusal := 'unit_taken'; RETURN; END IF;

    PERFORM unit_move(v_old.id, 'move', p_citizen, p_key, p_now, p_public_at => return_at(p_now, r));
    UPDATE bookings SET unit = v_unit, session = v_session.id, fee_fen = v_session.fee_fen WHERE id = p_booking;
    PERFORM unit_move(v_unit, 'hold', p_citizen, p_key, p_now, p_booking,
                      least(v_old.hold_until, p_now + r.hold_for));
    IF v_session.fee_fen = 0 OR v_old.state = 'booked' THEN  -- U4, or it was paid
        PERFORM unit_move(v_unit, 'confirm', p_citizen, p_key, p_now);
    END IF;
END $$;
