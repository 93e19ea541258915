-- Messages for the human desk get short numbers, which a citizen can read out on the phone.
CREATE SEQUENCE desk_numbers START 10001;
