"""What a worker does with the rows of the outbox, many at a time: claim, begin, settle, recover.

    queued → sending → accepted | failed | unknown | cancelled        queued, held → expired | cancelled
    queued ⇄ held: quiet hours, no send window, or kept until the citizen's next message

All times are the database's own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg

from core.delivery.guards import Guards
from core.delivery.lanes import Lane
from core.stores.database import Database, Transaction

REPEATABLE = timedelta(minutes=9)  # WeChat knows a client_msg_id for ten (wechat-facts 2.3)


@dataclass(frozen=True, slots=True)
class Row:
    """A message this process holds; `sealed` opens only for its key, None where its job has the words."""

    id: int
    key: str
    conversation: str
    sealed: bytes | None
    tries: int
    lane: Lane = Lane.REPLIES
    kind: str = "late"
    job: int | None = None
    channel: str = ""  # the way it has to go, where a request of it perhaps arrived
    guards: Guards = field(default_factory=dict)
    perhaps: bool = False
    repeatable: bool = False
    tried_for: timedelta = timedelta()  # since it surely was not sent for the first time
    reason: str = ""  # why it was not sent then
    worth: timedelta = field(default=timedelta(days=1), compare=False)  # sending, for so long from its claim

    @property
    def account(self) -> str:
        """The official account it goes through."""
        return self.conversation.split(":", 1)[0]

    @property
    def given_up(self) -> bool:
        """Tell whether it has been tried for as long as its lane allows (domain-rules M2)."""
        return self.tried_for >= self.lane.tried_for

    def waits_s(self, after_s: float) -> float:
        """So many seconds, or fewer: what is urgent is looked at again when it is to be given up."""
        if self.lane is not Lane.URGENT:
            return after_s
        return min(after_s, max(1.0, (self.lane.tried_for - self.tried_for).total_seconds()))


@dataclass(frozen=True, slots=True)
class Start:
    """A row whose request is to leave now, and the way it takes."""

    row: Row
    channel: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row: its new state, and what stands beside it.

    `after_s`: queued or held, until it is looked at again; sending, until no receipt is waited for any more.
    `perhaps`: the request left us and nobody knows more. `paused`: its API is stopped for that long.
    `tried`: it counts as a try, though not even a request was begun.
    """

    row: Row
    state: str
    reason: str = ""
    after_s: float = 0.0
    hold: str = ""
    msg_id: str = ""
    channel: str = ""
    perhaps: bool = False
    paused: bool = False
    tried: bool = False


_HELD = """
    UPDATE outbox o SET
        state = CASE WHEN holds THEN 'sending' WHEN o.perhaps THEN 'unknown' ELSE 'cancelled' END,
        reason = CASE WHEN holds THEN o.reason ELSE 'changed' END,
        settled_at = CASE WHEN NOT holds THEN now() END,
        holder = CASE WHEN holds THEN $1 END,
        lease_until = CASE WHEN holds THEN now() + $2::interval END,
        sealed = CASE WHEN holds THEN o.sealed END,
        attempted_at = NULL
    FROM due WHERE o.id = due.id
    RETURNING o.id, o.key, o.conversation, o.sealed, o.tries + 1 AS tries, o.lane, o.kind, o.job, o.state,
              o.repeatable, o.perhaps, CASE WHEN o.perhaps THEN o.channel ELSE '' END AS channel,
              o.guard_keys, o.guard_ns, o.reason,
              coalesce(now() - o.trying_at, interval '0') AS tried_for, o.valid_until - now() AS worth
"""
_CLAIM = f"""
    WITH due AS (
        SELECT o.id, guards_hold(o.guard_keys, o.guard_ns) AS holds FROM outbox o
        WHERE o.lane = $4 AND o.job IS NULL AND o.state = 'queued' AND o.not_before <= now()
          AND o.valid_until > now() AND split_part(o.conversation, ':', 1) <> ALL($5::text[])
          AND (o.lane > 0 OR NOT EXISTS (
              SELECT FROM outbox e WHERE e.conversation = o.conversation AND e.id < o.id AND e.lane = 0
                                     AND e.state IN ('queued', 'held', 'sending')
          ))
        ORDER BY o.not_before, o.id LIMIT $3 FOR UPDATE OF o SKIP LOCKED
    ) {_HELD}
"""  # noqa: S608 - put together from our own words
_CLAIM_OF_JOBS = f"""
    WITH open AS (
        SELECT id, count(*) OVER () AS jobs FROM jobs
        WHERE state = 'running' AND account <> ALL($5::text[]) AND EXISTS (
            SELECT FROM outbox o WHERE o.job = jobs.id AND o.state = 'queued' AND o.not_before <= now()
        )
    ), due AS (
        SELECT o.id, o.holds FROM open, LATERAL (
            SELECT o.id, guards_hold(o.guard_keys, o.guard_ns) AS holds FROM outbox o
            WHERE o.job = open.id AND o.lane = $4 AND o.state = 'queued' AND o.not_before <= now()
              AND o.valid_until > now()
            ORDER BY o.not_before, o.id LIMIT greatest(1, $3 / open.jobs) FOR UPDATE OF o SKIP LOCKED
        ) o LIMIT $3
    ) {_HELD}
"""  # noqa: S608
_SETTLE = """
    WITH mine AS (
        SELECT t.*, t.state IN ('queued', 'held') AS back, t.state = 'sending' AS waits,
               now() + make_interval(secs => t.after_s) AS later
        FROM unnest($1::bigint[], $3::text[], $4::text[], $5::float8[], $6::text[], $7::text[],
                    $8::text[], $9::boolean[], $10::boolean[], $11::boolean[])
            AS t (id, state, reason, after_s, hold, msg_id, channel, perhaps, paused, tried)
        JOIN outbox o USING (id) WHERE o.state = 'sending' AND o.holder = $2
        ORDER BY id FOR UPDATE OF o
    )
    UPDATE outbox o SET
        state = CASE WHEN o.perhaps AND m.state IN ('failed', 'expired', 'cancelled') THEN 'unknown'
                     ELSE m.state END,
        reason = m.reason, hold = m.hold, msg_id = m.msg_id, tries = o.tries + m.tried::int,
        perhaps = o.perhaps OR m.perhaps, channel = m.channel,
        first_at = CASE WHEN o.perhaps OR m.perhaps OR NOT back THEN o.first_at END,
        not_before = CASE WHEN back THEN later ELSE o.not_before END,
        trying_at = CASE WHEN m.state = 'held' THEN NULL
                         WHEN m.paused AND o.lane <> $12 THEN o.trying_at + (later - now())
                         WHEN m.paused OR back AND (o.attempted_at IS NOT NULL OR m.tried)
                             THEN coalesce(o.trying_at, now())
                         ELSE o.trying_at END,
        attempted_at = CASE WHEN NOT back THEN o.attempted_at END,
        settled_at = CASE WHEN NOT (back OR waits) THEN now() END,
        holder = CASE WHEN waits THEN o.holder END,
        lease_until = CASE WHEN waits THEN later END,
        sealed = CASE WHEN back OR waits THEN o.sealed END
    FROM mine m WHERE o.id = m.id RETURNING o.id
"""


async def claim(
    db: Database, holder: str, lane: Lane, lease: timedelta, most: int, but: Collection[str] = ()
) -> list[Row]:
    """Hold what is due in a lane; what has changed since it was written is cancelled instead.

    Of late replies to one conversation only the oldest that is open: they arrive in their order. Of several
    jobs each gets its share. `but`: accounts of which nothing more can leave at the moment.
    """
    rows = await db.fetch(_CLAIM, holder, lease, most, lane, list(but))
    if lane is Lane.BULK and len(rows) < most:
        rows += await db.fetch(_CLAIM_OF_JOBS, holder, lease, most - len(rows), lane, list(but))
    return [_row(row) for row in rows if row["state"] == "sending"]


def _may_leave(left: str) -> str:
    """A row that is ours (`$2`) with `left` of its lease, worth sending still, its job not stopped."""
    return f"""
        o.state = 'sending' AND o.holder = $2 AND o.lease_until > now() + {left}::interval
        AND o.valid_until > now()
        AND (o.job IS NULL OR EXISTS (SELECT FROM jobs j WHERE j.id = o.job AND j.state = 'running'))
    """


async def begin(tx: Transaction, holder: str, starts: Sequence[Start], left: timedelta) -> set[int]:
    """Note that these requests leave now; the ids of those that still may.

    The others are not ours any more, or not for `left` more, or their object has changed: these are
    cancelled, and what is too old to be repeated is unknown. Nobody changes an object while this decides;
    whoever does it after the commit is too late.
    """
    keys = sorted({key for start in starts for key in start.row.guards})
    rows = await tx.fetch(
        f"""
        WITH now_ns AS MATERIALIZED (
            SELECT key, n FROM versions WHERE key = ANY($5::text[]) ORDER BY key FOR SHARE
        ), mine AS MATERIALIZED (
            SELECT o.id, s.channel, s.template, NOT EXISTS (
                SELECT FROM unnest(o.guard_keys, o.guard_ns) AS g (key, n) LEFT JOIN now_ns v USING (key)
                WHERE coalesce(v.n, 0) <> g.n
            ) AS same, NOT o.perhaps OR o.repeatable OR o.first_at > now() - $7::interval AS young
            FROM unnest($1::bigint[], $3::text[], $4::text[]) AS s (id, channel, template)
            JOIN outbox o ON o.id = s.id
            WHERE {_may_leave("$6")}
            ORDER BY o.id FOR UPDATE OF o
        ), told AS (
            SELECT *, same AND young AS holds FROM mine
        )
        UPDATE outbox o SET
            attempted_at = CASE WHEN holds THEN now() END,
            tries = CASE WHEN holds THEN o.tries + 1 ELSE o.tries END,
            first_at = CASE WHEN holds THEN coalesce(o.first_at, now()) ELSE o.first_at END,
            channel = told.channel, template = told.template,
            state = CASE WHEN holds THEN 'sending' WHEN o.perhaps THEN 'unknown' ELSE 'cancelled' END,
            reason = CASE WHEN same THEN o.reason ELSE 'changed' END,
            settled_at = CASE WHEN NOT holds THEN now() END,
            holder = CASE WHEN holds THEN $2 END,
            lease_until = CASE WHEN holds THEN o.lease_until END,
            sealed = CASE WHEN holds THEN o.sealed END
        FROM told WHERE o.id = told.id RETURNING o.id, o.state
        """,  # noqa: S608 - put together from our own words
        [start.row.id for start in starts],
        holder,
        [start.channel for start in starts],
        [start.template for start in starts],
        keys,
        left,
        REPEATABLE,
    )
    return {row["id"] for row in rows if row["state"] == "sending"}


async def still(db: Database, holder: str, numbers: Sequence[int], left: timedelta) -> dict[int, bool]:
    """Those of our rows whose requests may leave even now, as in `begin`, and whether their guards hold."""
    rows = await db.fetch(
        f"""
        SELECT o.id, guards_hold(o.guard_keys, o.guard_ns) AS holds FROM outbox o
        WHERE o.id = ANY($1) AND {_may_leave("$3")}
        """,  # noqa: S608 - put together from our own words
        numbers,
        holder,
        left,
    )
    return {row["id"]: row["holds"] for row in rows}


async def settle(tx: Transaction, holder: str, results: Sequence[Result]) -> set[int]:
    """Write down what became of rows in our hands; the ids of those that still were ours.

    What perhaps arrived before is not booked as unsent, whatever became of it since. Since when it may be
    repeated counts from the first request that was not surely in vain. It is not being tried while it is
    held, nor while its API is stopped; what is urgent does not wait for that, its time runs on.
    """
    if not results:
        return set()
    rows = await tx.fetch(
        _SETTLE,
        [each.row.id for each in results],
        holder,
        [each.state for each in results],
        [each.reason for each in results],
        [each.after_s for each in results],
        [each.hold for each in results],
        [each.msg_id for each in results],
        [each.channel for each in results],
        [each.perhaps for each in results],
        [each.paused for each in results],
        [each.tried for each in results],
        Lane.URGENT,
    )
    return {row["id"] for row in rows}


async def recover(db: Database) -> int:
    """Look after rows nobody holds any more, or whose time is over; how many of them that ended.

    A dead worker's: what had not begun is queued again, and so is a template message while WeChat knows its
    id, and what may be said twice; the rest perhaps arrived. Quiet hours that are over let their rows go.
    """
    rows = await db.fetch(
        """
        WITH found AS (
            SELECT id, CASE
                WHEN valid_until <= now() THEN CASE WHEN perhaps OR attempted_at IS NOT NULL THEN 'unknown'
                                                    ELSE 'expired' END
                WHEN state = 'held' OR attempted_at IS NULL THEN 'queued'
                WHEN channel = 'template' AND first_at > now() - $1::interval OR repeatable THEN 'queued'
                ELSE 'unknown' END AS becomes
            FROM outbox
            WHERE (state = 'sending' AND lease_until < now())
               OR (state IN ('queued', 'held') AND valid_until <= now())
               OR (state = 'held' AND hold = 'quiet' AND not_before <= now())
            ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
        )
        UPDATE outbox o SET
            state = becomes, hold = '', holder = NULL, lease_until = NULL, attempted_at = NULL,
            perhaps = o.perhaps OR o.attempted_at IS NOT NULL,
            not_before = CASE WHEN becomes = 'queued' THEN now() ELSE o.not_before END,
            settled_at = CASE WHEN becomes <> 'queued' THEN now() END,
            sealed = CASE WHEN becomes = 'queued' THEN o.sealed END
        FROM found WHERE o.id = found.id RETURNING o.state
        """,
        REPEATABLE,
    )
    return sum(row["state"] != "queued" for row in rows)


def _row(row: asyncpg.Record) -> Row:
    return Row(
        row["id"],
        row["key"],
        row["conversation"],
        row["sealed"],
        row["tries"],
        Lane(row["lane"]),
        row["kind"],
        row["job"],
        row["channel"],
        dict(zip(row["guard_keys"], row["guard_ns"], strict=True)),
        row["perhaps"],
        row["repeatable"],
        row["tried_for"],
        row["reason"],
        row["worth"],
    )
