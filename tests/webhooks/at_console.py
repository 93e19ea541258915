"""The console's door over HTTP, with a page for clerks, a form for reviewers, and browsers before it."""

from datetime import time, timedelta

from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import RawTestServer, TestClient

from core.chat.desk import Desk, DeskHours
from core.clock import ManualClock
from core.delivery.answering import Answering
from core.seal import Seal
from core.stores.database import Database
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.staff.model import Role
from services.staff.passwords import Passwords
from services.staff.service import Staff
from tests.support.city_hospital import notices_of
from tests.support.neighbourhood import community_of
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES
from tests.webhooks.logging_in import Browser, Client, Page
from webhooks.console.bindings import CounterDesk
from webhooks.console.desk import HumanDesk
from webhooks.console.door import ConsoleDoor, Inner
from webhooks.console.guard import Guard
from webhooks.console.homes import HomeDesk
from webhooks.console.pages import ConsolePages, Inside
from webhooks.console.password import OwnPassword
from webhooks.cookies import Jar
from webhooks.forms import Form
from webhooks.routes import Doors, Request, Route

PASSWORD = "correct horse battery"


class Counted(Passwords):
    """Counts how often argon2 works."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def compare(self, kept: str | None, password: str) -> bool:
        self.times += 1
        return super().compare(kept, password)


class Console:
    """A console with two pages more than the door has, and the desk where papers are compared."""

    def __init__(self, db: Database, seal: Seal, clock: ManualClock, *, secure: bool = True) -> None:
        self.db, self.clock = db, clock
        self.passwords = Counted()
        self.staff = Staff(db, seal, clock, self.passwords)
        self.is_ready = True
        self.taken: list[Form] = []
        jar = Jar(secure)
        pages = ConsolePages(TEMPLATES, words_of())
        guard = Guard(self.staff, pages, seal, jar, lambda: self.is_ready)
        own = [
            Route("GET", "/console/desk", guard.require(Role.CLERK, Role.ADMIN)(self._desk), "staff"),
            Route("POST", "/console/approve", guard.require_form(Role.REVIEWER)(self._approve), "staff"),
        ]
        proving = Proving(db, seal, clock, {}, notices_of(seal, clock))
        counter = CounterDesk(proving, Papers(clock), self.staff, guard, pages)
        community = community_of(db, seal, clock)
        homes = HomeDesk(community.homes, community.doors, self.staff, guard, pages)
        answering = Answering(db, seal, clock, notices_of(seal, clock))
        hours = DeskHours(time(8, 30), time(17, 30))
        human = HumanDesk(Desk(db, seal, clock, hours), answering, self.staff, guard, pages)
        desks = (human, homes, counter)
        door = ConsoleDoor(self.staff, guard, pages, seal, jar)
        door.leads_to(Inner([each.work() for each in desks], community.places.titles))
        password = OwnPassword(self.staff, guard, pages)
        inner = [route for each in desks for route in each.routes()]
        doors = Doors([*door.routes(), *password.routes(), *inner, *own])
        self.client: Client = TestClient(RawTestServer(doors.answer), cookie_jar=DummyCookieJar())

    async def employs(self, name: str = "lishan", *roles: str, scope: str = "hospital:zhongnan") -> str:
        member = await self.staff.add(name, PASSWORD, roles or ("clerk", "reviewer"), [scope])
        return member.id

    def browser(self) -> Browser:
        return Browser(self.client)

    async def tries(
        self, browser: Browser, name: str, password: str = PASSWORD, way: str = "/console"
    ) -> Page:
        """Somebody opens the login and types."""
        form = await browser.gets("/console/login")
        return await browser.sends(
            "/console/login", csrf=form.field("csrf"), next=way, name=name, password=password
        )

    async def logged_in(self, name: str = "lishan") -> Browser:
        browser = self.browser()
        came = await self.tries(browser, name)
        assert (came.status, came.to) == (303, "/console")
        return browser

    def passes(self, **time: float) -> None:
        self.clock.move(timedelta(**time))

    async def _desk(self, _request: Request, inside: Inside) -> web.Response:
        page = f'<h1>{inside.member.name}</h1><input name="csrf" value="{inside.csrf}">'
        return web.Response(text=page, content_type="text/html")

    async def _approve(self, _request: Request, inside: Inside, form: Form) -> web.Response:
        self.taken.append(form)
        return web.Response(text=f"<h1>{inside.member.name}</h1>")
