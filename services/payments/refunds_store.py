"""The statements of refunds, one function each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.stores.database import Database, Transaction
from services.payments.contracts_store import Step
from services.payments.model import RefundState
from services.payments.queue import Queue

OPEN = Queue("pay_refunds", "state = 'due'", "next_at")
_REFUND = """
SELECT r.id, r.try AS try_id, r.amount_fen, r.why, r.state, r.asked_at, t.payment, t.extra,
       t.amount_fen AS paid_fen
FROM pay_refunds r JOIN pay_tries t ON t.id = r.try
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A refund, and the try it goes back of."""

    id: str
    try_id: str
    amount_fen: int
    why: str
    state: RefundState
    asked_at: datetime
    payment: str
    extra: bool
    paid_fen: int


def _row(found: Any) -> Row:
    values = dict(found)
    values["state"] = RefundState(values["state"])
    return Row(**values)


async def same(tx: Transaction, try_id: str, why: str) -> Row | None:
    """The refund that was asked for before for the same reason."""
    found = await tx.fetchrow(_REFUND + "WHERE r.try = $1 AND r.why = $2", try_id, why)
    return _row(found) if found else None


async def reserve(tx: Transaction, try_id: str, amount_fen: int) -> bool:
    """Let so much of what was paid go back; False where it would be more than was paid."""
    reserved = await tx.fetchval(
        """
        UPDATE pay_tries SET refunding_fen = refunding_fen + $2
        WHERE id = $1 AND state = 'paid' AND refunding_fen + $2 <= amount_fen RETURNING true
        """,
        try_id,
        amount_fen,
    )
    return reserved is not None


async def add(tx: Transaction, row: tuple[str, str, int, str], step: Step) -> None:
    """Write down a refund: id, try, amount and why."""
    await tx.execute(
        """
        INSERT INTO pay_refunds
            (id, try, amount_fen, why, state, asked_at, next_at, what, who, key, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, $6)
        """,
        *row,
        step.state,
        step.at,
        step.what,
        step.who,
        step.key,
    )


async def find(db: Database | Transaction, refund_id: str) -> Row | None:
    found = await db.fetchrow(_REFUND + "WHERE r.id = $1", refund_id)
    return _row(found) if found else None


async def move(tx: Transaction, refund_id: str, step: Step, reason: str, next_at: datetime | None) -> None:
    await tx.execute(
        """
        UPDATE pay_refunds SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               reason = $7, next_at = $8, busy_until = NULL
        WHERE id = $1
        """,
        refund_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        reason[:100],
        next_at,
    )


async def again(db: Database, refund_id: str, step: Step) -> bool:
    """Ask for a refund that failed once more, under its number; False for one that did not."""
    told = await db.execute(
        """
        UPDATE pay_refunds SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_at = $6, asked_at = $6
        WHERE id = $1 AND state = 'failed'
        """,
        refund_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
    )
    return told == "UPDATE 1"


async def arrived(tx: Transaction, try_id: str, amount_fen: int) -> None:
    """So much of what was paid has gone back."""
    await tx.execute(
        "UPDATE pay_tries SET refunded_fen = refunded_fen + $2 WHERE id = $1", try_id, amount_fen
    )
