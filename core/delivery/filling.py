"""Gives the recipients of notices to many their rows; a job that fails rests a while, and keeps no other."""

import asyncio
from dataclasses import dataclass

import structlog

from core.delivery import jobs
from core.delivery.jobs import Audience
from core.errors import StoreGoneError
from core.stores.database import Database

AGAIN_S = 1.0
_MOST_S = 30.0  # between two attempts at what fails again and again

_log = structlog.get_logger("jobs")


@dataclass(frozen=True, slots=True)
class _Rest:
    """When a job that failed is looked at again, and how long it has rested until then."""

    until: float
    for_s: float


class Filling:
    """The filling of all jobs by one process; any number of processes share them."""

    def __init__(self, db: Database, audience: Audience) -> None:
        self._db = db
        self._audience = audience
        self._rests: dict[int, _Rest] = {}

    async def fill(self) -> int:
        """Give the next recipients of each running job their rows; how many there were. `StoreGoneError`."""
        now, filled = asyncio.get_running_loop().time(), 0
        unfilled = await jobs.unfilled(self._db)
        self._rests = {job: rest for job, rest in self._rests.items() if job in unfilled}
        for job in unfilled:
            if job not in self._rests or self._rests[job].until <= now:
                filled += await self._fill_one(job)
        return filled

    async def _fill_one(self, job: int) -> int:
        try:
            filled = await jobs.fill(self._db, job, self._audience)
        except StoreGoneError:
            raise
        except Exception:  # noqa: BLE001 - a mistake of ours with one job is not the end of all
            rest = self._rests.get(job)
            for_s = AGAIN_S if rest is None else min(2 * rest.for_s, _MOST_S)
            self._rests[job] = _Rest(asyncio.get_running_loop().time() + for_s, for_s)
            _log.exception("job_not_filled", job=job, again_in_s=for_s)
            return 0
        self._rests.pop(job, None)
        return filled
