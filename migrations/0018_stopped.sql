-- Whoever stops a purpose gets none of it that was queued before, not even what a worker has in hand: each row of the
-- outbox whose purpose can be stopped hangs on that, too (design 6, "Guards").

DO $$  -- the check of 0009 has a name that PostgreSQL chose
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT conname FROM pg_constraint
                  WHERE conrelid = 'outbox'::regclass AND contype = 'c'
                    AND pg_get_constraintdef(oid) LIKE '%cardinality(guard_keys) <= 3%' LOOP
        EXECUTE format('ALTER TABLE outbox DROP CONSTRAINT %I', v_name);
    END LOOP;
END $$;
-- Two objects, the recipient, and the purpose.
ALTER TABLE outbox ADD CHECK (cardinality(guard_keys) = cardinality(guard_ns) AND cardinality(guard_keys) <= 4);
