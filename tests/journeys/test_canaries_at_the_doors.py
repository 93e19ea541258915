"""What somebody says of themselves at any HTTP door is in no page, log, key, table or backup afterwards."""

import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import aiohttp
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from core import log
from core.clock import SystemClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.logins import Logins
from services.staff.model import Role
from services.staff.service import Staff
from tests.services.citizens.test_invariant_13 import Human, human
from tests.support.canaries import backup, contents, in_clear
from tests.support.city import City
from webhooks.cookies import Jar
from webhooks.login.sessions import NAME, Sessions

_XML = "<xml><ToUserName>{0}</ToUserName><FromUserName>{0}</FromUserName><Content>{0}</Content></xml>"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Whatever any door reads, and one that none does; who adds a door that reads another adds it here.
_FIELDS = (
    "k", "a", "b", "to", "as", "do", "did", "day", "next", "size", "account", "state", "code", "before",
    "purpose", "person", "name", "password", "old", "new", "again", "id_number", "binding", "period",
    "version", "key", "type", "n", "since", "from_wxpay", "no", "what",
    "reason", "after", "answer", "once", "anything",
)  # fmt: skip
_ENDS = ("logout", "all")  # what ends the session comes last
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
def logged() -> Iterator[None]:
    """Our log as `run` configures it."""
    log.configure()
    yield
    structlog.reset_defaults()


@dataclass(frozen=True)
class Caller:
    """Somebody with a browser: nobody in particular, a citizen or one of the staff who is logged in."""

    cookies: str = ""
    csrf: str = ""


class Doors:
    """Every door of a running city, as its own tables name them."""

    def __init__(self, city: City, operators: str) -> None:
        self.city = city
        self._operators = operators

    def all(self) -> list[tuple[str, str, str]]:
        """Address, method and path of each."""
        city = self.city
        known = ((city.public_url, city.gateway.app), (self._operators, city.gateway.admin))
        named = [(url, door.partition(" ")) for url, doors in known for door in doors.callers]
        found = [(url, method, path) for url, (method, _, path) in named]
        return sorted(found, key=lambda door: door[2].endswith(_ENDS))

    async def asks(self, url: str, method: str, path: str, caller: Caller, *words: str) -> bytes:
        """Say words in every place that a request has; what is answered, but for the address asked for."""
        said = {field: words[place % len(words)] for place, field in enumerate(_FIELDS)}
        first = words[0].encode().decode("latin-1")
        headers = {
            "User-Agent": first,
            "Referer": f"http://x.example/?{first}",
            "X-Forwarded-For": words[-1],
            "Cookie": f"{caller.cookies}; kept={urlencode({'k': words[0]})}",
            **(_FORM if method == "POST" else {}),
        }
        body = urlencode({**said, "csrf": caller.csrf}) if method == "POST" else None
        way = f"{path}?{urlencode(said)}"
        page = await answered(self.city, method, f"{url}{way}", body, headers)
        for safe in ("/", ""):  # larger type, and the login, lead back to where their reader is
            page = page.replace(quote(way, safe=safe).encode(), b"")
        return page

    async def caller(self, cookies: str, page: str) -> Caller:
        """Whoever has these cookies, and the token of their forms."""
        shown = await answered(self.city, "GET", f"{self.city.public_url}{page}", None, {"Cookie": cookies})
        found = _CSRF.search(shown.decode())
        assert found is not None, "nobody is logged in"
        return Caller(cookies, found[1])


async def answered(city: City, method: str, url: str, body: str | None, headers: dict[str, str]) -> bytes:
    """What a door answers; one that closes at once answers nothing."""
    asked = city.http.request(
        method, url, data=body and body.encode(), headers=headers, allow_redirects=False
    )
    try:
        async with asked as answer:
            return await answer.read() + str(answer.headers).encode()
    except aiohttp.ClientError:
        return b""


@pytest.fixture
async def doors(city: City) -> AsyncIterator[Doors]:
    async with RawTestServer(city.gateway.admin.answer) as operators:
        yield Doors(city, str(operators.make_url("")).rstrip("/"))


@pytest.fixture
def who() -> Human:
    return human(random.Random(7))


async def citizen(doors: Doors, seal: Seal, who: Human) -> Caller:
    """Who said it, logged in in a browser."""
    logins, answer, state = Logins(doors.city.gateway.db, SystemClock()), web.Response(), "0" * 32
    await logins.use(state, "city", "a code")
    sessions = Sessions(logins, seal, SystemClock(), Jar(secure=False))
    assert await sessions.open(answer, state, "city", seal.conversation("city", who.openid))
    return await doors.caller(f"{NAME}={answer.cookies[NAME].value}", "/me")


async def clerk(doors: Doors, seal: Seal) -> Caller:
    """One of the staff, logged in, who may do everything."""
    staff = Staff(doors.city.gateway.db, seal, SystemClock())
    await staff.add("li", "correct horse battery", [role.value for role in Role])
    token = (await staff.login("li", "correct horse battery", "127.0.0.1")).token
    return await doors.caller(f"staff={token}", "/console")


async def written(city: City) -> dict[str, bytes]:
    """All that is stored, and what a backup would take of it."""
    return {**await contents(city.gateway.db, city.gateway.redis), **await backup(city.gateway.db)}


async def test_nothing_said_at_any_door_is_written_down_in_clear(
    doors: Doors, seal: Seal, who: Human, logged: None, capfd: pytest.CaptureFixture[str]
) -> None:
    city = doors.city
    for said in (
        *(f"我叫{who.name}", who.phone, f"{who.number}", "人工", f"{who.name}电话{who.phone}"),
        *(f"{who.name}到{who.phone}多少钱", f"{who.number}路多少钱", "票价", who.name, who.number, "取消"),
    ):
        await city.says(who.openid, said)
    callers = [Caller(), await citizen(doors, seal, who), await clerk(doors, seal)]
    words = (who.name, who.number, who.phone, who.openid)
    pages = {
        (method, path, number): await doors.asks(url, method, path, caller, *words[turn:], *words[:turn])
        for url, method, path in doors.all()
        for number, caller in enumerate(callers)
        for turn in (0, 1)
    }
    assert {
        "/me",
        "/export",
        "/console/bindings",
        "/login",
        "/metrics",
        "/transit",
        "/transit/open",
        "/api/transit/taps",
    } <= {path for _, path, _ in pages}
    said_back = {door: found for door, page in pages.items() if (found := who.canaries.within(page))}
    assert not said_back, "no page says it back"
    assert not in_clear(who.canaries, await written(city))
    printed = capfd.readouterr()
    assert printed.err, "there is a log to look at"
    assert not who.canaries.within((printed.out + printed.err).encode())


async def test_nothing_that_is_no_door_is_written_down_either(
    city: City, who: Human, logged: None, capfd: pytest.CaptureFixture[str]
) -> None:
    for word in (who.name, who.number, who.phone, who.openid):
        for method, path, body in (
            ("GET", f"/{word}", None),
            ("PUT", f"/me/{word}", word),
            ("GET", f"/wechat/city?echostr={word}&signature={word}&timestamp=1&nonce={word}", None),
            ("POST", f"/wechat/city?openid={word}&signature=x&timestamp=1&nonce=1", _XML.format(word)),
            ("POST", f"/wechat/city?{word * 2_000}", f"<!DOCTYPE {word}>"),
        ):
            page = await answered(city, method, f"{city.public_url}{path}", body, {})
            assert not who.canaries.within(page)
    assert not in_clear(who.canaries, await written(city))
    printed = capfd.readouterr()
    assert not who.canaries.within((printed.out + printed.err).encode())


# --- controls: what is planted is found ---


async def test_control_a_line_that_says_it_is_found(
    who: Human, logged: None, capfd: pytest.CaptureFixture[str]
) -> None:
    structlog.get_logger("test").info("said", words=who.name)
    assert who.canaries.within(capfd.readouterr().err.encode())


async def test_control_a_door_that_says_it_back_is_found(doors: Doors, who: Human) -> None:
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.query["anything"] + request.headers["User-Agent"])

    async with RawTestServer(echo) as server:
        page = await doors.asks(str(server.make_url("")).rstrip("/"), "GET", "/echo", Caller(), who.number)
    assert who.canaries.within(page) == who.number


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE SCHEMA aside; CREATE TABLE aside.copied AS SELECT '{}'::text AS words",
        "CREATE MATERIALIZED VIEW known AS SELECT '{}'::text AS words",
        "COMMENT ON TABLE accounts IS '{}'",
        "SELECT lo_from_bytea(0, convert_to('{}', 'UTF8'))",
        "CREATE FUNCTION known() RETURNS text LANGUAGE sql AS $$ SELECT '{}'::text $$",
    ],
)
async def test_control_what_only_a_backup_takes_along_is_found(
    db: Database, redis: Redis, who: Human, planted: str
) -> None:
    await db.execute(planted.format(who.name))
    assert not in_clear(who.canaries, await contents(db, redis))
    assert in_clear(who.canaries, await backup(db))
