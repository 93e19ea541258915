"""The transit put together: its counter, the gates' door, and what recurs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from clients.wechat_pictures import WeChatPictures
from commands import lines
from commands.jobs import Jobs
from commands.outside import Outside
from commands.post import Post
from commands.reception import Means, at_wechat
from commands.surroundings import Surroundings
from core.clock import CITY_ZONE
from core.nonces import Nonces
from core.stores.database import Database
from services.citizens.consents import Consents
from services.citizens.service import Citizens
from services.payments.service import Payments
from services.transit import tariffs
from services.transit.model import PURPOSE
from services.transit.notices import RideNotices
from services.transit.pages import RideLinks
from services.transit.pictures import Pictures
from services.transit.service import Parts, Transit
from webhooks.api.transit import TransitDoor
from webhooks.assets import Assets
from webhooks.login.guard import LoggedIn
from webhooks.ride_account import RideAccount
from webhooks.rides import RidePages, Riding
from webhooks.routes import Route


@dataclass(frozen=True, slots=True)
class Riders:
    """Who rides, what they agreed to, what collects their money, and what tells them."""

    citizens: Citizens
    consents: Consents
    payments: Payments
    sent: Post


def transit(around: Surroundings, db: Database, outside: Outside, riders: Riders) -> Transit:
    """The counter of the lines that the settings name; of none where they name none."""
    folder = around.settings.transit.folder
    cap_fen = around.settings.issuer.cap_fen
    timetable = lines.signable(Path(folder), cap_fen) if folder else tariffs.NOTHING
    later = timedelta(seconds=around.settings.transit.debit_after_s)
    counter = Transit(
        Parts(
            db=db,
            payments=riders.payments,
            issuer=outside.issuer,
            timetable=timetable,
            clock=around.clock,
            consents=riders.consents,
            tells=RideNotices(riders.sent.notices, riders.citizens, _links(around), around.clock),
            debit_after=later,
        )
    )
    riders.payments.report_to(PURPOSE, counter)
    return counter


def chat(means: Means, counter: Transit) -> dict[type, object]:
    """What handlers need of rides besides the counter itself."""
    around = means.around
    uploads = WeChatPictures(*at_wechat(means))
    pictures = Pictures(means.db, counter, uploads, means.post.notices, around.clock)
    return {Pictures: pictures, RideLinks: _links(around)}


def _links(around: Surroundings) -> RideLinks:
    return RideLinks(around.settings.server.url)


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
