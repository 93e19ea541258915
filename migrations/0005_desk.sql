-- What citizens left for a human being to read; the words are sealed.
CREATE TABLE desk_messages (
    id           text        PRIMARY KEY,
    conversation text        NOT NULL,
    sealed       bytea       NOT NULL,
    left_at      timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz,
    closed_by    text,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX desk_messages_open ON desk_messages (left_at, id) WHERE closed_at IS NULL;
CREATE INDEX desk_messages_all ON desk_messages (left_at, id);
