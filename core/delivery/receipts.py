"""What the platform says became of our messages: noted when it comes, then put into their rows.

A receipt may come before the answer to the request it is about, so it is a row of its own first. A template
message is found by its msgid. A subscription notice, whose answer has none, is the first of its template that
left for this citizen in the minutes before WeChat dated the receipt, and has none yet. What WeChat took goes
before what perhaps never arrived; so nothing is told while the answer to another one is awaited. A receipt
that never comes shifts nothing but what left in the same minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from core.delivery import prompts
from core.stores.database import Database, Transaction

_AT_ONCE = 2_000
APPLYING = 0x7265_6370_7473  # the lock of whoever puts receipts into rows
_DATED_WITHIN = timedelta(minutes=10)  # of the request
_CLOCKS = timedelta(minutes=1)  # between WeChat's clock, which tells whole seconds, and the database's

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
    found = await tx.fetch(_BY_ID, _AT_ONCE)
    found += _in_turn(await tx.fetch(_CANDIDATES, _AT_ONCE, _DATED_WITHIN, _CLOCKS))
    if not found:
        return 0
    rows = await tx.fetch(
        _TELL,
        [each["event"] for each in found],
        [each["no"] for each in found],
        [each["id"] for each in found],
    )
    await prompts.arrived(tx, [row["id"] for row in rows if not row["failed"]])
    return len(rows)


def _in_turn(candidates: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
    """To each receipt the first of its messages that no receipt before it has."""
    found: dict[tuple[str, int], asyncpg.Record] = {}
    taken = set()
    for each in candidates:
        receipt = (each["event"], each["no"])
        if receipt not in found and each["id"] not in taken:
            found[receipt] = each
            taken.add(each["id"])
    return list(found.values())


_BY_ID = """
    SELECT r.event, r.no, o.id FROM receipts r
    JOIN outbox o ON o.msg_id = r.msg_id AND o.conversation = r.conversation
    WHERE r.template = '' AND r.msg_id <> '' AND o.settled_at IS NOT NULL LIMIT $1
"""
_CANDIDATES = """
    SELECT r.event, r.no, o.id
    FROM receipts r JOIN outbox o ON o.conversation = r.conversation AND o.template = r.template
    WHERE r.template <> '' AND o.channel = 'subscription' AND o.msg_id = ''
      AND o.state IN ('sending', 'accepted', 'unknown')
      AND o.first_at BETWEEN r.sent_at - $2::interval AND r.sent_at + $3::interval
      AND NOT EXISTS (
          SELECT FROM outbox other WHERE other.conversation = r.conversation AND other.template = r.template
             AND other.channel = 'subscription' AND other.msg_id = ''
             AND other.state = 'sending' AND NOT other.perhaps AND other.attempted_at IS NOT NULL
      )
    ORDER BY r.sent_at, r.msg_id, o.state <> 'accepted', o.first_at, o.id LIMIT $1
"""
_TELL = """
    WITH found AS (
        SELECT r.*, f.id FROM unnest($1::text[], $2::smallint[], $3::bigint[]) AS f (event, no, id)
        JOIN receipts r USING (event, no)
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
    WHERE r.event = f.event AND r.no = f.no RETURNING f.id, f.failed
"""
