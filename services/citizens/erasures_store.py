"""The statements on what is to be erased and on receipts of what was, one function each."""

from collections.abc import Mapping
from datetime import datetime

import asyncpg
import msgspec

from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction


async def lock(tx: Transaction, citizen: str) -> None:
    """Let nobody else ask for, take back or do an erasure of this citizen until the transaction ends."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"erasure:{citizen}")


async def waiting_of(db: Reader, citizen: str) -> Row | None:
    """The erasure a citizen waits for; who asked for one waits for that."""
    return await db.fetchrow(
        "SELECT * FROM erasures WHERE citizen = $1 AND state = 'waiting' ORDER BY why, asked_at LIMIT 1",
        citizen,
    )


async def add(tx: Transaction, receipt: str, citizen: str, why: str, at: datetime, due_at: datetime) -> None:
    """Write down that a citizen is to be erased."""
    await tx.execute(
        "INSERT INTO erasures (receipt, citizen, why, asked_at, due_at) VALUES ($1, $2, $3, $4, $5)",
        receipt,
        citizen,
        why,
        at,
        due_at,
    )


async def withdraw(tx: Transaction, citizen: str, now: datetime, why: str | None = None) -> int:
    """Take back what waits; how many it were."""
    rows = await tx.fetch(
        """
        UPDATE erasures SET state = 'withdrawn', ended_at = $2
        WHERE citizen = $1 AND state = 'waiting' AND ($3::text IS NULL OR why = $3) RETURNING 1
        """,
        citizen,
        now,
        why,
    )
    return len(rows)


async def finish(
    tx: Transaction,
    now: datetime,
    done: tuple[Mapping[str, int], Mapping[str, int]],
    hashes: Mapping[str, bytes],
) -> None:
    """Write the receipts of an erasure; from here on they say of nobody."""
    erased, kept = (msgspec.json.encode(each).decode() for each in done)
    for receipt, digest in hashes.items():
        await tx.execute(
            """
            UPDATE erasures SET state = 'done', ended_at = $2, counts = $3, kept = $4, hash = $5,
                                citizen = NULL
            WHERE receipt = $1
            """,
            receipt,
            now,
            erased,
            kept,
            digest,
        )


async def receipts_of(tx: Transaction, citizen: str) -> list[str]:
    """The receipts a citizen's erasure is told under."""
    rows = await tx.fetch(
        "SELECT receipt FROM erasures WHERE citizen = $1 AND state = 'waiting' ORDER BY 1", citizen
    )
    return [row["receipt"] for row in rows]


async def receipt(db: Reader, number: str) -> Row | None:
    """What a receipt says."""
    return await db.fetchrow("SELECT * FROM erasures WHERE receipt = $1", number)


async def waiting(db: Reader, after: tuple[datetime, str] | None, limit: int) -> list[Row]:
    """The next citizens that wait to be erased, the oldest first."""
    at, receipt_ = after or (None, "")
    return await db.fetch(
        """
        SELECT * FROM erasures
        WHERE state = 'waiting' AND ($1::timestamptz IS NULL OR (asked_at, receipt) > ($1, $2))
        ORDER BY asked_at, receipt LIMIT $3
        """,
        at,
        receipt_,
        limit,
    )


async def asked(db: Reader, limit: int) -> list[Row]:
    """What citizens asked to be erased and what waits still, the oldest first."""
    return await db.fetch(
        """
        SELECT receipt, asked_at FROM erasures WHERE state = 'waiting' AND why = 'asked'
        ORDER BY asked_at, receipt LIMIT $1
        """,
        limit,
    )


async def leavers(db: Reader, limit: int) -> list[Row]:
    """Citizens who follow none of our accounts any more, and since when, who are not to be erased yet."""
    return await db.fetch(
        """
        SELECT a.citizen, coalesce(max(e.at), now()) AS left_at
        FROM (SELECT citizen FROM accounts GROUP BY citizen HAVING NOT bool_or(following)) a
        LEFT JOIN citizen_events e ON e.citizen = a.citizen AND e.what = 'left'
        WHERE NOT EXISTS (SELECT FROM erasures x WHERE x.citizen = a.citizen AND x.state = 'waiting')
        GROUP BY a.citizen ORDER BY 2, 1 LIMIT $1
        """,
        limit,
    )


async def follows(tx: Transaction, citizen: str) -> bool:
    """Tell whether a citizen follows one of our accounts."""
    return bool(await tx.fetchval("SELECT true FROM accounts WHERE citizen = $1 AND following", citizen))
