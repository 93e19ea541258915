"""The statements on what citizens want put right, and on links to their data, one function each."""

from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from core.seal import Seal
from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be put right: `kind` name, id_number or other; `words` what would be right."""

    citizen: str
    kind: str
    words: str
    made_at: datetime
    due_on: date


def opened(row: Row, seal: Seal) -> dict[str, object]:
    """A request with its words, where they are still kept."""
    words = "" if row["sealed"] is None else seal.open(row["sealed"], f"rights:{row['id']}").decode()
    shown = ("id", "kind", "state", "made_at", "due_on", "closed_at", "reason")
    return {**{key: row[key] for key in shown}, "words": words}


async def add(tx: Transaction, wanted: Wanted, seal: Seal) -> str:
    """Write one down; its number, short enough to be read out."""
    number = str(await tx.fetchval("SELECT nextval('rights_numbers')"))
    await tx.execute(
        """
        INSERT INTO rights_requests (id, citizen, kind, sealed, made_at, due_on)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        number,
        wanted.citizen,
        wanted.kind,
        seal.seal(wanted.words.encode(), f"rights:{number}"),
        wanted.made_at,
        wanted.due_on,
    )
    return number


async def of_citizen(db: Reader, citizen: str) -> list[Row]:
    """Those of a citizen, the oldest first."""
    return await db.fetch("SELECT * FROM rights_requests WHERE citizen = $1 ORDER BY made_at, id", citizen)


async def open_ones(db: Reader, limit: int) -> list[Row]:
    """Those that wait, the most urgent first."""
    return await db.fetch(
        "SELECT * FROM rights_requests WHERE state = 'open' ORDER BY due_on, id LIMIT $1", limit
    )


async def close(tx: Transaction, number: str, state: str, by: str, reason: str, now: datetime) -> Row | None:
    """Answer one; None if there is no such open one."""
    return await tx.fetchrow(
        """
        UPDATE rights_requests SET state = $2, closed_by = $3, reason = $4, closed_at = $5
        WHERE id = $1 AND state = 'open' RETURNING *
        """,
        number,
        state,
        by,
        reason,
        now,
    )


async def drop(tx: Transaction, citizen: str, now: datetime) -> int:
    """Forget the words of a citizen's requests; those that wait are over. How many there were."""
    rows = await tx.fetch(
        """
        UPDATE rights_requests
        SET sealed = NULL, state = CASE state WHEN 'open' THEN 'dropped' ELSE state END,
            closed_at = coalesce(closed_at, $2), closed_by = coalesce(closed_by, citizen)
        WHERE citizen = $1 AND sealed IS NOT NULL RETURNING 1
        """,
        citizen,
        now,
    )
    return len(rows)


async def new_export(tx: Transaction, number: str, citizen: str, now: datetime, until: datetime) -> None:
    """Make a link; those before it are over."""
    await tx.execute("UPDATE exports SET until = $2 WHERE citizen = $1 AND until > $2", citizen, now)
    await tx.execute(
        "INSERT INTO exports (id, citizen, made_at, until) VALUES ($1, $2, $3, $4)",
        number,
        citizen,
        now,
        until,
    )


async def export(db: Reader, number: str, now: datetime) -> Row | None:
    """A link whose time is not over."""
    return await db.fetchrow("SELECT * FROM exports WHERE id = $1 AND until > $2", number, now)


async def take(db: Database, number: str, citizen: str, form: str, now: datetime) -> bool:
    """Use a link for one form of the data, which can be done once; False if it cannot be done."""
    found = await db.fetchval(
        """
        UPDATE exports SET taken = taken || $3
        WHERE id = $1 AND citizen = $2 AND until > $4 AND NOT $3 = ANY(taken) RETURNING true
        """,
        number,
        citizen,
        form,
        now,
    )
    return bool(found)
