"""The statements on who looked at whose reports and records, one function each."""

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: by a citizen, of a person's, what, and whose institution it came from."""

    citizen: str
    person: str
    what: str
    institution: str


async def note(tx: Transaction, reading: Reading, binding: int, at: datetime) -> int:
    """Write one down."""
    return int(
        await tx.fetchval(
            """
            INSERT INTO access_events (at, citizen, person, binding, what, institution)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING id
            """,
            at,
            reading.citizen,
            reading.person,
            binding,
            reading.what,
            reading.institution,
        )
    )


async def binding(tx: Transaction, reading: Reading) -> Row | None:
    """The binding under which a citizen reads what is a person's; kept as it is until the commit."""
    return await tx.fetchrow(
        """
        SELECT id, relation FROM bindings
        WHERE citizen = $1 AND person = $2 AND state = 'active' AND $3 = ANY(scopes) FOR SHARE
        """,
        reading.citizen,
        reading.person,
        reading.what,
    )


async def page(db: Reader, person: str, before: int | None, limit: int) -> list[Row]:
    """The readings of a person's, the latest first, with what their bindings say of who it was."""
    return await db.fetch(
        """
        SELECT e.id, e.at, e.what, e.institution, b.id AS binding, b.relation, b.asker, b.ticket
        FROM access_events e JOIN bindings b ON b.id = e.binding
        WHERE e.person = $1 AND ($2::bigint IS NULL OR e.id < $2) ORDER BY e.id DESC LIMIT $3
        """,
        person,
        before,
        limit,
    )


async def untold(db: Database, day: date, limit: int) -> list[str]:
    """The persons with readings they were not told of, who have not been told of any today."""
    rows = await db.fetch(
        """
        SELECT DISTINCT e.person FROM access_events e LEFT JOIN access_digests d ON d.person = e.person
        WHERE e.id > coalesce(d.told, 0) AND (d.day IS NULL OR d.day < $1) ORDER BY e.person LIMIT $2
        """,
        day,
        limit,
    )
    return [row["person"] for row in rows]


async def digest(tx: Transaction, person: str) -> Row:
    """How a person is told, and up to which reading they were; nobody else tells them meanwhile."""
    await tx.execute("INSERT INTO access_digests (person) VALUES ($1) ON CONFLICT DO NOTHING", person)
    found = await tx.fetchrow("SELECT * FROM access_digests WHERE person = $1 FOR UPDATE", person)
    if found is None:
        raise LookupError(person)
    return found


async def count_since(tx: Transaction, person: str, told: int) -> int:
    """How many readings a person was not told of."""
    return int(
        await tx.fetchval("SELECT count(*) FROM access_events WHERE person = $1 AND id > $2", person, told)
    )


async def told(tx: Transaction, person: str, upto: int, day: date | None) -> None:
    """Note up to which reading a person was told; on which day, if that was the day's digest."""
    await tx.execute(
        "UPDATE access_digests SET told = greatest(told, $2), day = coalesce($3, day) WHERE person = $1",
        person,
        upto,
        day,
    )


async def mode(db: Reader, person: str) -> str:
    """Whether a person is told daily, or each time."""
    found: str | None = await db.fetchval("SELECT mode FROM access_digests WHERE person = $1", person)
    return found or "daily"


async def choose(tx: Transaction, person: str, chosen: str) -> None:
    """Let a person be told otherwise."""
    await tx.execute(
        """
        INSERT INTO access_digests (person, mode) VALUES ($1, $2)
        ON CONFLICT (person) DO UPDATE SET mode = excluded.mode
        """,
        person,
        chosen,
    )


async def selves(tx: Transaction, person: str) -> list[Row]:
    """The citizens who are this person, and the bindings that say so."""
    return await tx.fetch(
        """
        SELECT id AS binding, citizen FROM bindings
        WHERE person = $1 AND relation = 'self' AND state = 'active' ORDER BY id
        """,
        person,
    )
