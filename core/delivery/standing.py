"""How the outbox stands: what waits in each lane, and which messages perhaps did not arrive."""

from dataclasses import dataclass
from datetime import datetime

from core.delivery.lanes import Lane
from core.stores.database import Database

# Each half has a partial index of its own: what was settled in thirty days is not read.
WAITING = """
    SELECT lane, state, hold, count(*) AS count, min(made_at) AS since FROM (
        SELECT lane, state, hold, made_at FROM outbox WHERE settled_at IS NULL AND job IS NULL
        UNION ALL
        SELECT lane, state, hold, made_at FROM outbox WHERE settled_at IS NULL AND job IS NOT NULL
    ) open GROUP BY lane, state, hold ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many messages of a lane are in this state; `since` is the time of the oldest."""

    lane: Lane
    state: str
    hold: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message that perhaps arrived: nobody can tell, and it is not sent again."""

    id: int
    lane: Lane
    kind: str
    account: str
    channel: str
    job: int | None
    reason: str
    attempted_at: datetime


async def waiting(db: Database) -> list[Waiting]:
    """Everything that has not come to its end, lane by lane."""
    rows = await db.fetch(WAITING)
    return [Waiting(Lane(row["lane"]), row["state"], row["hold"], row["count"], row["since"]) for row in rows]


async def doubts(db: Database, before: int | None, limit: int) -> list[Doubt]:
    """The latest messages of unknown fate, from below the number `before`."""
    rows = await db.fetch(
        """
        SELECT id, lane, kind, split_part(conversation, ':', 1) AS account, channel, job, reason,
               coalesce(attempted_at, first_at, settled_at) AS attempted_at
        FROM outbox WHERE state = 'unknown' AND ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
        """,
        before,
        limit,
    )
    return [Doubt(**{**row, "lane": Lane(row["lane"])}) for row in rows]
