"""The demo city: put in place at every start, with a new day opened after each midnight."""

from dataclasses import dataclass

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from commands.jobs import Jobs
from commands.places import DEMO
from core.clock import CITY_ZONE, Clock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital.catalogue import load_catalogue, open_days
from services.hospital.neighbours import book_up
from services.hospital.service import Hospital

DAYS = 7  # how far ahead of today numbers are offered (domain-rules H1)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demo city is put on."""

    db: Database
    citizens: Citizens
    hospital: Hospital
    clock: Clock


async def load(stage: Stage) -> None:
    """Put the city in place, with everything open that shall be open today; may be repeated at any time."""
    await load_catalogue(stage.db, DEMO)
    await open_new_days(stage)


async def open_new_days(stage: Stage) -> int:
    """Open those days of the coming week that are not open yet; return how many sessions are new.

    The invented neighbours book some doctors up, so that 约满 can be seen.
    """
    opened = await open_days(stage.db, stage.clock.now().date(), DAYS)
    await book_up(stage.hospital, stage.citizens, DEMO)
    return opened


def keep_open(jobs: Jobs, stage: Stage) -> None:
    """Open the next day once midnight has passed."""
    jobs.add("open_new_days", lambda: open_new_days(stage), after_midnight())


def after_midnight() -> BaseTrigger:
    """A second after midnight, and every ten minutes: a laptop may sleep through midnight."""
    return CronTrigger(minute="*/10", second=1, timezone=CITY_ZONE)
