-- What a hospital publishes for those who come: hours, where numbers are collected, what to bring, insurance.

ALTER TABLE hospitals
    ADD COLUMN opening    text NOT NULL DEFAULT '',
    ADD COLUMN collecting text NOT NULL DEFAULT '',
    ADD COLUMN bring      text NOT NULL DEFAULT '',
    ADD COLUMN insurance  text NOT NULL DEFAULT '';
