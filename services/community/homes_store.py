"""The statements on homes, one function each; the time is the caller's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction
_HOME = "h.*, community_where(h.place) AS where_"
# Whoever works for a code works for whatever begins with it (services.community.model.is_within).
_OF_MINE = "EXISTS (SELECT FROM unnest($1::text[]) s WHERE starts_with(split_part(h.place, '-', 1), s))"


@dataclass(frozen=True, slots=True)
class Step:
    """A change: what it is, when, by which member of staff ("" for the citizen or the clock).

    `sealed` takes the place of what was sealed, if that changes, too.
    """

    what: str
    state: str
    at: datetime
    by: str = ""
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class New:
    """A home that somebody asks for."""

    citizen: str
    place: str
    role: str
    until: datetime


async def alone(tx: Transaction, citizen: str) -> None:
    """Let nobody else change the homes of a citizen until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('community-homes:' || $1, 0))", citizen)


async def is_dwelling(db: Reader, place: str) -> bool:
    """Whether people live in a place itself: a unit, or a building that has none."""
    return bool(
        await db.fetchval(
            """
            SELECT EXISTS (SELECT FROM community_places WHERE id = $1 AND kind IN ('building', 'unit'))
               AND NOT EXISTS (SELECT FROM community_places WHERE parent = $1)
            """,
            place,
        )
    )


async def of_citizen(db: Reader, citizen: str) -> list[Row]:
    """Homes that a citizen has or asks for, the oldest first."""
    return await db.fetch(
        f"""
        SELECT {_HOME} FROM community_homes h
        WHERE h.citizen = $1 AND h.state IN ('requested', 'active') ORDER BY h.asked_at, h.id
        """,  # noqa: S608 - names of columns
        citizen,
    )


async def every(db: Reader, citizen: str) -> list[Row]:
    """All a citizen ever asked for, the oldest first."""
    return await db.fetch(
        f"SELECT {_HOME} FROM community_homes h WHERE h.citizen = $1 ORDER BY h.asked_at, h.id",  # noqa: S608
        citizen,
    )


async def asked_since(tx: Transaction, citizen: str, since: datetime) -> int:
    """How often a citizen asked since then."""
    asked = "SELECT count(*) FROM community_homes WHERE citizen = $1 AND asked_at > $2"
    return int(await tx.fetchval(asked, citizen, since))


async def number(tx: Transaction) -> str:
    """A number for the next home: short, because people say it at the counter."""
    return str(await tx.fetchval("SELECT nextval('community_numbers')"))


async def add(tx: Transaction, home: str, new: New, sealed: bytes, now: datetime) -> None:
    """Write a request down."""
    await tx.execute(
        """
        INSERT INTO community_homes
            (id, citizen, place, role, sealed, state, asked_at, until, what, changed_at)
        VALUES ($1, $2, $3, $4, $5, 'requested', $6, $7, 'asked', $6)
        """,
        home,
        new.citizen,
        new.place,
        new.role,
        sealed,
        now,
        new.until,
    )


async def one(db: Reader, home: str, citizen: str) -> Row | None:
    """A home of a citizen's, or none."""
    return await db.fetchrow(
        f"SELECT {_HOME} FROM community_homes h WHERE h.id = $1 AND h.citizen = $2",  # noqa: S608 - columns
        home,
        citizen,
    )


async def of_staff(db: Reader, home: str, scopes: Collection[str]) -> Row | None:
    """A home in the places that somebody works for, or none."""
    return await db.fetchrow(
        f"SELECT {_HOME} FROM community_homes h WHERE {_OF_MINE} AND h.id = $2",  # noqa: S608 - our own words
        list(scopes),
        home,
    )


async def waiting(db: Database, scopes: Collection[str], after: str, limit: int) -> list[Row]:
    """Requests in these places, the oldest first, from behind one of them on."""
    return await db.fetch(
        f"""
        SELECT {_HOME} FROM community_homes h
        WHERE {_OF_MINE} AND h.state = 'requested'
          AND ($2 = '' OR (h.asked_at, h.id) > (SELECT asked_at, id FROM community_homes WHERE id = $2))
        ORDER BY h.asked_at, h.id LIMIT $3
        """,  # noqa: S608 - our own words
        list(scopes),
        after,
        limit,
    )


async def count_waiting(db: Database, scopes: Collection[str]) -> int:
    """How many requests wait in these places."""
    count = f"SELECT count(*) FROM community_homes h WHERE {_OF_MINE} AND h.state = 'requested'"  # noqa: S608
    return int(await db.fetchval(count, list(scopes)))


async def step(tx: Transaction, home: str, before: str, step: Step) -> bool:
    """Take a step from a state; False if the home is in another one."""
    done = await tx.execute(
        """
        UPDATE community_homes
        SET state = $3, what = $4, changed_at = $5, decided_at = $5, decided_by = $6,
            sealed = coalesce($7, sealed)
        WHERE id = $1 AND state = $2
        """,
        home,
        before,
        step.state,
        step.what,
        step.at,
        step.by,
        step.sealed,
    )
    return done == "UPDATE 1"


async def overdue(db: Database, now: datetime, limit: int) -> list[Row]:
    """Requests that nobody decided in time."""
    return await db.fetch(
        f"""
        SELECT {_HOME} FROM community_homes h WHERE h.state = 'requested' AND h.until <= $1
        ORDER BY h.until LIMIT $2
        """,  # noqa: S608 - names of columns
        now,
        limit,
    )


async def active(tx: Transaction, citizen: str) -> Sequence[Row]:
    """What a citizen has, and asks for, to be ended in this transaction."""
    return await tx.fetch(
        "SELECT id, state FROM community_homes WHERE citizen = $1 AND state IN ('requested', 'active')",
        citizen,
    )


async def erase(tx: Transaction, citizen: str) -> int:
    """Remove every home of a citizen; how many."""
    removed = (
        "WITH gone AS (DELETE FROM community_homes WHERE citizen = $1 RETURNING 1) SELECT count(*) FROM gone"
    )
    return int(await tx.fetchval(removed, citizen))
