-- Claims on units as single functions: the hospital's rules in SQL, hold, cancel, 停诊, lapsed holds, opening of days.

----------------------------------------------------------------------------------------------- rules in SQL

-- services/hospital/rules.py has the defaults and says where each comes from.
CREATE TYPE hospital_rules AS (
    horizon_days         integer,
    am_until             time,
    pm_until             time,
    departments_per_day  integer,
    rebook_after_cancel  interval,
    rebook_after_refund  interval,
    hold_for             interval,
    return_after_min     interval,
    return_after_max     interval,
    expert_cancel_until  interval,
    general_cancel_until interval,
    cancel_grace         interval
);

CREATE FUNCTION city_day(p_at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS
    $$ SELECT (p_at AT TIME ZONE 'Asia/Shanghai')::date $$;

-- H5; and nobody can book a period that has begun.
CREATE FUNCTION booking_closes_at(p_half text, p_date date, p_starts_at timestamptz, r hospital_rules)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT least(p_starts_at, CASE p_half WHEN 'AM' THEN (p_date + r.am_until) AT TIME ZONE 'Asia/Shanghai'
                                          WHEN 'PM' THEN (p_date + r.pm_until) AT TIME ZONE 'Asia/Shanghai' END)
$$;

-- H1, and a later release if the session names one.
CREATE FUNCTION booking_opens_at(p_date date, p_release_at timestamptz, r hospital_rules)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest((p_date - r.horizon_days)::timestamp AT TIME ZONE 'Asia/Shanghai', p_release_at)
$$;

-- U6 and U7: from this moment on a booking made at `p_made_at` is no longer cancelled online.
CREATE FUNCTION cancel_until(
    p_class text, p_date date, p_starts_at timestamptz, p_made_at timestamptz, r hospital_rules
) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT least(p_starts_at, greatest(
        p_made_at + r.cancel_grace,
        CASE p_class WHEN 'general' THEN p_starts_at - r.general_cancel_until
                     ELSE p_date::timestamp AT TIME ZONE 'Asia/Shanghai' - r.expert_cancel_until END))
$$;

-- U5: when a unit given back at `p_at` becomes public.
CREATE FUNCTION return_at(p_at timestamptz, r hospital_rules) RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT p_at + r.return_after_min + random() * (r.return_after_max - r.return_after_min) $$;

-- All that is told of a period, in one place.
CREATE VIEW clinic_periods AS
SELECT p.id AS period, p.starts_at, p.ends_at, s.id AS session, s.date, s.half, s.class, s.fee_fen, s.status,
       s.release_at, s.place, d.id AS doctor, d.surname, d.given_name, d.title, d.skills,
       dep.id AS department, sp.id AS specialty, sp.name AS specialty_name,
       h.id AS hospital, h.name AS hospital_name, h.address, h.phone
FROM periods p
JOIN sessions s ON s.id = p.session
JOIN doctors d ON d.id = s.doctor
JOIN departments dep ON dep.id = s.department
JOIN specialties sp ON sp.id = dep.specialty
JOIN hospitals h ON h.id = dep.hospital;

-- Every unit a citizen may claim at this moment, limits of the person aside.
CREATE FUNCTION bookable_units(p_now timestamptz, r hospital_rules)
RETURNS TABLE (unit bigint, period text, session text, doctor text, department text, date date, half text,
               starts_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT u.id, p.id, s.id, s.doctor, s.department, s.date, s.half, p.starts_at
    FROM sessions s JOIN periods p ON p.session = s.id JOIN units u ON u.period = p.id
    WHERE u.state = 'free' AND (u.public_at IS NULL OR u.public_at <= p_now) AND s.status = 'open'
      AND s.date BETWEEN city_day(p_now) AND city_day(p_now) + r.horizon_days
      AND booking_opens_at(s.date, s.release_at, r) <= p_now
      AND booking_closes_at(s.half, s.date, p.starts_at, r) > p_now
$$;

---------------------------------------------------------------------------------------------------- claims

-- Free what was held too long: of a period, of a person, or of everybody (both NULL). The moment of lapsing, not of
-- noticing, decides when the unit is public again. Rows another transaction has in hand are left to it.
CREATE FUNCTION lapse_holds(p_now timestamptz, r hospital_rules, p_period text, p_person text, p_limit integer)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_unit  record;
    v_count integer := 0;
BEGIN
    FOR v_unit IN
        SELECT id, hold_until FROM units
        WHERE state = 'held' AND hold_until <= p_now
          AND (p_period IS NULL AND p_person IS NULL OR period = p_period OR person = p_person)
        ORDER BY hold_until LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM unit_move(v_unit.id, 'timeout', 'clock', 'timeout', p_now,
                          p_public_at => return_at(v_unit.hold_until, r));
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

-- What a person's other claims say against one more in this session: H10, H7, H8, H11. Under the person's lock.
CREATE FUNCTION claim_limit(
    p_person text, p_session sessions, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT hold_until INTO at FROM units WHERE person = p_person AND state = 'held' AND hold_until > p_now;
    IF FOUND THEN refusal := 'hold_open'; RETURN; END IF;
    IF EXISTS (SELECT FROM bookings WHERE session = p_session.id AND person = p_person AND returned_at IS NULL) THEN
        refusal := 'session_limit'; RETURN;
    END IF;
    IF (SELECT count(DISTINCT s.department) FILTER (WHERE s.department <> p_session.department)
        FROM bookings b JOIN sessions s ON s.id = b.session JOIN units u ON u.id = b.unit
        WHERE b.person = p_person AND b.returned_at IS NULL AND s.date = p_session.date
          AND u.state <> 'suspended') >= r.departments_per_day THEN
        refusal := 'department_limit'; RETURN;
    END IF;
    SELECT max(returned_at + CASE WHEN outcome = 'cancel' AND fee_fen > 0 THEN r.rebook_after_refund
                                  ELSE r.rebook_after_cancel END) INTO at
    FROM bookings
    WHERE session = p_session.id AND person = p_person AND returned_at IS NOT NULL AND outcome <> 'timeout';
    IF at > p_now THEN refusal := 'rebook_too_soon'; RETURN; END IF;
    at := NULL;
END $$;

-- A free unit of the period, locked; NULL if there is none. First what nobody has in hand; else wait: a free row
-- that is locked belongs to a claim under way, and if that claim is rolled back the unit is ours. The second SELECT
-- looks again at each row it waited for, so it comes back empty only when every one of them is really gone.
CREATE FUNCTION take_unit(p_period text, p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_unit bigint;
BEGIN
    SELECT id INTO v_unit FROM units
    WHERE period = p_period AND state = 'free' AND (public_at IS NULL OR public_at <= p_now)
    ORDER BY no LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        SELECT id INTO v_unit FROM units
        WHERE period = p_period AND state = 'free' AND (public_at IS NULL OR public_at <= p_now)
        ORDER BY no LIMIT 1 FOR UPDATE;
    END IF;
    RETURN v_unit;
END $$;

-- Claim one unit of a period for a person. `refusal` is NULL when the booking was made; `at` is the moment the
-- refusal's sentence names. The session's lock is shared among claims and exclusive for 停诊, and it is queued, so a
-- storm of claims cannot starve a suspension.
CREATE FUNCTION claim_unit(
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
    IF v_session.status <> 'open' THEN refusal := 'session_suspended'; RETURN; END IF;
    at := booking_opens_at(v_session.date, v_session.release_at, r);
    IF p_now < at THEN refusal := 'beyond_horizon'; RETURN; END IF;
    at := booking_closes_at(v_session.half, v_session.date, v_starts, r);
    IF p_now >= at THEN refusal := 'booking_closed'; RETURN; END IF;

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

-- Give a booking back. Somebody else's booking does not exist.
CREATE FUNCTION cancel_booking(
    p_booking text, p_citizen text, p_key text, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_booking bookings;
    v_state   text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || person, 0))
    FROM bookings WHERE id = p_booking AND citizen = p_citizen;
    IF NOT FOUND THEN refusal := 'no_such_booking'; RETURN; END IF;
    SELECT u.state INTO v_state FROM units u JOIN bookings b ON b.unit = u.id WHERE b.id = p_booking FOR UPDATE OF u;
    SELECT * INTO v_booking FROM bookings WHERE id = p_booking;
    IF v_booking.returned_at IS NOT NULL THEN
        refusal := 'already_returned'; at := v_booking.returned_at; RETURN;
    END IF;
    SELECT cancel_until(s.class, s.date, p.starts_at, v_booking.made_at, r) INTO at
    FROM units u JOIN periods p ON p.id = u.period JOIN sessions s ON s.id = p.session WHERE u.id = v_booking.unit;
    refusal := CASE
        WHEN v_state = 'suspended' THEN 'visit_suspended'
        WHEN v_state = 'noshow' THEN 'too_late_to_cancel'
        WHEN v_state NOT IN ('held', 'booked') THEN 'checked_in'  -- U8
        WHEN v_state = 'booked' AND p_now >= at THEN 'too_late_to_cancel'  -- U9
    END;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    PERFORM unit_move(v_booking.unit, CASE v_state WHEN 'held' THEN 'release' ELSE 'cancel' END,
                      p_citizen, p_key, p_now, p_public_at => return_at(p_now, r));
END $$;

-- 停诊: no more claims, and everybody who holds a unit is told by its new state. Returns the bookings concerned.
CREATE FUNCTION suspend_session(p_session text, p_who text, p_key text, p_now timestamptz)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_unit record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('session:' || p_session, 0));
    UPDATE sessions SET status = 'suspended' WHERE id = p_session AND status = 'open';
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO session_events (at, who, what, session, old, new, key)
    VALUES (p_now, p_who, 'suspend', p_session, 'open', 'suspended', p_key);
    FOR v_unit IN
        SELECT u.id, u.booking FROM units u JOIN periods p ON p.id = u.period
        WHERE p.session = p_session AND u.state IN ('held', 'booked') ORDER BY u.id FOR UPDATE OF u
    LOOP
        PERFORM unit_move(v_unit.id, 'suspend', p_who, p_key, p_now);
        RETURN NEXT v_unit.booking;
    END LOOP;
END $$;

---------------------------------------------------------------------------------------------------- opening days

-- Make the sessions of one day out of the timetables; what is open already stays as it is. H6: of each period the
-- last `onsite_percent` of the units become public online only `p_onsite_until` before the session.
CREATE FUNCTION open_day(p_date date, p_now timestamptz, p_onsite_until interval)
RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_count integer;
BEGIN
    WITH opened AS (
        INSERT INTO sessions (id, doctor, department, date, half, class, fee_fen, place, quota)
        SELECT t.doctor || ':' || p_date || ':' || t.half, t.doctor, d.department, p_date, t.half, t.class, t.fee_fen,
               dep.place || t.room,
               t.units * floor(extract(epoch FROM t.ends - t.starts) / 60 / t.period_minutes)::integer
        FROM timetables t JOIN doctors d ON d.id = t.doctor JOIN departments dep ON dep.id = d.department
        WHERE t.weekday = extract(isodow FROM p_date)
        ON CONFLICT DO NOTHING
        RETURNING id, doctor, half
    ), told AS (
        INSERT INTO session_events (at, who, what, session, old, new, key)
        SELECT p_now, 'timetable', 'open', id, '', 'open', 'open:' || id FROM opened
    ), cut AS (
        INSERT INTO periods (id, session, starts_at, ends_at)
        SELECT o.id || ':' || to_char(piece, 'HH24MI'), o.id, piece AT TIME ZONE 'Asia/Shanghai',
               (piece + make_interval(mins => t.period_minutes)) AT TIME ZONE 'Asia/Shanghai'
        FROM opened o
        JOIN timetables t ON t.doctor = o.doctor AND t.half = o.half AND t.weekday = extract(isodow FROM p_date),
             generate_series(p_date + t.starts, p_date + t.ends - make_interval(mins => t.period_minutes),
                             make_interval(mins => t.period_minutes)) AS piece
        RETURNING id, session, starts_at
    ), made AS (
        INSERT INTO units (period, no, public_at, who, key, changed_at)
        SELECT c.id,
               (row_number() OVER (PARTITION BY c.session ORDER BY c.starts_at, n))::smallint,
               CASE WHEN n > t.units - t.units * t.onsite_percent / 100
                    THEN (p_date + t.starts) AT TIME ZONE 'Asia/Shanghai' - p_onsite_until END,
               'timetable', 'open:' || c.session, p_now
        FROM cut c JOIN opened o ON o.id = c.session
        JOIN timetables t ON t.doctor = o.doctor AND t.half = o.half AND t.weekday = extract(isodow FROM p_date),
             generate_series(1, t.units) AS n
        ORDER BY c.session, 2
    )
    SELECT count(*) INTO v_count FROM opened;
    RETURN v_count;
END $$;
