-- A booking is for a person; those who may act for that person may change it (domain-rules 0.1, B4).

-- As in 0010. Who may give a booking back is asked before, in the same transaction: whoever made it, as long as they
-- may act for the patient, and the patient; `p_citizen` is who does it.
CREATE OR REPLACE FUNCTION cancel_booking(
    p_booking text, p_citizen text, p_key text, p_now timestamptz, r hospital_rules,
    OUT refusal text, OUT at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    v_unit units;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('person:' || person, 0))
    FROM bookings WHERE id = p_booking;
    IF NOT FOUND THEN refusal := 'no_such_booking'; RETURN; END IF;
    SELECT u.* INTO v_unit FROM units u JOIN bookings b ON b.unit = u.id WHERE b.id = p_booking FOR UPDATE OF u;
    SELECT l.refusal, l.at INTO refusal, at FROM return_limit(p_booking, p_now, r) l;
    IF refusal IS NOT NULL THEN RETURN; END IF;
    PERFORM unit_move(v_unit.id, CASE v_unit.state WHEN 'held' THEN 'release' ELSE 'cancel' END,
                      p_citizen, p_key, p_now, p_public_at => return_at(p_now, r));
END $$;

-- Take a unit of another period for a booking and give its old one back: both or, with a `refusal`, neither. What is
-- booked stays booked; what is held is held as long as it was, never longer.
CREATE OR REPLACE FUNCTION move_booking(
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
    SELECT person INTO v_person FROM bookings WHERE id = p_booking;
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
