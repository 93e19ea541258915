"""How far a job has come: how many rows stand where, how fast they leave, and how long the rest takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.delivery.jobs import NoSuchJob
from core.stores.database import Database

_OPEN = frozenset(("queued", "sending"))
_LATELY_S = 10.0
_LATER_S = 60.0  # what is tried again sooner than that is as good as due


@dataclass(frozen=True, slots=True)
class Progress:
    """`counts` by state; held ones wait for a morning or a citizen and are not `left` to be sent now.

    `per_second`: over the last ten seconds. `later` are not due yet, held for the night or over a day's
    share; the first of them leave at `until`. `seconds_left`: for all of them, None while nobody can say.
    """

    job: int
    state: str
    total: int
    filled: bool
    counts: Mapping[str, int]
    per_second: float
    later: int = 0
    until: datetime | None = None

    @property
    def left(self) -> int:
        """How many are still to be sent."""
        return sum(count for state, count in self.counts.items() if state in _OPEN)

    @property
    def seconds_left(self) -> float | None:
        """How long that takes at the present rate.

        Nobody can say it of a job that rests, whose recipients are still being listed, or of which some wait.
        """
        if self.filled and not self.left and not self.counts.get("held"):
            return 0.0
        is_known = self.state == "running" and self.filled and not self.later
        return self.left / self.per_second if is_known and self.left and self.per_second else None


async def progress(db: Database, job: int) -> Progress:
    """Count one job; `NoSuchJob` if there is none of that number."""
    known = await db.fetchrow("SELECT state, rows, filled_at FROM jobs WHERE id = $1", job)
    if known is None:
        raise NoSuchJob(job=job, state="")
    rows = await db.fetch(
        """
        SELECT state, count(*) AS count,
               count(*) FILTER (WHERE settled_at > now() - make_interval(secs => $2)) AS lately,
               count(*) FILTER (WHERE is_later) AS later, min(not_before) FILTER (WHERE is_later) AS until
        FROM outbox, LATERAL (
            SELECT (state = 'queued' OR hold = 'quiet') AND not_before > now() + make_interval(secs => $3)
        ) AS waits (is_later)
        WHERE job = $1 GROUP BY state
        """,
        job,
        _LATELY_S,
        _LATER_S,
    )
    return Progress(
        job,
        known["state"],
        known["rows"],
        known["filled_at"] is not None,
        {row["state"]: row["count"] for row in rows},
        sum(row["lately"] for row in rows) / _LATELY_S,
        sum(row["later"] for row in rows),
        min((row["until"] for row in rows if row["until"]), default=None),
    )
