"""The messages of ours that wait to be sent, one row each: how they get there, and who takes them back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.delivery import guards
from core.delivery.guards import Guards
from core.delivery.lanes import Lane
from core.stores.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be sent once.

    `key` is unique for ever: kind, object, its version, recipient and step (domain-rules M1). `sealed` is its
    letter, sealed for that key. `valid_until`: worth sending no longer than that. `guards` are those of its
    objects; the outbox adds its recipient's, and that of its `purpose`, if it can be stopped.
    """

    key: str
    conversation: str
    sealed: bytes
    kind: str
    lane: Lane
    not_before: datetime
    valid_until: datetime
    guards: Guards = field(default_factory=dict)
    repeatable: bool = False
    hold: str = ""
    purpose: str = ""


async def queue(tx: Transaction, entry: Entry) -> int | None:
    """Add a message in the transaction of the change it tells of; None if it is there already."""
    return await tx.fetchval(  # type: ignore[no-any-return]
        """
        INSERT INTO outbox (key, conversation, sealed, kind, lane, not_before, valid_until, guard_keys,
                            guard_ns, repeatable, state, hold)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8 || $12::text[],
                $9 || ARRAY(SELECT coalesce(v.n, 0) FROM unnest($12) WITH ORDINALITY AS g (key, no)
                            LEFT JOIN versions v USING (key) ORDER BY g.no),
                $10, CASE WHEN $11 = '' THEN 'queued' ELSE 'held' END, $11)
        ON CONFLICT (key) DO NOTHING RETURNING id
        """,
        entry.key,
        entry.conversation,
        entry.sealed,
        entry.kind,
        entry.lane,
        entry.not_before,
        entry.valid_until,
        list(entry.guards),
        list(entry.guards.values()),
        entry.repeatable,
        entry.hold,
        guards.of_recipient(entry.conversation, entry.purpose),
    )


async def queue_reply(tx: Transaction, key: str, conversation: str, sealed: bytes, after_s: float) -> None:
    """Add a reply that comes late unless it is there already; it is worth sending for two days."""
    await tx.execute(
        """
        INSERT INTO outbox (key, conversation, sealed, not_before, valid_until, guard_keys, guard_ns)
        VALUES ($1, $2, $3, now() + make_interval(secs => $4), now() + interval '2 days', ARRAY[$5],
                ARRAY[coalesce((SELECT n FROM versions WHERE key = $5), 0)])
        ON CONFLICT (key) DO NOTHING
        """,
        key,
        conversation,
        sealed,
        after_s,
        guards.recipient(conversation),
    )


async def cancel(tx: Transaction, key: str, reason: str) -> None:
    """Take back a message that nobody has begun to send."""
    await tx.execute(
        """
        UPDATE outbox SET state = CASE WHEN perhaps THEN 'unknown' ELSE 'cancelled' END, reason = $2,
                          hold = '', settled_at = now(), sealed = NULL
        WHERE key = $1 AND state IN ('queued', 'held')
        """,
        key,
        reason,
    )


async def held(db: Database, most: int, again_s: float) -> list[str]:
    """Name conversations with messages that wait for a window, each again after `again_s` at the earliest."""
    rows = await db.fetch(
        """
        UPDATE outbox SET not_before = now() + make_interval(secs => $2)
        WHERE id IN (
            SELECT id FROM outbox WHERE state = 'held' AND hold = '' AND not_before <= now()
            ORDER BY not_before, id LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING conversation
        """,
        most,
        again_s,
    )
    return sorted({row["conversation"] for row in rows})


async def release(db: Database, conversations: Sequence[str]) -> None:
    """Let held messages of these conversations go out: a window is open."""
    await db.execute(
        """
        UPDATE outbox SET state = 'queued', not_before = now()
        WHERE id IN (
            SELECT id FROM outbox WHERE state = 'held' AND hold = '' AND conversation = ANY($1)
            ORDER BY id FOR UPDATE SKIP LOCKED
        )
        """,
        conversations,
    )
