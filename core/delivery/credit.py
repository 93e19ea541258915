"""Subscription credits: each 允许 of a citizen's, and what became of it (wechat-facts 2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.stores.database import Database, Transaction

AT_ONCE = 5_000  # credits that one statement settles
SETTLE = """
    WITH ended AS (
        SELECT c.event, c.template, c.no, o.perhaps OR o.msg_id <> ''
               OR o.state IN ('accepted', 'delivered', 'read', 'unknown') AS used
        FROM credits c JOIN outbox o ON o.id = c.taken_by
        WHERE c.taken_by IS NOT NULL AND c.spent_at IS NULL AND o.settled_at IS NOT NULL
        LIMIT $1 FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE credits c SET
        taken_by = CASE WHEN used AND NOT long_term THEN taken_by END,
        spent_at = CASE WHEN used AND NOT long_term THEN now() END
    FROM ended WHERE (c.event, c.template, c.no) = (ended.event, ended.template, ended.no)
                 AND c.taken_by IS NOT NULL AND c.spent_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Credit:
    """One template a citizen allowed; `event` and `no` make it one row however often the event comes."""

    event: str
    no: int
    conversation: str
    template: str
    long_term: bool
    allowed_at: datetime


async def add(db: Database, allowed: Sequence[Credit]) -> None:
    """Note what citizens allowed; what is known already stays as it is."""
    await db.execute(
        """
        INSERT INTO credits (event, no, conversation, template, long_term, allowed_at)
        SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[], $5::boolean[],
                             $6::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        [each.event for each in allowed],
        [each.no for each in allowed],
        [each.conversation for each in allowed],
        [each.template for each in allowed],
        [each.long_term for each in allowed],
        [each.allowed_at for each in allowed],
    )


async def void(
    db: Database | Transaction,
    conversation: str,
    template: str,
    before: datetime | None = None,
    *,
    long_term_only: bool = False,
) -> None:
    """Take back the credits of one template: the citizen refused (then), or WeChat knows of none."""
    await db.execute(
        """
        UPDATE credits SET void_at = now()
        WHERE conversation = $1 AND template = $2 AND spent_at IS NULL AND void_at IS NULL
          AND ($3::timestamptz IS NULL OR allowed_at <= $3) AND (long_term OR NOT $4)
        """,
        conversation,
        template,
        before,
        long_term_only,
    )


async def open_ones(db: Database, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (conversation, template) pairs that have a credit left."""
    rows = await db.fetch(
        """
        SELECT DISTINCT conversation, template FROM credits JOIN unnest($1::text[], $2::text[])
            AS wanted (conversation, template) USING (conversation, template)
        WHERE spent_at IS NULL AND void_at IS NULL AND (taken_by IS NULL OR long_term)
        """,
        [conversation for conversation, _ in wanted],
        [template for _, template in wanted],
    )
    return {(row["conversation"], row["template"]) for row in rows}


async def take(tx: Transaction, message: int, conversation: str, template: str) -> bool:
    """Keep a credit for a message that is to leave; False if there is none (any more).

    A message that tries again has its own still.
    """
    found = await tx.fetchval(
        """
        UPDATE credits SET taken_by = $1 WHERE ctid = (
            SELECT ctid FROM credits
            WHERE conversation = $2 AND template = $3 AND spent_at IS NULL AND void_at IS NULL
              AND (taken_by IS NULL OR taken_by = $1 OR long_term)
            ORDER BY taken_by IS DISTINCT FROM $1, long_term DESC, allowed_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING 1
        """,
        message,
        conversation,
        template,
    )
    return found is not None


async def spend(tx: Transaction, messages: Sequence[int]) -> None:
    """End the credits of messages that left us, or perhaps did; a long-term one goes on."""
    await tx.execute(
        "UPDATE credits SET spent_at = now() WHERE taken_by = ANY($1) AND NOT long_term AND spent_at IS NULL",
        messages,
    )


async def give_back(tx: Transaction, messages: Sequence[int]) -> None:
    """Free the credits of messages that surely did not leave us."""
    await tx.execute(
        "UPDATE credits SET taken_by = NULL WHERE taken_by = ANY($1) AND spent_at IS NULL", messages
    )


async def settle(db: Database) -> None:
    """Look after credits whose message came to its end without its worker: that one died.

    What left us, or perhaps did, has used its credit; what surely did not leaves it to another.
    """
    await db.execute(SETTLE, AT_ONCE)
