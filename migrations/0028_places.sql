-- Community: where people live. A district, a street and a community go by their statistical codes (6, 9 and 12
-- digits, each beginning with the one above); what is below by its community's code and a word of chance. So whoever
-- works for a code works for whatever begins with it.
CREATE TABLE community_places (
    id         text        PRIMARY KEY CHECK (id ~ '^[0-9]{6}([0-9]{3}([0-9]{3}(-[a-z2-7]{8})?)?)?$'),
    parent     text        REFERENCES community_places (id),
    kind       text        NOT NULL
               CHECK (kind IN ('district', 'street', 'community', 'grid', 'compound', 'building', 'unit')),
    name       text        NOT NULL CHECK (name <> ''),
    households integer     CHECK (households >= 0),  -- of a building without units, or of a unit
    added_at   timestamptz NOT NULL,
    CHECK ((parent IS NULL) = (kind = 'district')),
    CHECK (households IS NULL OR kind IN ('building', 'unit')),
    UNIQUE (parent, kind, name)
);
CREATE INDEX community_places_below ON community_places (id text_pattern_ops);
