"""A city's pages with a login before them, WeChat's side of it, and browsers with cookies of their own."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import RawTestServer, TestClient

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.accesses import Accesses
from services.citizens.consent_texts import Texts
from services.citizens.consents import Consents
from services.citizens.logins import Logins
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.citizens.withdrawing import Withdrawing
from tests.support.city_hospital import notices_of
from tests.support.people import MOTHER
from tests.support.register import Register
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES
from webhooks.cookies import Jar
from webhooks.forms import Form
from webhooks.login.door import Entrance, LoginDoor
from webhooks.login.guard import LoggedIn
from webhooks.login.pages import H5Pages
from webhooks.login.sessions import H5Session, Sessions
from webhooks.login.wechat import Arrived, CodeRefusedError, NoAnswerError, PreviewError
from webhooks.me import Me, Own
from webhooks.routes import Doors, Request, Route

Client = TestClient[web.BaseRequest, None]
CITY = "https://city.example"
GRANDMA, GRANDPA = "oABCD-grandma-0000000000000", "oABCD-grandpa-0000000000000"


@dataclass
class WeChatsSide:
    """WeChat's login of one account: what each code is worth, once."""

    codes: dict[str, Arrived | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def address(self, back: str, state: str) -> str:
        return f"https://wechat.example/authorize?{urlencode({'back': back, 'state': state})}"

    async def redeem(self, code: str) -> Arrived:
        self.asked.append(code)
        worth = self.codes.pop(code, CodeRefusedError())
        if isinstance(worth, Exception):
            raise worth
        return worth

    def knows(self, openid: str, unionid: str = "") -> str:
        """A code for somebody."""
        code = f"code-{len(self.codes)}-{len(self.asked)}"
        self.codes[code] = Arrived(openid, unionid)
        return code

    def sees_a_preview(self) -> str:
        self.codes["preview"] = PreviewError()
        return "preview"

    def is_away(self) -> str:
        self.codes["away"] = NoAnswerError()
        return "away"


@dataclass(frozen=True)
class Page:
    """What a browser was answered."""

    status: int
    text: str
    to: str
    headers: dict[str, str]
    given: SimpleCookie

    @property
    def title(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text)
        return found[1] if found else ""

    @property
    def state(self) -> str:
        return parse_qs(urlsplit(self.to).query)["state"][0]

    @property
    def back(self) -> str:
        """The path WeChat is told to send the browser back to."""
        return parse_qs(urlsplit(self.to).query)["back"][0]

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None, self.text
        return unescape(found[1])


class Browser:
    """A browser: sends what cookies it was given, follows nothing by itself."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}

    async def gets(self, path: str, **headers: str) -> Page:
        return await self._asks("GET", path, headers)

    async def sends(self, path: str, **form: str) -> Page:
        return await self._asks("POST", path, {}, form)

    async def sends_from(self, address: str, path: str, **form: str) -> Page:
        """Send a form through the city's web server, which says where it comes from."""
        return await self._asks("POST", path, {"X-Forwarded-For": address}, form)

    async def sends_raw(self, path: str, body: bytes, content_type: str) -> Page:
        return await self._asks("POST", path, {"Content-Type": content_type}, body)

    async def comes_back(self, way: Page, code: str) -> Page:
        """WeChat sends it back with a code."""
        query = urlencode({"code": code, "state": way.state})
        return await self.gets(f"{way.back.removeprefix(CITY)}?{query}")

    async def _asks(
        self, method: str, path: str, headers: dict[str, str], data: bytes | dict[str, str] | None = None
    ) -> Page:
        if self.cookies:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers = {**headers, "Cookie": cookies}
        asked = self._client.request(method, path, headers=headers, data=data, allow_redirects=False)
        async with asked as answer:
            for name, morsel in answer.cookies.items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
            text = (await answer.read()).decode()
            to = answer.headers.get("Location", "")
            return Page(answer.status, text, to, dict(answer.headers), answer.cookies)


Further = Callable[[LoggedIn], list[Route]]


def _none(_inside: LoggedIn) -> list[Route]:
    return []


class House:
    """Pages that are for one citizen each: 我的, one that says who it is, one that takes a form."""

    def __init__(
        self, db: Database, seal: Seal, clock: ManualClock, base_url: str = CITY, further: Further = _none
    ) -> None:
        self.db, self.seal, self.clock = db, seal, clock
        self.wechat, self.school = WeChatsSide(), WeChatsSide()
        self.heard: list[tuple[str, str]] = []
        self.taken: list[Form] = []
        self.is_ready = True
        jar = Jar(base_url.startswith("https:"))
        self.logins = Logins(db, clock)
        self.sessions = Sessions(self.logins, seal, clock, jar)
        pages = H5Pages(TEMPLATES, jar)
        accounts = {"city": self.wechat, "school": self.school}
        entrance = Entrance(base_url, accounts, Citizens(db, seal), self)
        door = LoginDoor(entrance, self.logins, self.sessions, pages, seal, clock)
        self.inside = LoggedIn(door, self.sessions, pages, lambda: self.is_ready)
        notices, stores = notices_of(seal, clock), (db, seal, clock)
        self.register = Register({MOTHER: "13800001111"})
        self.families = Families(*stores, notices)
        self.proving = Proving(*stores, {self.register.name: self.register}, notices)
        self.consents = Consents(db, clock, Texts(TEMPLATES / "consent"))
        self.accesses = Accesses(*stores, notices)
        withdrawing = Withdrawing(db, self.consents, self.families, {})
        self.own = Own(self.families, self.proving, self.consents, withdrawing, self.accesses, words_of())
        mine = [
            Route("GET", "/who", self.inside.page(self._who), "citizen"),
            Route("POST", "/note", self.inside.form(self._note), "citizen"),
            Route("GET", "/public", self._public, "anyone"),
        ]
        mine += further(self.inside)
        doors = Doors([*self.inside.routes(), *Me(self.inside, self.own).routes(), *mine])
        self.client: Client = TestClient(RawTestServer(doors.answer), cookie_jar=DummyCookieJar())

    async def learned(self, conversation: str, unionid: str) -> None:
        self.heard.append((conversation, unionid))

    async def _who(self, request: Request, session: H5Session) -> web.Response:
        csrf = f'<input name="csrf" value="{self.sessions.csrf(session)}">'
        return web.Response(text=f"<h1>{session.citizen} {session.account}</h1>{csrf}")

    async def _note(self, request: Request, session: H5Session, form: Form) -> web.Response:
        self.taken.append(form)
        return web.Response(text=f"<h1>{session.citizen}</h1>")

    async def _public(self, request: Request) -> web.Response:
        session = await self.sessions.of(request)
        return web.Response(text=f"<h1>{session.citizen if session else '公开'}</h1>")

    def browser(self) -> Browser:
        return Browser(self.client)

    async def logged_in(self, openid: str = GRANDMA) -> Browser:
        """A browser in which somebody is logged in."""
        browser = self.browser()
        came = await browser.comes_back(await browser.gets("/who"), self.wechat.knows(openid))
        assert (came.status, came.to) == (303, "/who")
        return browser

    def passes(self, **time: float) -> None:
        self.clock.move(timedelta(**time))


@pytest.fixture
async def house(db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[House]:
    """Pages of a city that is reached over https."""
    house = House(db, seal, clock)
    async with house.client:
        yield house
