"""How far a job has come: how many rows stand where, how fast they leave, and how long the rest takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.delivery.jobs import NoSuchJob
from core.stores.database import Database

_OPEN = frozenset(("queued", "sending"))
_LATELY_S = 10.0


@dataclass(frozen=True, slots=True)
class Progress:
    """`counts` by state; held ones wait for a morning or a citizen and are not `left` to be sent now.

    `per_second`: over the last ten seconds. `seconds_left`: at that rate, None while nothing moves.
    """

    job: int
    state: str
    total: int
    filled: bool
    counts: Mapping[str, int]
    per_second: float

    @property
    def left(self) -> int:
        """How many are still to be sent."""
        return sum(count for state, count in self.counts.items() if state in _OPEN)

    @property
    def seconds_left(self) -> float | None:
        """How long that takes at the present rate."""
        if not self.left and self.filled:
            return 0.0
        return self.left / self.per_second if self.per_second else None


async def progress(db: Database, job: int) -> Progress:
    """Count one job; `NoSuchJob` if there is none of that number."""
    known = await db.fetchrow("SELECT state, rows, filled_at FROM jobs WHERE id = $1", job)
    if known is None:
        raise NoSuchJob(job=job, state="")
    rows = await db.fetch(
        """
        SELECT state, count(*) AS count,
               count(*) FILTER (WHERE settled_at > now() - make_interval(secs => $2)) AS lately
        FROM outbox WHERE job = $1 GROUP BY state
        """,
        job,
        _LATELY_S,
    )
    return Progress(
        job,
        known["state"],
        known["rows"],
        known["filled_at"] is not None,
        {row["state"]: row["count"] for row in rows},
        sum(row["lately"] for row in rows) / _LATELY_S,
    )
