"""The hospital's statements on moving a booking to another period."""

from dataclasses import dataclass

from core.stores.database import Database, Transaction
from services.hospital.store import At, Refusal, Return, refusal_of, unseen


@dataclass(frozen=True, slots=True)
class Move:
    """What is moved where."""

    old: Return
    period: str


async def move(tx: Transaction, wanted: Move, at: At) -> Refusal | None:
    """Take the new unit and free the old one in one round trip; None when it was done."""
    row = await tx.fetchrow(
        "SELECT refusal, at FROM move_booking($1, $2, $3, $4, $5, $6)",
        wanted.old.booking,
        wanted.old.citizen,
        wanted.period,
        wanted.old.key,
        at.now,
        at.rules,
    )
    return refusal_of(row) or await unseen(tx, wanted.old)


async def return_limit(db: Database, booking: str, at: At) -> Refusal | None:
    """Why a booking is not given back any more; only a hint, `move` and `cancel` decide."""
    return refusal_of(
        await db.fetchrow("SELECT refusal, at FROM return_limit($1, $2, $3)", booking, at.now, at.rules)
    )
