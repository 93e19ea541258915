"""The demo city: put in place at every start, with a new day opened after each midnight."""

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from commands.jobs import Jobs
from commands.places import DEMO
from core.clock import CITY_ZONE, Clock
from core.stores.database import Database
from services.hospital.catalogue import load_catalogue, open_days

DAYS = 7  # how far ahead of today numbers are offered (domain-rules H1)


async def load(db: Database, clock: Clock) -> None:
    """Put the city in place, with everything open that shall be open today; may be repeated at any time."""
    await load_catalogue(db, DEMO)
    await open_new_days(db, clock)


async def open_new_days(db: Database, clock: Clock) -> int:
    """Open those days of the coming week that are not open yet; return how many sessions are new."""
    return await open_days(db, clock.now().date(), DAYS)


def keep_open(jobs: Jobs, db: Database, clock: Clock) -> None:
    """Open the next day once midnight has passed."""
    jobs.add("open_new_days", lambda: open_new_days(db, clock), after_midnight())


def after_midnight() -> BaseTrigger:
    """A second after midnight, and every ten minutes: a laptop may sleep through midnight."""
    return CronTrigger(minute="*/10", second=1, timezone=CITY_ZONE)
