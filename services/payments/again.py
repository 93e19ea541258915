"""What a person has asked for anew: a debt that was given up, or a refund that failed."""

from core.clock import Clock
from core.stores.database import Database
from services.payments import refunds_store, store
from services.payments.contracts_store import Step

MOST_REASON = 200


async def again(db: Database, clock: Clock, name: str, who: str, reason: str) -> bool:
    """Begin anew with a payment (`stopped`) or a refund (`failed`); False for anything else.

    The next round of the jobs asks; who did this, and why, stands in `payment_events`.
    """
    if not who or not reason or len(reason) > MOST_REASON:
        raise ValueError(f"say who does it and why, in at most {MOST_REASON} characters")
    now = clock.now()
    if await store.again(db, name, Step("owed", "again", who, reason, now)):
        return True
    return await refunds_store.again(db, name, Step("due", "asked_again", who, reason, now))
