"""The statements by which a citizen is erased, one function each."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction


async def conversations(db: Reader, citizen: str) -> list[str]:
    """Where a citizen writes."""
    rows = await db.fetch("SELECT conversation FROM accounts WHERE citizen = $1 ORDER BY 1", citizen)
    return [row["conversation"] for row in rows]


async def oneself(db: Reader, citizen: str) -> list[str]:
    """The persons a citizen is, and was before they had proven who they are."""
    rows = await db.fetch(
        """
        SELECT DISTINCT person FROM bindings
        WHERE citizen = $1 AND relation IN ('self', 'former') AND state = 'active' ORDER BY 1
        """,
        citizen,
    )
    return [row["person"] for row in rows]


async def accounts(db: Reader, citizen: str) -> list[Row]:
    """The accounts of a citizen."""
    return await db.fetch(
        "SELECT account, following, since FROM accounts WHERE citizen = $1 ORDER BY since", citizen
    )


async def history(db: Reader, citizen: str) -> list[Row]:
    """What happened to a citizen's account and bindings."""
    return await db.fetch(
        "SELECT at, what, relation, scopes, old, new FROM citizen_events WHERE citizen = $1 ORDER BY id",
        citizen,
    )


async def ever_held(tx: Transaction, citizen: str) -> list[str]:
    """Everybody a citizen ever was or could act for."""
    rows = await tx.fetch(
        "SELECT DISTINCT person FROM bindings WHERE citizen = $1 AND person IS NOT NULL ORDER BY 1", citizen
    )
    return [row["person"] for row in rows]


async def clear_persons(tx: Transaction, persons: Sequence[str]) -> int:
    """Take the name from those persons whom nobody may act for any more; how many had one."""
    rows = await tx.fetch(
        """
        UPDATE persons p SET name = NULL, id_number = NULL, identity = NULL
        WHERE id = ANY($1) AND identity IS NOT NULL
          AND NOT EXISTS (SELECT FROM bindings b WHERE b.person = p.id AND b.state = 'active')
        RETURNING id
        """,
        persons,
    )
    cleared = [row["id"] for row in rows]
    await tx.execute("DELETE FROM patient_references WHERE person = ANY($1)", cleared)
    return len(cleared)


async def drop_accounts(tx: Transaction, citizen: str) -> int:
    """Forget the ways to a citizen, what joins their accounts, and their logins on pages."""
    await tx.execute(
        "DELETE FROM logins WHERE conversation IN (SELECT conversation FROM accounts WHERE citizen = $1)",
        citizen,
    )
    rows = await tx.fetch("DELETE FROM accounts WHERE citizen = $1 RETURNING 1", citizen)
    await drop_unionid(tx, citizen)
    return len(rows)


async def drop_unionid(tx: Transaction, citizen: str) -> None:
    """Forget what joins a citizen's accounts."""
    await tx.execute("UPDATE citizens SET unionid = NULL WHERE id = $1", citizen)


async def citizen_of(tx: Transaction, conversation: str) -> str | None:
    """The citizen behind a conversation."""
    found: str | None = await tx.fetchval(
        "SELECT citizen FROM accounts WHERE conversation = $1", conversation
    )
    return found


async def drop_left_accounts(db: Database, before: datetime) -> int:
    """Forget the accounts that were left before then by citizens who still follow another one."""
    return int(
        await db.fetchval(
            """
            WITH gone AS (
                DELETE FROM accounts a WHERE NOT following
                  AND EXISTS (SELECT FROM accounts o WHERE o.citizen = a.citizen AND o.following)
                  AND coalesce((SELECT max(at) FROM citizen_events e WHERE e.citizen = a.citizen
                                AND e.what = 'left' AND e.key = a.conversation), a.heard_at) < $1
                RETURNING 1
            ) SELECT count(*) FROM gone
            """,
            before,
        )
    )


async def all_bound(tx: Transaction, persons: Sequence[str], but: str) -> list[Row]:
    """The bindings of others to these persons."""
    return await tx.fetch(
        """
        SELECT id, citizen FROM bindings
        WHERE person = ANY($1) AND citizen <> $2 AND state = 'active' ORDER BY id
        """,
        persons,
        but,
    )
