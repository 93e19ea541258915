"""The statements of logins on citizens' pages, one function each; the time is the caller's."""

from datetime import datetime

from core.stores.database import Database, Transaction


async def use(db: Database, state: bytes, code: bytes, now: datetime, until: datetime) -> bool:
    """Note that a state and a code were used; False if either was before, also a moment ago."""
    used = await db.fetchval(
        """
        INSERT INTO logins (state, code, at, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING RETURNING true
        """,
        state,
        code,
        now,
        until,
    )
    return used is not None


async def open_session(
    db: Database, state: bytes, session: bytes, conversation: str, until: datetime
) -> bool:
    """Let a session come of a login, once."""
    opened = await db.fetchval(
        """
        UPDATE logins SET session = $2, conversation = $3, until = $4
        WHERE state = $1 AND session IS NULL RETURNING true
        """,
        state,
        session,
        conversation,
        until,
    )
    return opened is not None


async def citizen(db: Database, session: bytes, conversation: str, now: datetime) -> str | None:
    """Return who is behind the conversation of a session that is still open."""
    found: str | None = await db.fetchval(
        """
        SELECT a.citizen FROM logins l JOIN accounts a USING (conversation)
        WHERE l.session = $1 AND l.conversation = $2 AND l.closed_at IS NULL AND l.until > $3
        """,
        session,
        conversation,
        now,
    )
    return found


async def close(db: Database, session: bytes, now: datetime) -> None:
    await db.execute(
        "UPDATE logins SET closed_at = $2 WHERE session = $1 AND closed_at IS NULL", session, now
    )


async def close_all(at: Database | Transaction, citizen: str, now: datetime) -> None:
    """Close every session of a citizen, through whichever account they came."""
    await at.execute(
        """
        UPDATE logins l SET closed_at = $2 FROM accounts a
        WHERE a.citizen = $1 AND l.conversation = a.conversation AND l.closed_at IS NULL
        """,
        citizen,
        now,
    )
