"""The doors for people put together: pages behind links, pages behind a login, and the console."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from clients.wechat import (
    Credentials,
    Platform,
    SnapshotUserError,
    WeChat,
    WeChatGoneError,
    WeChatRefusedError,
)
from commands import rides
from commands.reception import Means
from commands.services import Services
from core.delivery.answering import Answering
from core.delivery.prompts import Prompting
from services.citizens.logins import Logins
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from services.staff.service import Staff
from services.transit.pages import CODE
from settings import Settings, is_wechat_host
from webhooks.console.bindings import CounterDesk
from webhooks.console.desk import HumanDesk
from webhooks.console.door import ConsoleDoor, Inner
from webhooks.console.guard import Guard
from webhooks.console.homes import HomeDesk
from webhooks.console.pages import ConsolePages
from webhooks.console.password import OwnPassword
from webhooks.cookies import Jar
from webhooks.export import ExportPages
from webhooks.login.door import Entrance, LoginDoor
from webhooks.login.guard import LoggedIn
from webhooks.login.pages import H5Pages
from webhooks.login.sessions import Sessions
from webhooks.login.wechat import (
    Arrived,
    CodeRefusedError,
    NoAnswerError,
    PreviewError,
)
from webhooks.me import Me, Own
from webhooks.routes import Route
from webhooks.visit_desk import VisitDesk
from webhooks.visit_pages import VisitPages
from webhooks.visits import Visits

Ready = Callable[[], bool]


def doors(means: Means, services: Services, ready: Ready) -> list[Route]:
    """Every page that a browser may ask for."""
    inside = logged_in(means, services.citizens, ready)
    data = services.data
    agreed = data.consents, data.withdrawing
    riding = CODE if services.transit.runs else ""
    own = Own(services.families, services.proving, *agreed, data.accesses, means.post.words, riding)
    exports = ExportPages(inside, data.exports)
    mine = [*inside.routes(), *Me(inside, own).routes(), *exports.routes()]
    mine += rides.pages(means, services.transit, data.consents, inside)
    machines = rides.gates(means, services.transit, ready)
    return [*visits(means, services.hospital, ready), *mine, *console(means, services, ready), *machines]


def console(means: Means, services: Services, ready: Ready) -> list[Route]:
    """The console; later pages of it take `guard` and `pages` as its door does."""
    around = means.around
    server, seal = around.settings.server, around.seal
    jar = _jar(around.settings)
    staff = Staff(means.db, seal, around.clock)
    pages = ConsolePages(around.templates, means.post.words)
    guard = Guard(staff, pages, seal, jar, ready)
    door = ConsoleDoor(staff, guard, pages, seal, jar, server.proxy)
    counter = CounterDesk(services.proving, services.papers, staff, guard, pages)
    password = OwnPassword(staff, guard, pages, server.proxy)
    homes = HomeDesk(services.community.homes, services.community.doors, staff, guard, pages)
    answering = Answering(means.db, seal, around.clock, means.post.notices)
    desk = HumanDesk(services.desk, answering, staff, guard, pages)
    desks = (desk, homes, counter)
    door.leads_to(Inner([each.work() for each in desks], services.community.places.titles))
    return [*door.routes(), *password.routes(), *(route for each in desks for route in each.routes())]


def visits(means: Means, hospital: Hospital, ready: Ready) -> list[Route]:
    """The pages behind the links of bookings."""
    around = means.around
    words, framed = means.post.words, framed_by(around.settings)
    pages = VisitPages(hospital, words, around.clock, around.templates, ready, framed)
    asked = Prompting(means.db)
    return [*Visits(pages, asked).routes(), *VisitDesk(pages, asked).routes()]


def logged_in(means: Means, citizens: Citizens, ready: Ready) -> LoggedIn:
    """What wraps citizens' pages."""
    around, settings = means.around, means.around.settings
    jar = _jar(settings)
    pages = H5Pages(around.templates, jar, framed_by(settings))
    logins = Logins(means.db, around.clock)
    sessions = Sessions(logins, around.seal, around.clock, jar)
    entrance = Entrance(settings.server.url, _logins_at(means), citizens, _Unionids(citizens))
    door = LoginDoor(entrance, logins, sessions, pages, around.seal, around.clock)
    return LoggedIn(door, sessions, pages, ready)


def _jar(settings: Settings) -> Jar:
    return Jar(settings.server.url.startswith("https://"))


def framed_by(settings: Settings) -> str:
    """Whose page may stand around citizens' pages: that of the simulator's phone, where it plays WeChat."""
    simulated = settings.simulator.url
    return simulated if settings.wechat.url == simulated else ""


@dataclass(frozen=True, slots=True)
class _Unionids:
    """One human's accounts become one citizen's when a login tells their unionid."""

    citizens: Citizens

    async def learned(self, conversation: str, unionid: str) -> None:
        await self.citizens.unite(conversation, unionid)


@dataclass(frozen=True, slots=True)
class _AtWeChat:
    """The web login of one account, in the words of the door."""

    account: WeChat

    def address(self, back: str, state: str) -> str:
        return self.account.login.address(back, state)

    async def redeem(self, code: str) -> Arrived:
        try:
            login = await self.account.login.redeem(code)
        except SnapshotUserError as preview:
            raise PreviewError from preview
        except WeChatRefusedError as refused:
            raise CodeRefusedError from refused
        except WeChatGoneError as gone:
            raise NoAnswerError from gone
        return Arrived(login.openid, login.unionid)


def _logins_at(means: Means) -> dict[str, _AtWeChat]:
    settings = means.around.settings
    platform = Platform(means.http, settings.wechat.url, means.around.clock)
    if not is_wechat_host(settings.wechat.url):
        platform = replace(platform, open_base=settings.wechat.url)
    return {
        key: _AtWeChat(WeChat(platform, Credentials(key, account.appid, account.secret)))
        for key, account in settings.accounts.items()
    }
