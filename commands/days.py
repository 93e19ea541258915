"""Opening days: numbers are offered for today and the week ahead, whatever catalogue is there."""

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from commands.jobs import Job, Jobs
from core.clock import CITY_ZONE, Clock
from core.stores.database import Database
from services.hospital.catalogue import open_days
from services.hospital.rules import Rules

DAYS = Rules().horizon_days


async def open_new_days(db: Database, clock: Clock) -> int:
    """Open those days of the coming week that are not open yet; return how many sessions are new."""
    return await open_days(db, clock.now().date(), DAYS)


def keep_open(jobs: Jobs, job: Job) -> None:
    """Open the next day, by `job`, once midnight has passed."""
    jobs.add("open_new_days", job, after_midnight())


def after_midnight() -> BaseTrigger:
    """A second after midnight, and every ten minutes: a laptop may sleep through midnight."""
    return CronTrigger(minute="*/10", second=1, timezone=CITY_ZONE)
