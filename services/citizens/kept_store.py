"""The statements on dialogues that wait for a request, one function each."""

from datetime import datetime

import asyncpg

from core.stores.database import Transaction
from services.citizens.bindings_store import Reader


async def keep(tx: Transaction, number: int, sealed: bytes, title: str, until: datetime) -> None:
    """Keep one; the same request has one."""
    await tx.execute(
        """
        INSERT INTO kept_dialogues (binding, sealed, title, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (binding) DO UPDATE
        SET sealed = excluded.sealed, title = excluded.title, until = excluded.until
        """,
        number,
        sealed,
        title,
        until,
    )


async def kept(db: Reader, number: int, now: datetime) -> asyncpg.Record | None:
    """The one of a request."""
    return await db.fetchrow("SELECT * FROM kept_dialogues WHERE binding = $1 AND until > $2", number, now)


async def prolong(tx: Transaction, number: int, now: datetime, until: datetime) -> str:
    """Keep it until then; its title, "" if there is none."""
    title: str | None = await tx.fetchval(
        "UPDATE kept_dialogues SET until = $3 WHERE binding = $1 AND until > $2 RETURNING title",
        number,
        now,
        until,
    )
    return title or ""


async def titles(db: Reader, numbers: list[int]) -> dict[int, str]:
    """What the kept dialogues of these requests are called."""
    rows = await db.fetch("SELECT binding, title FROM kept_dialogues WHERE binding = ANY($1)", numbers)
    return {row["binding"]: row["title"] for row in rows}


async def drop(tx: Transaction, number: int) -> None:
    """Forget the one of a request."""
    await tx.execute("DELETE FROM kept_dialogues WHERE binding = $1", number)
