"""The statements on accounts, one function each."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from core.stores.database import Database, Transaction
from services.transit.model import State

# Trips of which something is behind, and how much really is: not what was asked for, of a trip that became
# cheaper while a try was under way. Of a citizen ($1), whichever of their accounts it is.
BEHIND = """
SELECT t.id, least(
    sum(c.fen) FILTER (WHERE c.behind),
    t.fare_fen - coalesce(sum(c.fen - c.refunding_fen) FILTER (WHERE c.paid), 0))::integer AS fen
FROM transit_accounts a JOIN transit_trips t ON t.account = a.id AND t.money = 'arrears'
JOIN transit_charges c ON c.trip = t.id AND NOT c.cancelled
WHERE a.citizen = ANY($1) GROUP BY t.id
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Who takes a step of an account, the key of its event, and when."""

    who: str
    key: str
    at: datetime


class Live(NamedTuple):
    """An account that is not closed, and what stands open of its citizen's accounts together."""

    id: str
    state: State
    since: datetime
    behind: int
    behind_fen: int
    open_trips: int


class Stands(NamedTuple):
    """An account that is not closed, of a citizen who was locked."""

    id: str
    citizen: str
    state: State


class Happened(NamedTuple):
    """A step of an account."""

    account: str
    at: datetime
    who: str
    what: str
    new: str
    key: str


async def lock(tx: Transaction, citizen: str) -> None:
    """Let nobody else open an account for a citizen until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"transit:{citizen}")


async def alone(tx: Transaction, citizens: Collection[str]) -> list[Stands]:
    """Let nobody else change accounts, trips or payments of these citizens until the transaction is over.

    Whoever changes any of them takes this first, and so waits for nobody in a circle. Taps and grants go on.
    """
    rows = await tx.fetch(
        """
        SELECT id, citizen, state FROM transit_accounts WHERE citizen = ANY($1)
        ORDER BY id FOR NO KEY UPDATE
        """,
        list(citizens),
    )
    return [Stands(row[0], row[1], State(row[2])) for row in rows if row[2] != "closed"]


async def alone_with(tx: Transaction, accounts: Collection[str]) -> dict[str, str]:
    """The same for whoever has these accounts; whose they are."""
    rows = await tx.fetch(
        """
        SELECT id, citizen FROM transit_accounts
        WHERE citizen IN (SELECT citizen FROM transit_accounts WHERE id = ANY($1))
        ORDER BY id FOR NO KEY UPDATE
        """,
        list(accounts),
    )
    return {row[0]: row[1] for row in rows}


async def kept(tx: Transaction, citizen: str) -> None:
    """Let a citizen's accounts stand as they do until the transaction is over; others may do the same."""
    await tx.execute("SELECT id FROM transit_accounts WHERE citizen = $1 ORDER BY id FOR SHARE", citizen)


async def live(db: Database | Transaction, citizen: str) -> Live | None:
    """The account of a citizen that is not closed: of two of one human a suspended one, or the oldest."""
    row = await db.fetchrow(
        f"""
        SELECT a.id, a.state, a.since, b.trips, b.fen, (
            SELECT count(*) FROM transit_accounts x JOIN transit_trips t ON t.account = x.id
            WHERE x.citizen = ANY($1) AND t.state = 'open')
        FROM (SELECT count(*) AS trips, coalesce(sum(fen), 0)::integer AS fen FROM ({BEHIND}) t) b,
             transit_accounts a
        WHERE a.citizen = ANY($1) AND a.state <> 'closed'
        ORDER BY a.state <> 'suspended', a.since, a.id LIMIT 1
        """,  # noqa: S608 - our own words
        [citizen],
    )
    return None if row is None else Live(row[0], State(row[1]), *tuple(row)[2:])


async def owed(db: Database | Transaction, citizen: str) -> tuple[int, int]:
    """How many trips of a citizen are behind, and by how much together."""
    rows = await db.fetch(BEHIND, [citizen])
    return len(rows), sum(row["fen"] for row in rows)


async def behind(tx: Transaction, citizens: Collection[str]) -> set[str]:
    """Which of these citizens are behind, with whatever account."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT a.citizen FROM transit_accounts a
        JOIN transit_trips t ON t.account = a.id AND t.money = 'arrears' WHERE a.citizen = ANY($1)
        """,
        list(citizens),
    )
    return {row[0] for row in rows}


async def is_clear(tx: Transaction, citizen: str, uploaded: datetime) -> bool:
    """Whether nothing of a citizen's is under way, owed or still to be heard of.

    No code of theirs was good after `uploaded`. What is owed from an account before counts: it is debited by
    the contract of this one.
    """
    return not await tx.fetchval(
        """
        SELECT count(*) FROM transit_accounts a WHERE a.citizen = $1 AND (
            EXISTS (SELECT FROM transit_due d WHERE d.account = a.id)
            OR EXISTS (SELECT FROM transit_trips t WHERE t.account = a.id AND t.state = 'open')
            OR EXISTS (SELECT FROM transit_trips t WHERE t.account = a.id AND t.money IN ('owed', 'arrears'))
            OR EXISTS (SELECT FROM transit_grants g WHERE g.account = a.id AND g.expires_at > $2))
        """,
        citizen,
        uploaded,
    )


async def closing(db: Database) -> list[str]:
    """Citizens who have an account that is closing."""
    rows = await db.fetch("SELECT DISTINCT citizen FROM transit_accounts WHERE state = 'closing'")
    return [row[0] for row in rows]


async def asked_to_close(tx: Transaction, accounts: Collection[str]) -> set[str]:
    """Of which of these accounts the citizen has asked to close them; they are locked (`alone`)."""
    rows = await tx.fetch(
        "SELECT DISTINCT account FROM transit_account_events WHERE account = ANY($1) AND what = 'closing'",
        list(accounts),
    )
    return {row[0] for row in rows}


async def citizen_of(db: Database | Transaction, name: str) -> str | None:
    """Who is meant by the name of an account, or by their own where they have one."""
    found: str | None = await db.fetchval(
        "SELECT citizen FROM transit_accounts WHERE id = $1 OR citizen = $1 LIMIT 1", name
    )
    return found


async def happened(db: Database, citizen: str) -> list[Happened]:
    """The last steps of a citizen's accounts, the latest first."""
    rows = await db.fetch(
        """
        SELECT e.account, e.at, e.who, e.what, e.new, e.key FROM transit_accounts a
        JOIN transit_account_events e ON e.account = a.id WHERE a.citizen = $1
        ORDER BY e.at DESC, e.account, e.step DESC LIMIT 20
        """,
        citizen,
    )
    return [Happened(*row) for row in map(tuple, rows)]


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


async def step(tx: Transaction, account: str, what: str, new: str, step: Step) -> bool:
    """Take a step where it leads there from how the account stands; whether it did."""
    told = await tx.execute(
        """
        UPDATE transit_accounts a
        SET state = t.new, step = a.step + 1, what = $2, who = $4, key = $5, changed_at = $6
        FROM transit_transitions t WHERE a.id = $1 AND t.old = a.state AND t.what = $2 AND t.new = $3
        """,
        account,
        what,
        new,
        step.who,
        step.key,
        step.at,
    )
    return told == "UPDATE 1"
