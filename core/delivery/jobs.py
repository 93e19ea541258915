"""One notice to many: jobs that are filled page by page, can be stopped and continued, and are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg

from core.delivery import guards, stops
from core.delivery.lanes import Lane
from core.delivery.letters import Letter, letters
from core.delivery.quiet import JITTER
from core.errors import DomainError
from core.packing import UnreadableError
from core.seal import Seal
from core.stores.database import Database, Transaction

_TAKEN_BACK = 5_000  # rows a statement ends: it has to be over well within the database's time limit
_SOON = timedelta(minutes=1)  # what is to leave later than that is held for the night
PAGE = 1_000  # recipients who get their rows in one statement


class NoSuchJob(DomainError):  # noqa: N818 - a refusal is named by what is the case, like its siblings
    """There is no job of that number, or it has ended."""

    code = "no_such_job"


class Audience(Protocol):
    """Who knows the recipients of a job."""

    async def page(self, account: str, audience: str, after: str, limit: int) -> Sequence[str]:
        """The conversations of an audience that come after one of them, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands; `rows` recipients have a row so far, all of them once `filled`."""

    id: int
    key: str
    kind: str
    account: str
    audience: str
    state: str
    who: str
    rows: int
    filled: bool
    made_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A job to be made. Its key (kind, object, version) is unique for ever: no notice is sent twice."""

    key: str
    kind: str
    account: str
    audience: str
    letter: Letter
    not_before: datetime
    valid_until: datetime
    who: str
    guards: Mapping[str, int] = field(default_factory=dict)


async def make(tx: Transaction, seal: Seal, draft: Draft) -> int:
    """Make a job in the transaction of the change it tells of; the same key again is the same job."""
    known = await tx.fetchval("SELECT id FROM jobs WHERE key = $1", draft.key)
    if known is not None:
        return int(known)
    number = await tx.fetchval(
        """
        INSERT INTO jobs (key, kind, account, audience, sealed, guard_keys, guard_ns, not_before, valid_until,
                          who)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO UPDATE SET key = excluded.key
        RETURNING id
        """,
        draft.key,
        draft.kind,
        draft.account,
        draft.audience,
        letters.pack(draft.letter, seal, f"job:{draft.key}"),
        list(draft.guards),
        list(draft.guards.values()),
        draft.not_before,
        draft.valid_until,
        draft.who,
    )
    # What takes a job back is seen by whoever is about to send one of its rows.
    await guards.current(tx, [_guard(number)])
    await _tell(tx, number, draft.who, "made")
    return int(number)


class Letters:
    """What the letters of messages say; `UnreadableError` where nobody can tell any more."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self._db = db
        self._seal = seal
        self._of_job: dict[int, Letter] = {}  # the one at work: its rows have no words of their own

    async def read(self, key: str, sealed: bytes | None, job: int | None) -> Letter:
        """Read the letter of a message, or of its job."""
        if sealed is not None:
            return letters.unpack(sealed, self._seal, key)
        if job is None:
            raise UnreadableError("neither words nor a job")
        if job not in self._of_job:
            row = await self._db.fetchrow("SELECT key, sealed FROM jobs WHERE id = $1", job)
            if row is None:
                raise UnreadableError(f"there is no job {job}")
            self._of_job = {job: letters.unpack(row["sealed"], self._seal, f"job:{row['key']}")}
        return self._of_job[job]


async def unfilled(db: Database) -> list[int]:
    """The running jobs some of whose recipients have no row yet."""
    rows = await db.fetch("SELECT id FROM jobs WHERE state = 'running' AND filled_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def fill(db: Database, number: int, audience: Audience) -> int:
    """Give the next recipients of a running job their rows; how many there were.

    Where it stopped stands in the job, and is written in one transaction with the rows.
    """
    async with db.transaction() as tx:
        return await _fill(tx, number, audience)


async def _fill(tx: Transaction, number: int, audience: Audience) -> int:
    job = await tx.fetchrow(
        "SELECT * FROM jobs WHERE id = $1 AND state = 'running' AND filled_at IS NULL FOR UPDATE SKIP LOCKED",
        number,
    )
    if job is None:
        return 0
    page = await audience.page(job["account"], job["audience"], job["reached"], PAGE)
    if not page:
        await tx.execute("UPDATE jobs SET filled_at = now() WHERE id = $1", number)
        return 0
    wanted = await stops.willing(tx, page, stops.NEWS)
    await tx.execute(
        """
        INSERT INTO outbox (key, conversation, kind, lane, job, row_no, not_before, valid_until, guard_keys,
                            guard_ns)
        SELECT $2 || ':' || conversation || ':', conversation, $3, $4, $1, $5 + no,
               $6::timestamptz + least($12::interval, ($7::timestamptz - $6) * 0.9) * random(), $7,
               $8 || ARRAY[$11 || conversation, $13 || conversation],
               $9 || ARRAY[coalesce(here.n, 0), coalesce(wanted.n, 0)]
        FROM unnest($10::text[]) WITH ORDINALITY AS page (conversation, no)
             LEFT JOIN versions here ON here.key = $11 || conversation
             LEFT JOIN versions wanted ON wanted.key = $13 || conversation
        ON CONFLICT DO NOTHING
        """,
        number,
        job["key"],
        job["kind"],
        Lane.BULK,
        job["rows"],
        job["not_before"],
        job["valid_until"],
        [*job["guard_keys"], _guard(number)],
        [*job["guard_ns"], 0],
        wanted,
        guards.RECIPIENT,
        JITTER if job["not_before"] - job["made_at"] > _SOON else timedelta(),
        guards.stop(stops.NEWS, ""),
    )
    await tx.execute(
        "UPDATE jobs SET reached = $2, rows = rows + $3 WHERE id = $1", number, page[-1], len(wanted)
    )
    return len(page)


async def stop(db: Database, number: int, who: str) -> None:
    """Let a job rest: what is under way arrives, nothing more leaves before it is continued."""
    await _change(db, number, who, ("running", "stopped"), "stopped")


async def go_on(db: Database, number: int, who: str) -> None:
    """Continue a job where it was stopped."""
    await _change(db, number, who, ("stopped", "running"), "continued")


async def cancel(db: Database, number: int, who: str) -> None:
    """End a job for good: who has not been sent it does not get it."""
    async with db.transaction() as tx:
        await _changed(tx, number, who, ("running", "cancelled"), "cancelled")
        await guards.bump(tx, _guard(number))


async def _change(db: Database, number: int, who: str, way: tuple[str, str], what: str) -> None:
    async with db.transaction() as tx:
        await _changed(tx, number, who, way, what)


async def _changed(tx: Transaction, number: int, who: str, way: tuple[str, str], what: str) -> None:
    before, after = way
    state = await tx.fetchval("SELECT state FROM jobs WHERE id = $1 FOR UPDATE", number)
    ends = after == "cancelled"
    if state == after:
        return
    if state != before and not (ends and state == "stopped"):
        raise NoSuchJob(job=number, state=state or "")
    await tx.execute(
        "UPDATE jobs SET state = $2, ended_at = CASE WHEN $3 THEN now() END WHERE id = $1",
        number,
        after,
        ends,
    )
    await _tell(tx, number, who, what)


async def end(db: Database) -> None:
    """Take back the rows of jobs that were cancelled, and note which jobs are through."""
    await db.execute(
        """
        UPDATE outbox SET state = CASE WHEN perhaps THEN 'unknown' ELSE 'cancelled' END, reason = 'changed',
                          hold = '', settled_at = now()
        WHERE id IN (
            SELECT o.id FROM jobs j JOIN outbox o ON o.job = j.id
            WHERE j.state = 'cancelled' AND o.settled_at IS NULL AND o.state IN ('queued', 'held')
            LIMIT $1 FOR UPDATE OF o SKIP LOCKED
        )
        """,
        _TAKEN_BACK,
    )
    # The end and its event are one statement: a worker killed here leaves both or neither.
    await db.execute(
        """
        WITH through AS (
            UPDATE jobs SET state = 'done', ended_at = now()
            WHERE state = 'running' AND filled_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM outbox o WHERE o.job = jobs.id AND o.settled_at IS NULL
            ) RETURNING id
        )
        INSERT INTO job_events (job, who, what) SELECT id, 'worker', 'done' FROM through
        """
    )


async def listed(db: Database, before: int | None, limit: int) -> list[Job]:
    """Jobs, the latest first, from below the number `before`."""
    rows = await db.fetch(
        "SELECT * FROM jobs WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2", before, limit
    )
    return [_job(row) for row in rows]


async def open_ones(db: Database, limit: int) -> list[Job]:
    """The jobs under way, or stopped, the latest first."""
    rows = await db.fetch(
        "SELECT * FROM jobs WHERE state IN ('running', 'stopped') ORDER BY id DESC LIMIT $1", limit
    )
    return [_job(row) for row in rows]


async def ahead(db: Database, account: str, key: str) -> int:
    """How many messages other notices to many of an account, under way, have still to send."""
    count = await db.fetchval(
        """
        SELECT count(*) FROM jobs j JOIN outbox o ON o.job = j.id
        WHERE j.state = 'running' AND j.account = $1 AND j.key <> $2
          AND o.settled_at IS NULL AND o.state IN ('queued', 'sending')
        """,
        account,
        key,
    )
    return int(count)


async def _tell(tx: Transaction, number: int, who: str, what: str) -> None:
    await tx.execute("INSERT INTO job_events (job, who, what) VALUES ($1, $2, $3)", number, who, what)


def _guard(number: int) -> str:
    return f"job:{number}"


def _job(row: asyncpg.Record) -> Job:
    return Job(
        id=row["id"],
        key=row["key"],
        kind=row["kind"],
        account=row["account"],
        audience=row["audience"],
        state=row["state"],
        who=row["who"],
        rows=row["rows"],
        filled=row["filled_at"] is not None,
        made_at=row["made_at"],
        ended_at=row["ended_at"],
    )
