"""The statements on grants, one function each."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from core.stores.database import Database, Transaction


class NewGrant(NamedTuple):
    """What the issuer is about to be asked to sign."""

    acct_ref: bytes
    account: str
    kind: int
    type: int
    cap_fen: int
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account used today: codes at gates and pictures; and lately: grants, companions, the last."""

    codes: int
    pictures: int
    grants: int
    companions: int
    last: datetime | None


async def lock(tx: Transaction, account: str) -> None:
    """Let nobody else count an account's codes until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"transit-codes:{account}")


async def usage(tx: Transaction, account: str, day: date, lately: datetime) -> Usage:
    """How much an account has used on a service day, and since `lately`."""
    (row,) = await tx.fetch(
        """
        SELECT (SELECT count(*) FROM transit_taps WHERE account = $1 AND day = $2 AND counted),
               count(*) FILTER (WHERE kind = 2),
               count(*) FILTER (WHERE issued_at > $3),
               count(*) FILTER (WHERE issued_at > $3 AND type = 2),
               max(issued_at)
        FROM transit_grants
        WHERE account = $1 AND issued_at >= ($2 + time '03:00') AT TIME ZONE 'Asia/Shanghai'
        """,
        account,
        day,
        lately,
    )
    return Usage(row[0], row[1], row[2], row[3], row[4])


async def add(tx: Transaction, grant: NewGrant) -> None:
    """Write a grant down before it is signed: a code that comes back leads to its account."""
    await tx.execute(
        """
        INSERT INTO transit_grants (acct_ref, account, kind, type, cap_fen, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        *grant,
    )


async def drop(db: Database, acct_ref: bytes) -> None:
    """Forget a grant of which no code was ever seen."""
    await db.execute("DELETE FROM transit_grants WHERE acct_ref = $1", acct_ref)
