-- What was kept aside and an operator had taken in all the same: who decided so, why and when.
ALTER TABLE transit_quarantine ADD COLUMN taken_at timestamptz;
ALTER TABLE transit_quarantine ADD COLUMN taken_by text NOT NULL DEFAULT '';
ALTER TABLE transit_quarantine ADD COLUMN taken_why text NOT NULL DEFAULT '';
