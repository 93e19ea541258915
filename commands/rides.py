"""The transit put together: its counter, the gates' door, and what recurs."""

from collections.abc import Callable
from datetime import timedelta
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
from services.citizens.consents import Consents
from services.payments.service import Payments
from services.transit import tariffs
from services.transit.model import PURPOSE
from services.transit.service import Parts, Transit
from webhooks.api.transit import TransitDoor
from webhooks.assets import Assets
from webhooks.login.guard import LoggedIn
from webhooks.ride_account import RideAccount
from webhooks.rides import RidePages, Riding
from webhooks.routes import Route


def transit(around: Surroundings, db: Database, payments: Payments, outside: Outside) -> Transit:
    """The counter of the lines that the settings name; of none where they name none."""
    folder = around.settings.transit.folder
    timetable = tariffs.read(Path(folder)) if folder else tariffs.NOTHING
    later = timedelta(seconds=around.settings.transit.debit_after_s)
    counter = Transit(Parts(db, payments, outside.issuer, timetable, around.clock, debit_after=later))
    payments.report_to(PURPOSE, counter)
    return counter


def gates(means: Means, counter: Transit, ready: Callable[[], bool]) -> list[Route]:
    """Where gates upload and ask whom to trust; nowhere while no line runs."""
    if not counter.runs:
        return []
    return TransitDoor(counter, Nonces(means.redis, "gates"), means.around.clock, ready).routes()


def pages(means: Means, counter: Transit, consents: Consents, inside: LoggedIn) -> list[Route]:
    """The pages of ride codes; none while no line runs."""
    if not counter.runs:
        return []
    riding = Riding(counter, consents, means.post.words)
    account = RideAccount(inside, riding, means.around.settings.server.url)
    return [*RidePages(inside, riding, Assets()).routes(), *account.routes()]


def ride(jobs: Jobs, counter: Transit) -> None:
    """Price what was tapped, end the days at three, and close accounts that wait for it."""
    if counter.runs:
        jobs.add("settle_rides", counter.settle_all, IntervalTrigger(seconds=1, timezone=CITY_ZONE))
        jobs.add("close_days", counter.close_days, CronTrigger(hour="3", minute="5,35", timezone=CITY_ZONE))
        jobs.add(
            "close_ride_accounts", counter.finish_closing, IntervalTrigger(minutes=1, timezone=CITY_ZONE)
        )
