"""Codes of one grant that let several people in: one phone, and a touch for a fresh code each time (C5).

Nothing is refused or charged for it here: who goes in again while under way is let in (J9), and a second
boarding at once counts as an accident (F4). An operator looks, and may suspend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core.stores.database import Database

LEAST = 3  # ways in with one grant, which lasts a quarter of an hour, at one place


@dataclass(frozen=True, slots=True)
class Repeated:
    """So many ways in of an account at one place, with one grant; `id` is the first of these taps."""

    id: int
    account: str
    day: date
    place: str
    count: int


async def repeated(db: Database, since: date, before: int | None, limit: int) -> Sequence[Repeated]:
    """Those since a service day, the latest first, from before one on."""
    rows = await db.fetch(
        """
        SELECT min(id), account, day, concat_ws(' ', line, nullif(station, ''), nullif(vehicle, '')), count(*)
        FROM transit_taps
        WHERE counted AND NOT companion AND way IN ('in', 'board') AND line <> ''
          AND at >= ($1::date + time '03:00') AT TIME ZONE 'Asia/Shanghai'
        GROUP BY account, acct_ref, day, line, station, vehicle
        HAVING count(*) >= $4 AND ($2::bigint IS NULL OR min(id) < $2)
        ORDER BY min(id) DESC LIMIT $3
        """,
        since,
        before,
        limit,
        LEAST,
    )
    return [Repeated(*row) for row in map(tuple, rows)]
