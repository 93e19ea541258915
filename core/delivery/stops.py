"""What citizens do not want to get: notices of a purpose, in a conversation, until they want them again."""

from collections.abc import Sequence
from datetime import datetime

from core.delivery import guards
from core.delivery.kinds import Kinds
from core.stores.database import Database, Transaction

NEWS = "news"  # every notice to many is of this purpose


async def stop(
    tx: Transaction, conversations: Sequence[str], purpose: str, kinds: Sequence[str], now: datetime
) -> None:
    """Send no more of a purpose; what waits of its kinds is taken back, and what a worker has in hand."""
    for conversation in sorted(conversations):
        await guards.bump(tx, guards.stop(purpose, conversation))
    await tx.execute(
        """
        INSERT INTO stops (conversation, purpose, at) SELECT unnest($1::text[]), $2, $3 ON CONFLICT DO NOTHING
        """,
        conversations,
        purpose,
        now,
    )
    await tx.execute(
        """
        UPDATE outbox SET state = CASE WHEN perhaps THEN 'unknown' ELSE 'cancelled' END, reason = 'stopped',
                          hold = '', settled_at = now(), sealed = NULL
        WHERE id IN (
            SELECT id FROM outbox WHERE id IN (
                SELECT id FROM outbox WHERE conversation = ANY($1) AND settled_at IS NULL AND job IS NULL
                UNION ALL
                SELECT o.id FROM outbox o JOIN jobs j ON j.id = o.job AND j.state IN ('running', 'stopped')
                WHERE o.conversation = ANY($1) AND o.settled_at IS NULL
            ) AND kind = ANY($2) AND state IN ('queued', 'held') ORDER BY id FOR UPDATE
        )
        """,
        conversations,
        kinds,
    )


async def resume(tx: Transaction, conversations: Sequence[str], purpose: str) -> None:
    """Send it again from now on."""
    await tx.execute(
        "DELETE FROM stops WHERE conversation = ANY($1) AND purpose = $2", conversations, purpose
    )


async def stopped(db: Database | Transaction, conversations: Sequence[str]) -> list[str]:
    """The purposes that are stopped in any of these."""
    rows = await db.fetch(
        "SELECT DISTINCT purpose FROM stops WHERE conversation = ANY($1) ORDER BY purpose", conversations
    )
    return [row["purpose"] for row in rows]


async def is_stopped(tx: Transaction, conversation: str, purpose: str) -> bool:
    """Tell whether a citizen does not want this here."""
    return bool(purpose) and bool(
        await tx.fetchval(
            "SELECT true FROM stops WHERE conversation = $1 AND purpose = $2", conversation, purpose
        )
    )


async def willing(tx: Transaction, conversations: Sequence[str], purpose: str) -> list[str]:
    """Those of these who did not stop a purpose."""
    rows = await tx.fetch(
        "SELECT conversation FROM stops WHERE conversation = ANY($1) AND purpose = $2", conversations, purpose
    )
    unwilling = {row["conversation"] for row in rows}
    return [each for each in conversations if each not in unwilling]


def purposes(kinds: Kinds) -> list[str]:
    """What can be stopped: the purposes of our kinds."""
    return sorted({kind.purpose for kind in kinds if kind.purpose})


def kinds_of(kinds: Kinds, purpose: str) -> list[str]:
    """The kinds of a purpose."""
    return [kind.name for kind in kinds if kind.purpose == purpose]
