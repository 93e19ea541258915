"""The statements of staff, one function each; the time is the caller's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.stores.database import Database, Transaction
from services.staff.model import Deed, Member, Role, Session


@dataclass(frozen=True, slots=True)
class Kept:
    """A member with the hash of their password."""

    member: Member
    password: str


@dataclass(frozen=True, slots=True)
class Tried:
    """How often a password was tried under a key, and since when that counts."""

    tries: int
    since: datetime


def _member(row: asyncpg.Record) -> Member:
    return Member(
        row["id"],
        row["name"],
        frozenset(Role(each) for each in row["roles"]),
        frozenset(row["scopes"]),
        row["since"],
        row["disabled_at"],
    )


async def add(tx: Transaction, member: Member, password: str) -> bool:
    added = await tx.fetchval(
        """
        INSERT INTO staff_members (id, name, password, roles, scopes, since, password_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (name) DO NOTHING RETURNING true
        """,
        member.id,
        member.name,
        password,
        sorted(member.roles),
        sorted(member.scopes),
        member.since,
    )
    return added is not None


async def named(at: Database | Transaction, name: str) -> Kept | None:
    row = await at.fetchrow("SELECT * FROM staff_members WHERE name = $1", name)
    return None if row is None else Kept(_member(row), row["password"])


async def page(db: Database, after: str, limit: int) -> list[Member]:
    """Members in the order of their names, from behind one of them."""
    rows = await db.fetch("SELECT * FROM staff_members WHERE name > $1 ORDER BY name LIMIT $2", after, limit)
    return [_member(row) for row in rows]


async def set_password(tx: Transaction, member: str, password: str, now: datetime) -> None:
    await tx.execute(
        "UPDATE staff_members SET password = $2, password_at = $3 WHERE id = $1", member, password, now
    )


async def replace_password(tx: Transaction, kept: Kept, password: str, now: datetime) -> bool:
    """Give a member another password if they have this one still and may come; False if not."""
    replaced = await tx.fetchval(
        """
        UPDATE staff_members SET password = $3, password_at = $4
        WHERE id = $1 AND password = $2 AND disabled_at IS NULL RETURNING true
        """,
        kept.member.id,
        kept.password,
        password,
        now,
    )
    return replaced is not None


async def rehash(tx: Transaction, member: str, old: str, new: str) -> None:
    """Keep the same password at other costs, unless it was changed meanwhile."""
    await tx.execute(
        "UPDATE staff_members SET password = $3 WHERE id = $1 AND password = $2", member, old, new
    )


async def set_disabled(tx: Transaction, member: str, at: datetime | None) -> bool:
    """Shut a member out, or let them in again; False if that is how it was."""
    changed = await tx.fetchval(
        """
        UPDATE staff_members SET disabled_at = $2
        WHERE id = $1 AND (disabled_at IS NULL) <> ($2::timestamptz IS NULL) RETURNING true
        """,
        member,
        at,
    )
    return changed is not None


async def set_work(tx: Transaction, member: str, roles: Collection[str], scopes: Collection[str]) -> None:
    await tx.execute(
        "UPDATE staff_members SET roles = $2, scopes = $3 WHERE id = $1",
        member,
        sorted(roles),
        sorted(scopes),
    )


async def open_session(tx: Transaction, token: bytes, kept: Kept, now: datetime) -> bool:
    """Log a member in whose password is still the one that was looked at, and who may still come.

    The lock makes a change of either wait, and that change then ends this session, too.
    """
    opened = await tx.fetchval(
        """
        WITH m AS (
            SELECT id FROM staff_members WHERE id = $2 AND password = $3 AND disabled_at IS NULL FOR SHARE
        )
        INSERT INTO staff_sessions (token, member, opened_at, seen_at) SELECT $1, id, $4, $4 FROM m
        RETURNING true
        """,
        token,
        kept.member.id,
        kept.password,
        now,
    )
    return opened is not None


async def session(
    db: Database, token: bytes, idle_since: datetime, opened_since: datetime
) -> tuple[Session, datetime] | None:
    """Return the session of a token and when it was last seen, if it is neither idle nor old."""
    row = await db.fetchrow(
        """
        SELECT m.*, s.opened_at, s.seen_at FROM staff_sessions s JOIN staff_members m ON m.id = s.member
        WHERE s.token = $1 AND s.seen_at > $2 AND s.opened_at > $3 AND m.disabled_at IS NULL
        """,
        token,
        idle_since,
        opened_since,
    )
    return None if row is None else (Session(_member(row), row["opened_at"]), row["seen_at"])


async def seen(db: Database, token: bytes, now: datetime) -> None:
    await db.execute("UPDATE staff_sessions SET seen_at = $2 WHERE token = $1 AND seen_at < $2", token, now)


async def close(tx: Transaction, token: bytes) -> str | None:
    """End a session; whose it was."""
    member: str | None = await tx.fetchval(
        "DELETE FROM staff_sessions WHERE token = $1 RETURNING member", token
    )
    return member


async def close_all(tx: Transaction, member: str) -> None:
    await tx.execute("DELETE FROM staff_sessions WHERE member = $1", member)


async def count_try(db: Database, key: str, most: int, now: datetime, old: datetime) -> Tried:
    """Count a password that is about to be tried; those before `old` count no more.

    The time stands still once there were `most`: who is locked out does not make it longer by trying.
    """
    row = await db.fetchrow(
        """
        INSERT INTO staff_tries AS t (key, tries, since) VALUES ($1, 1, $3)
        ON CONFLICT (key) DO UPDATE SET
            tries = CASE WHEN t.since <= $4 THEN 1 ELSE least(t.tries, 1000000) + 1 END,
            since = CASE WHEN t.since <= $4 OR t.tries < $2 THEN $3 ELSE t.since END
        RETURNING tries, since
        """,
        key,
        most,
        now,
        old,
    )
    if row is None:
        raise RuntimeError("RETURNING returned nothing")
    return Tried(row["tries"], row["since"])


async def forget_tries(tx: Transaction, name_key: str, address_key: str) -> None:
    """After a right password: its name has a clean slate, its address one try fewer."""
    await tx.execute(
        "DELETE FROM staff_tries WHERE key = $1 OR (key = $2 AND tries = 1)", name_key, address_key
    )
    await tx.execute("UPDATE staff_tries SET tries = tries - 1 WHERE key = $1 AND tries > 1", address_key)


async def note(at: Database | Transaction, deed: Deed) -> None:
    """Write a line of the audit; its number is drawn here."""
    await at.execute(
        "INSERT INTO staff_audit (at, who, what, object, outcome) VALUES ($1, $2, $3, $4, $5)",
        deed.at,
        deed.who,
        deed.what,
        deed.object,
        deed.outcome,
    )


async def trail(db: Database, who: str, before: int | None, limit: int) -> list[Deed]:
    """The audit, the latest first; of one member, or of everybody for ""."""
    rows = await db.fetch(
        """
        SELECT id, at, who, what, object, outcome FROM staff_audit
        WHERE ($1 = '' OR who = $1) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
        """,
        who,
        before,
        limit,
    )
    return [Deed(**dict(row)) for row in rows]
