-- Who is erased rides no more: whatever the account was, it is closed.
INSERT INTO transit_transitions (old, what, new) VALUES
    ('consent', 'erased', 'closed'),
    ('active', 'erased', 'closed'),
    ('arrears', 'erased', 'closed'),
    ('suspended', 'erased', 'closed'),
    ('closing', 'erased', 'closed');
