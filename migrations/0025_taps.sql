-- What riders allowed goes with their taps; whereabouts have an end; and taps cost less to take in and to pair.

-- cap_fen: no ride on this code costs more (domain-rules C8). Taps from before go by the grant, where it is still there.
ALTER TABLE transit_taps ADD COLUMN cap_fen integer NOT NULL DEFAULT 16777215 CHECK (cap_fen >= 0);
UPDATE transit_taps t SET cap_fen = g.cap_fen FROM transit_grants g WHERE g.acct_ref = t.acct_ref;

-- Where somebody was has an end: the purge looks for taps that still say it, by their time.
DROP INDEX transit_taps_at;
CREATE INDEX transit_taps_at ON transit_taps (at) WHERE line <> '';

-- Each row of a batch looked its gate up, and each mark its account; the gate's row is held by the batch, and the account
-- is that of the tap beside it. Events are written by a trigger on the trip they tell of.
ALTER TABLE transit_taps DROP CONSTRAINT transit_taps_device_fkey;
ALTER TABLE transit_due DROP CONSTRAINT transit_due_account_fkey;
ALTER TABLE transit_trip_events DROP CONSTRAINT transit_trip_events_trip_fkey;

-- One insert for all trips of a statement instead of one for each.
DROP TRIGGER transit_trips_told ON transit_trips;
CREATE OR REPLACE FUNCTION transit_trip_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transit_trip_events (trip, version, at, state, money, fare_fen, charged_fen)
    SELECT id, version, changed_at, state, money, fare_fen, charged_fen FROM written;
    RETURN NULL;
END $$;
CREATE TRIGGER transit_trips_begun AFTER INSERT ON transit_trips REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION transit_trip_told();
CREATE TRIGGER transit_trips_changed AFTER UPDATE ON transit_trips REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION transit_trip_told();

-- As before, without making JSON of every row to find one number: only a contract has no amount.
CREATE OR REPLACE FUNCTION payment_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_old    text := '';
    v_step   integer := 0;
    v_amount bigint;
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
    IF TG_ARGV[0] <> 'contract' THEN
        v_amount := NEW.amount_fen;
    END IF;
    INSERT INTO payment_events (machine, subject, step, at, who, what, old, new, amount_fen, key)
    VALUES (TG_ARGV[0], NEW.id, NEW.step, NEW.changed_at, NEW.who, NEW.what, v_old, NEW.state, v_amount, NEW.key);
    RETURN NEW;
END $$;
