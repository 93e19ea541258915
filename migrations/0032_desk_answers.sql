-- What staff answered to messages for the human desk; the words are sealed.
CREATE TABLE desk_answers (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message text        NOT NULL REFERENCES desk_messages (id) ON DELETE CASCADE,
    sealed  bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    member  text        NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX desk_answers_message ON desk_answers (message, id);
