"""What has not reached citizens yet, and what will not: the figures operators look at."""

from dataclasses import dataclass
from datetime import datetime

from core.delivery import standing
from core.delivery.standing import Waiting
from core.stores.database import Database

# A message behind a held one waits for the same. WeChat's reasons end with an id of each request.
BEHIND = r"""
    WITH open AS (
        SELECT made_at, regexp_replace(reason, '[ ,]*(rid|hint): .*$', '') AS why,
               bool_or(state = 'held') OVER (PARTITION BY conversation ORDER BY id) AS held
        FROM outbox WHERE settled_at IS NULL AND job IS NULL AND hold <> 'quiet'
    ), lost AS (
        SELECT state = 'unknown' AS perhaps, regexp_replace(reason, '[ ,]*(rid|hint): .*$', '') AS why
        FROM outbox
        WHERE settled_at > now() - interval '1 day' AND state IN ('unknown', 'failed', 'expired')
    )
    SELECT * FROM
        (SELECT count(*) AS owed, min(since) AS owed_since FROM owed) AS debts,
        (SELECT count(*) FILTER (WHERE NOT held) AS waiting,
                min(made_at) FILTER (WHERE NOT held) AS waiting_since,
                coalesce(mode() WITHIN GROUP (ORDER BY why) FILTER (WHERE NOT held AND why <> ''), '')
                    AS waiting_why,
                count(*) FILTER (WHERE held) AS held
         FROM open) AS ours,
        (SELECT count(*) FILTER (WHERE perhaps) AS unknown,
                count(*) FILTER (WHERE NOT perhaps) AS failed,
                coalesce(mode() WITHIN GROUP (ORDER BY why) FILTER (WHERE NOT perhaps), '') AS failed_why
         FROM lost) AS gone,
        (SELECT count(*) AS jobs FROM jobs WHERE state = 'running') AS running,
        (SELECT count(*) AS in_jobs FROM outbox WHERE job IS NOT NULL AND settled_at IS NULL) AS many
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages are owed an answer, how many of ours are open, and which of a day did not arrive.

    `waiting` are due or being sent, `held` wait until their citizen writes again; neither counts what a
    notice to many has still to send, for that takes its time: `in_jobs`, of the `jobs` that are under way.
    `lanes` counts everything. `failed` never arrived, `unknown` may have. Each `why` is the most frequent
    reason, "" where there is none.
    """

    owed: int = 0
    owed_since: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    waiting_why: str = ""
    held: int = 0
    unknown: int = 0
    failed: int = 0
    failed_why: str = ""
    jobs: int = 0
    in_jobs: int = 0
    lanes: tuple[Waiting, ...] = ()


async def backlog(db: Database) -> Backlog:
    """Count what is behind, of the whole city, whichever process asks."""
    row = await db.fetchrow(BEHIND)
    return Backlog(**row, lanes=tuple(await standing.waiting(db))) if row else Backlog()
