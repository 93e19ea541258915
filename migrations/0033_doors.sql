-- The doors of a community, as its own list of residents names them: enough to compare, and to knock at. Nobody's name
-- stands here: names are keyed hashes, of which the one that somebody says can be found again and no other one read.
-- door: keyed hash of place and room. sealed: the room, and what the list says of the door. names: of who lives there.
CREATE TABLE community_doors (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place     text        NOT NULL REFERENCES community_places (id),
    door      bytea       NOT NULL UNIQUE CHECK (octet_length(door) = 16),
    sealed    bytea       NOT NULL CHECK (octet_length(sealed) > 29),
    names     bytea[]     NOT NULL,
    loaded_at timestamptz NOT NULL
);
CREATE INDEX community_doors_place ON community_doors (place text_pattern_ops);
