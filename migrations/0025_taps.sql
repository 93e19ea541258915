-- What riders allowed goes with their taps, and what became of trips is written for all rows of a statement at once.

-- cap_fen: no ride on this code costs more (domain-rules C8). Taps from before go by the grant, where it is still there.
ALTER TABLE transit_taps ADD COLUMN cap_fen integer NOT NULL DEFAULT 16777215 CHECK (cap_fen >= 0);
UPDATE transit_taps t SET cap_fen = g.cap_fen FROM transit_grants g WHERE g.acct_ref = t.acct_ref;
