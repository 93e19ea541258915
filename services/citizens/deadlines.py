"""What citizens asked for and wait for still: an operator hears of it before it is late (domain-rules D2)."""

from dataclasses import dataclass
from datetime import date

import structlog

from core.clock import CITY_ZONE, Clock
from core.stores.database import Database
from services.citizens import erasures_store, requests_store
from services.citizens.working_days import WORKING_DAYS, left, working_day

WARNED = 3  # working days before
_MOST = 500

_log = structlog.get_logger("citizens")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish of 更正 or 删除 that waits; `left` are working days, negative for one that is late.

    导出 waits for nobody: its link is made at once.
    """

    number: str
    kind: str
    due_on: date
    left: int

    @property
    def is_near(self) -> bool:
        """Whether a person has to look after it now."""
        return self.left <= WARNED


class Deadlines:
    """Looks at what waits."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def waiting(self) -> list[Waiting]:
        """Everything that waits, the most urgent first."""
        today = self._clock.now().astimezone(CITY_ZONE).date()
        asked = [
            (row["id"], row["kind"], row["due_on"]) for row in await requests_store.open_ones(self._db, _MOST)
        ]
        asked += [
            (row["receipt"], "erasure", _due(row["asked_at"].astimezone(CITY_ZONE).date()))
            for row in await erasures_store.asked(self._db, _MOST)
        ]
        found = [Waiting(number, kind, due_on, left(today, due_on)) for number, kind, due_on in asked]
        return sorted(found, key=lambda each: (each.due_on, each.number))

    async def near(self) -> list[Waiting]:
        """What is late, or soon will be."""
        return [each for each in await self.waiting() if each.is_near]

    async def alarm(self) -> int:
        """Call a person to what is late, or soon will be; how many. For the schedule, each morning."""
        found = await self.near()
        for each in found:
            _log.error(
                "request_late" if each.left < 0 else "request_due",
                number=each.number,
                kind=each.kind,
                due_on=each.due_on.isoformat(),
                see="main.py privacy requests",
            )
        return len(found)


def _due(asked_on: date) -> date:
    return working_day(asked_on, WORKING_DAYS)
