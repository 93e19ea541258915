-- What was given up is tried anew once a person has put right what was in the way.
INSERT INTO payment_transitions (machine, old, what, new) VALUES ('payment', 'stopped', 'again', 'owed');
