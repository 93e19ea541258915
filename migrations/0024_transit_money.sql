-- Money that is not owed (any more) is not debited, and what is behind is behind for a citizen, whichever of their
-- accounts it is of and however these stand (domain-rules T3, J10, P5).

-- A debt that its owner takes back before it is paid. A try of it that turns out paid afterwards goes back in full.
INSERT INTO payment_transitions (machine, old, what, new) VALUES
    ('payment', 'owed', 'cancelled', 'cancelled'),
    ('payment', 'stopped', 'cancelled', 'cancelled');
ALTER TABLE payments DROP CONSTRAINT payments_state_check;
ALTER TABLE payments ADD CONSTRAINT payments_state_check
    CHECK (state IN ('owed', 'asked', 'paid', 'stopped', 'cancelled'));
DROP INDEX payments_listed;
CREATE INDEX payments_listed ON payments (state, changed_at, id) WHERE state NOT IN ('paid', 'cancelled');

-- Signing anew, or being let ride again, leads to where the facts lead: behind, in use, or waiting for a contract.
INSERT INTO transit_transitions (old, what, new) VALUES
    ('consent', 'fell_behind', 'arrears'),
    ('arrears', 'paid_up', 'consent'),       -- and the contract is over meanwhile
    ('consent', 'closing', 'closing'),       -- was in use, and something is still open
    ('consent', 'suspended', 'suspended'),
    ('arrears', 'suspended', 'suspended'),
    ('closing', 'suspended', 'suspended'),
    ('suspended', 'restored', 'arrears'),
    ('suspended', 'restored', 'consent');

-- What a payment that was cancelled stood for, another one stands for, or nobody owes.
ALTER TABLE transit_charges ADD COLUMN cancelled boolean NOT NULL DEFAULT false;
ALTER TABLE transit_charges ADD CHECK (NOT cancelled OR NOT (paid OR behind));

-- 'withdrawn': what was advanced for a payment that was cancelled.
ALTER TABLE transit_ledger DROP CONSTRAINT transit_ledger_what_check;
ALTER TABLE transit_ledger ADD CONSTRAINT transit_ledger_what_check CHECK (
    what IN ('priced', 'repriced', 'paid', 'advanced', 'withdrawn', 'recovered', 'refunded'));

-- Who is under way, and what lately let somebody through, of one account.
CREATE INDEX transit_trips_under_way ON transit_trips (account) WHERE state = 'open';
CREATE INDEX transit_grants_live ON transit_grants (account, expires_at);
