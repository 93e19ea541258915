"""The hospital's statements on moving a booking to another period."""

from dataclasses import dataclass

from core.stores.database import Database, Transaction
from services.hospital.store import At, Refusal, refusal_of


@dataclass(frozen=True, slots=True)
class Move:
    """What is moved where, by whom, and the key its events carry."""

    booking: str
    period: str
    citizen: str
    key: str


async def move(tx: Transaction, wanted: Move, at: At) -> Refusal | None:
    """Take the new unit and free the old one in one round trip; None when it was done."""
    row = await tx.fetchrow(
        "SELECT refusal, at FROM move_booking($1, $2, $3, $4, $5, $6)",
        wanted.booking,
        wanted.citizen,
        wanted.period,
        wanted.key,
        at.now,
        at.rules,
    )
    return refusal_of(row)


async def return_limit(db: Database, booking: str, at: At) -> Refusal | None:
    """Why a booking is not given back any more; only a hint, `move` and `cancel` decide."""
    return refusal_of(
        await db.fetchrow("SELECT refusal, at FROM return_limit($1, $2, $3)", booking, at.now, at.rules)
    )
