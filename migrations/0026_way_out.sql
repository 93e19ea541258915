-- Who was let in is let out: a code may be good for ways out alone. type as it stands in the code: 1 the rider,
-- 2 a companion, 3 a way out.
ALTER TABLE transit_grants ADD COLUMN type smallint;
UPDATE transit_grants SET type = CASE WHEN companion THEN 2 ELSE 1 END;
ALTER TABLE transit_grants ALTER COLUMN type SET NOT NULL;
ALTER TABLE transit_grants ADD CHECK (type IN (1, 2, 3));
ALTER TABLE transit_grants DROP COLUMN companion;

-- Who asked to close and fell behind meanwhile goes on closing once that is paid; so does who was suspended.
INSERT INTO transit_transitions (old, what, new) VALUES
    ('arrears', 'paid_up', 'closing'),
    ('suspended', 'restored', 'closing');
CREATE INDEX transit_accounts_closing ON transit_accounts (citizen) WHERE state = 'closing';

-- An account's day that cannot be settled holds up nobody else's: it is put off, further each time.
ALTER TABLE transit_due ADD COLUMN tries smallint NOT NULL DEFAULT 0;
ALTER TABLE transit_due ADD COLUMN not_before timestamptz;
