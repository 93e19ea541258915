-- Who is logged in: citizens on pages (a sealed cookie, and a row that can end it), staff in the console (ADR 0019).

----------------------------------------------------------------------------------------------------- citizens' pages

-- One row per login: that its state and WeChat's code were used, and which session came of it. `until`: when the row
-- means nothing any more. No key leads out of here: a conversation that is erased ends its sessions.
CREATE TABLE logins (
    state        bytea       PRIMARY KEY CHECK (octet_length(state) = 32),
    code         bytea       NOT NULL UNIQUE CHECK (octet_length(code) = 32),
    session      bytea       UNIQUE CHECK (octet_length(session) = 16),
    conversation text,
    at           timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    closed_at    timestamptz,
    CHECK ((session IS NULL) = (conversation IS NULL))
);
CREATE INDEX logins_conversation ON logins (conversation) WHERE closed_at IS NULL;
CREATE INDEX logins_until ON logins (until);

--------------------------------------------------------------------------------------------------------------- staff

-- name: what they type, folded. password: argon2id with its salt and costs. scopes: places and institutions, opaque.
CREATE TABLE staff_members (
    id          text        PRIMARY KEY CHECK (id ~ '^s_[A-Za-z0-9_-]{16}$'),
    name        text        NOT NULL UNIQUE,
    password    text        NOT NULL CHECK (password LIKE '$argon2id$%'),
    roles       text[]      NOT NULL CHECK (
        cardinality(roles) > 0 AND roles <@ ARRAY['clerk', 'reviewer', 'operator', 'admin']
    ),
    scopes      text[]      NOT NULL,
    since       timestamptz NOT NULL,
    password_at timestamptz NOT NULL,
    disabled_at timestamptz
);

-- token: the SHA-256 of what stands in the cookie.
CREATE TABLE staff_sessions (
    token     bytea       PRIMARY KEY CHECK (octet_length(token) = 32),
    member    text        NOT NULL REFERENCES staff_members (id),
    opened_at timestamptz NOT NULL,
    seen_at   timestamptz NOT NULL
);
CREATE INDEX staff_sessions_member ON staff_sessions (member);
CREATE INDEX staff_sessions_seen ON staff_sessions (seen_at);

-- Passwords that were tried under a name or from an address (keyed hashes: people type passwords where names belong).
CREATE TABLE staff_tries (
    key   text        PRIMARY KEY,
    tries int         NOT NULL CHECK (tries > 0),
    since timestamptz NOT NULL
);
CREATE INDEX staff_tries_since ON staff_tries (since);

-- Who did what to which object, and how it ended: ids only, no names, no addresses, no words.
CREATE TABLE staff_audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    who     text        NOT NULL CHECK (who IN ('', 'terminal') OR who ~ '^s_[A-Za-z0-9_-]{16}$'),
    what    text        NOT NULL CHECK (what ~ '^[a-z_]{1,40}$'),
    object  text        NOT NULL CHECK (length(object) <= 80),
    outcome text        NOT NULL CHECK (outcome ~ '^[a-z_]{1,40}$')
);
CREATE INDEX staff_audit_who ON staff_audit (who, id);
CREATE TRIGGER staff_audit_append_only BEFORE UPDATE OR DELETE ON staff_audit
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER staff_audit_kept BEFORE TRUNCATE ON staff_audit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
