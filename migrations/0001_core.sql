-- What the framework itself must remember: which effects of which runs are done.
CREATE TABLE effects (
    run    text        NOT NULL,
    key    text        NOT NULL,
    digest bytea       NOT NULL,
    result text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, key)
);
CREATE INDEX effects_at ON effects (at);
