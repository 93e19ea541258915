"""What the platform says became of our messages: noted when it comes, then put into their rows.

A receipt may come before the answer to the request it is about, so it is a row of its own first. A template
message is found by its msgid; a subscription notice, whose answer has none, is the oldest one to this citizen
with this template that has no receipt yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.stores.database import Database, Transaction

_AT_ONCE = 2_000
APPLYING = 0x7265_6370_7473  # the lock of whoever puts receipts into rows
_KEPT = timedelta(days=1)

_log = structlog.get_logger("outbox")


@dataclass(frozen=True, slots=True)
class Fate:
    """One receipt; `event` and `no` make it one row however often it comes. `failed` is "" for delivered."""

    event: str
    no: int
    conversation: str
    template: str
    msg_id: str
    failed: str
    sent_at: datetime


async def note(db: Database, fates: Sequence[Fate]) -> None:
    """Keep receipts; those that came before stay as they are."""
    await db.execute(
        """
        INSERT INTO receipts (event, no, conversation, template, msg_id, failed, sent_at)
        SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[],
                             $7::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        [each.event for each in fates],
        [each.no for each in fates],
        [each.conversation for each in fates],
        [each.template for each in fates],
        [each.msg_id for each in fates],
        [each.failed for each in fates],
        [each.sent_at for each in fates],
    )


async def apply(db: Database) -> int:
    """Put receipts into the rows of their messages; how many found theirs.

    One process does it at a time, for turns are counted; and it waits for no row that somebody settles just
    now: its receipt keeps until the next time.
    """
    async with db.transaction() as tx:
        if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", APPLYING):
            return 0
        return await _apply(tx)


async def _apply(tx: Transaction) -> int:
    rows = await tx.fetch(
        """
        WITH by_id AS (
            SELECT r.event, r.no, r.failed, r.msg_id, o.id FROM receipts r
            JOIN outbox o ON o.msg_id = r.msg_id AND o.conversation = r.conversation
            WHERE r.template = '' AND o.settled_at IS NOT NULL LIMIT $1
        ), by_turn AS (
            SELECT r.event, r.no, r.failed, r.msg_id, o.id
            FROM (
                SELECT *, row_number() OVER (PARTITION BY conversation, template ORDER BY sent_at, msg_id)
                          AS turn
                FROM receipts WHERE template <> ''
            ) r JOIN LATERAL (
                SELECT id, row_number() OVER (ORDER BY id) AS turn FROM outbox w
                WHERE w.conversation = r.conversation AND w.template = r.template
                  AND w.channel = 'subscription' AND w.msg_id = '' AND w.first_at IS NOT NULL
                  AND w.state IN ('sending', 'accepted', 'unknown')
            ) o USING (turn) LIMIT $1
        ), found AS (
            SELECT * FROM by_id UNION ALL SELECT * FROM by_turn
        ), held AS (
            SELECT id FROM outbox WHERE id IN (SELECT id FROM found) ORDER BY id FOR UPDATE SKIP LOCKED
        ), told AS (
            UPDATE outbox o SET
                state = CASE WHEN f.failed = '' THEN 'delivered' ELSE 'failed' END, reason = f.failed,
                msg_id = f.msg_id, settled_at = coalesce(o.settled_at, now()), sealed = NULL,
                holder = NULL, lease_until = NULL
            FROM found f JOIN held USING (id)
            WHERE o.id = f.id AND o.state IN ('sending', 'accepted', 'unknown')
        )
        DELETE FROM receipts r USING found f JOIN held USING (id)
        WHERE r.event = f.event AND r.no = f.no RETURNING 1
        """,
        _AT_ONCE,
    )
    return len(rows)


async def purge(db: Database) -> None:
    """Forget receipts of messages that are not ours."""
    rows = await db.fetch("DELETE FROM receipts WHERE at < now() - $1::interval RETURNING 1", _KEPT)
    if rows:
        _log.warning("receipts_of_nothing", count=len(rows))
