"""The statements on accounts, one function each."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from core.stores.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Step:
    """Who takes a step of an account, the key of its event, and when."""

    who: str
    key: str
    at: datetime


Live = tuple[str, str, datetime, int, int, int]


async def lock(tx: Transaction, citizen: str) -> None:
    """Let nobody else open an account for a citizen until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"transit:{citizen}")


async def live(db: Database | Transaction, citizen: str) -> Live | None:
    """The account of a citizen that is not closed: id, state, since, trips behind, their fen, trips open."""
    row = await db.fetchrow(
        """
        SELECT a.id, a.state, a.since, count(t.id) FILTER (WHERE t.money = 'arrears'),
               coalesce(sum(t.fare_fen) FILTER (WHERE t.money = 'arrears'), 0)::integer,
               count(t.id) FILTER (WHERE t.state = 'open')
        FROM transit_accounts a LEFT JOIN transit_trips t
            ON t.account = a.id AND (t.money = 'arrears' OR t.state = 'open')
        WHERE a.citizen = $1 AND a.state <> 'closed' GROUP BY a.id ORDER BY a.since, a.id LIMIT 1
        """,
        citizen,
    )
    return None if row is None else (row[0], row[1], row[2], row[3], row[4], row[5])


async def closing(db: Database, citizen: str | None) -> list[tuple[str, str]]:
    """Accounts (of one citizen, or all) that are closing and have nothing open, and whose they are."""
    rows = await db.fetch(
        """
        SELECT a.id, a.citizen FROM transit_accounts a
        WHERE a.state = 'closing' AND ($1::text IS NULL OR a.citizen = $1)
        AND NOT EXISTS (SELECT FROM transit_due d WHERE d.account = a.id)
        AND NOT EXISTS (SELECT FROM transit_trips t WHERE t.account = a.id
                        AND (t.state = 'open' OR t.money IN ('owed', 'arrears')))
        """,
        citizen,
    )
    return [(row[0], row[1]) for row in rows]


async def add(tx: Transaction, citizen: str, step: Step) -> str:
    """Open an account: it waits for its contract."""
    account = f"t_{secrets.token_urlsafe(12)}"
    await tx.execute(
        """
        INSERT INTO transit_accounts (id, citizen, state, since, what, who, key, changed_at)
        VALUES ($1, $2, 'consent', $5, 'asked', $3, $4, $5)
        """,
        account,
        citizen,
        step.who,
        step.key,
        step.at,
    )
    return account


async def step(tx: Transaction, account: str, what: str, step: Step) -> bool:
    """Take a step where it leads on from how the account stands; whether it did."""
    told = await tx.execute(
        """
        UPDATE transit_accounts a
        SET state = t.new, step = a.step + 1, what = $2, who = $3, key = $4, changed_at = $5
        FROM transit_transitions t WHERE a.id = $1 AND t.old = a.state AND t.what = $2
        """,
        account,
        what,
        step.who,
        step.key,
        step.at,
    )
    return told == "UPDATE 1"
