"""The transit put together: its counter, the gates' door, and what recurs."""

from collections.abc import Callable
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from commands.jobs import Jobs
from commands.outside import Outside
from commands.reception import Means
from commands.surroundings import Surroundings
from core.clock import CITY_ZONE
from core.nonces import Nonces
from core.stores.database import Database
from services.payments.service import Payments
from services.transit import tariffs
from services.transit.model import PURPOSE
from services.transit.service import Parts, Transit
from webhooks.api.transit import TransitDoor
from webhooks.routes import Route


def transit(around: Surroundings, db: Database, payments: Payments, outside: Outside) -> Transit:
    """The counter of the lines that the settings name; of none where they name none."""
    folder = around.settings.transit.folder
    timetable = tariffs.read(Path(folder)) if folder else tariffs.NOTHING
    counter = Transit(Parts(db, payments, outside.issuer, timetable, around.clock))
    payments.report_to(PURPOSE, counter)
    return counter


def gates(means: Means, counter: Transit, ready: Callable[[], bool]) -> list[Route]:
    """Where gates upload and ask whom to trust; nowhere while no line runs."""
    if not counter.runs:
        return []
    return TransitDoor(counter, Nonces(means.redis, "gates"), means.around.clock, ready).routes()


def ride(jobs: Jobs, counter: Transit) -> None:
    """Price what was tapped, end the days at three, and close accounts that wait for it."""
    if counter.runs:
        jobs.add("settle_rides", counter.settle_all, IntervalTrigger(seconds=1, timezone=CITY_ZONE))
        jobs.add("close_days", counter.close_days, CronTrigger(hour="3", minute="5,35", timezone=CITY_ZONE))
        jobs.add(
            "close_ride_accounts", counter.finish_closing, IntervalTrigger(minutes=1, timezone=CITY_ZONE)
        )
