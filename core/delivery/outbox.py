"""The messages of ours that wait, are being sent, or were: one row each, one statement for each change of it.

    queued → sending → accepted | failed | unknown | expired | cancelled
    queued ⇄ held: outside every send window; it waits for the citizen's next message

All times are the database's own.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from core.stores.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Row:
    """A message this process holds; `sealed` opens only for its key."""

    id: int
    key: str
    conversation: str
    sealed: bytes
    tries: int


async def queue(tx: Transaction, key: str, conversation: str, sealed: bytes, after_s: float) -> None:
    """Add a message unless it is there already; it is worth sending for two days."""
    await tx.execute(
        """
        INSERT INTO outbox (key, conversation, sealed, not_before, valid_until)
        VALUES ($1, $2, $3, now() + make_interval(secs => $4), now() + interval '2 days')
        ON CONFLICT (key) DO NOTHING
        """,
        key,
        conversation,
        sealed,
        after_s,
    )


async def cancel(tx: Transaction, key: str, reason: str) -> None:
    """Take back a message that nobody has begun to send."""
    await tx.execute(
        """
        UPDATE outbox SET state = 'cancelled', reason = $2, settled_at = now(), sealed = NULL
        WHERE key = $1 AND state IN ('queued', 'held')
        """,
        key,
        reason,
    )


async def claim(db: Database, holder: str, lease: timedelta, most: int) -> list[Row]:
    """Hold what is due, of each conversation only the oldest that is open: they arrive in their order.

    A message whose holder died comes again if its request had not begun (else see `give_up`).
    """
    rows = await db.fetch(
        """
        UPDATE outbox SET state = 'sending', holder = $1, lease_until = now() + $2, tries = tries + 1,
                          attempted_at = NULL
        WHERE id IN (
            SELECT o.id FROM outbox o
            WHERE ((o.state = 'queued' AND o.not_before <= now())
                   OR (o.state = 'sending' AND o.lease_until < now() AND o.attempted_at IS NULL))
              AND o.valid_until > now()
              AND NOT EXISTS (
                  SELECT FROM outbox e WHERE e.conversation = o.conversation AND e.id < o.id
                                         AND e.state IN ('queued', 'held', 'sending')
              )
            ORDER BY o.not_before, o.id LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        RETURNING id, key, conversation, sealed, tries
        """,
        holder,
        lease,
        most,
    )
    return [_row(row) for row in rows]


async def begin(db: Database, row: Row, holder: str, left: timedelta) -> bool:
    """Note that the request leaves now; False if it is not ours any more, or not for `left` more."""
    found = await db.fetchval(
        """
        UPDATE outbox SET attempted_at = now()
        WHERE id = $1 AND state = 'sending' AND holder = $2 AND lease_until > now() + $3 RETURNING id
        """,
        row.id,
        holder,
        left,
    )
    return found is not None


async def settle(db: Database, row: Row, holder: str, state: str, reason: str = "") -> bool:
    """Finish a message that is ours: accepted, failed, unknown or cancelled."""
    found = await db.fetchval(
        """
        UPDATE outbox SET state = $3, reason = $4, settled_at = now(), holder = NULL, lease_until = NULL,
                          sealed = NULL
        WHERE id = $1 AND state = 'sending' AND holder = $2 RETURNING id
        """,
        row.id,
        holder,
        state,
        reason,
    )
    return found is not None


async def put_back(db: Database, row: Row, holder: str, after_s: float, *, held: bool, reason: str) -> None:
    """Let a message that was surely not sent wait: for some time, or `held` until a window opens."""
    await db.execute(
        """
        UPDATE outbox SET state = $3, reason = $4, holder = NULL, lease_until = NULL, attempted_at = NULL,
                          not_before = now() + make_interval(secs => $5)
        WHERE id = $1 AND state = 'sending' AND holder = $2
        """,
        row.id,
        holder,
        "held" if held else "queued",
        reason,
        after_s,
    )


async def give_up(db: Database) -> int:
    """Settle what nobody can send: requests whose sender died, messages that came too late; how many."""
    rows = await db.fetch(
        """
        UPDATE outbox SET state = CASE WHEN attempted_at IS NULL THEN 'expired' ELSE 'unknown' END,
                          settled_at = now(), holder = NULL, lease_until = NULL, sealed = NULL
        WHERE (state = 'sending' AND lease_until < now()
               AND (attempted_at IS NOT NULL OR valid_until <= now()))
           OR (state IN ('queued', 'held') AND valid_until <= now())
        RETURNING id
        """
    )
    return len(rows)


async def held(db: Database, most: int, again_s: float) -> list[str]:
    """Name conversations with messages that wait for a window, each again after `again_s` at the earliest."""
    rows = await db.fetch(
        """
        UPDATE outbox SET not_before = now() + make_interval(secs => $2)
        WHERE id IN (
            SELECT id FROM outbox WHERE state = 'held' AND not_before <= now()
            ORDER BY not_before, id LIMIT $1 FOR UPDATE SKIP LOCKED
        )
        RETURNING conversation
        """,
        most,
        again_s,
    )
    return sorted({row["conversation"] for row in rows})


async def release(db: Database, conversations: list[str]) -> None:
    """Let held messages of these conversations go out: a window is open."""
    await db.execute(
        """
        UPDATE outbox SET state = 'queued', not_before = now()
        WHERE state = 'held' AND conversation = ANY($1)
        """,
        conversations,
    )


async def purge(db: Database, older: timedelta) -> None:
    """Forget what was settled long ago."""
    await db.execute("DELETE FROM outbox WHERE settled_at < now() - $1::interval", older)


def _row(row: asyncpg.Record) -> Row:
    return Row(row["id"], row["key"], row["conversation"], row["sealed"], row["tries"])
