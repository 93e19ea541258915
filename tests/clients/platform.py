"""WeChat's API side for tests: the real simulator, with somebody at the door who counts and can misbehave."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

import simulator.app
from clients.wechat import Credentials, Platform, Shelf, WeChat, WeChatSender
from core.clock import Clock
from core.seal import Seal
from core.stores.redis import Redis
from simulator.accounts import Account
from simulator.windows import Limits
from tests.simulator.town import MovableClock

SEND, TOKEN = "message/custom/send", "stable_token"
CITY = Credentials("city", "wx1", "right")
OPENID = "oCity-citizen_0001-of-28-chr"
Instead = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass(frozen=True)
class Wire:
    """A request as it came: `call` is without `cgi-bin`, `query` without the token."""

    method: str
    call: str
    query: dict[str, str]
    body: bytes
    content_type: str


@dataclass
class Weixin:
    """The simulator and what was asked of it; `instead` answers a call in its place, or returns None."""

    clock: MovableClock = field(default_factory=MovableClock)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    instead: dict[str, Instead] = field(default_factory=dict)
    url: str = ""

    def server(self, limits: Limits | None = None) -> TestServer:
        accounts = [
            Account(key, "城", f"gh_{key}", appid, "right", "t", "", "plain", "http://127.0.0.1:1/")
            for key, appid in (("city", "wx1"), ("other", "wx2"))
        ]
        app = simulator.app.build(accounts, retry_s=0.01, clock=self.clock, limits=limits)
        app.middlewares.append(self._door())
        return TestServer(app)

    def _door(self) -> Any:
        @web.middleware
        async def door(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
            if request.path.startswith(("/cgi-bin/", "/sns/")):
                call = request.path.removeprefix("/cgi-bin/").lstrip("/")
                await self._note(call, request)
                other = self.instead.get(call)
                if other is not None and (answer := await other(request)) is not None:
                    return answer
            answered: web.StreamResponse = await handler(request)
            return answered

        return door

    async def _note(self, call: str, request: web.Request) -> None:
        multipart = request.content_type.startswith("multipart/")  # which the simulator reads as it comes
        body = b"" if multipart else await request.read()
        query = {name: value for name, value in request.query.items() if name != "access_token"}
        self.wires.append(Wire(request.method, call, query, body, request.headers.get("Content-Type", "")))
        if body:
            self.calls.append((call, msgspec.json.decode(body)))

    def asked(self, call: str) -> list[dict[str, Any]]:
        """What was sent with each call of that name."""
        return [body for name, body in self.calls if name == call]

    @property
    def forced(self) -> list[bool]:
        """For each token that was asked for, whether a new one was forced."""
        return [body["force_refresh"] for body in self.asked(TOKEN)]

    async def writes(self, openid: str = OPENID, account: str = "city") -> None:
        """A citizen writes something, which opens a window."""
        await self.acts("/sim/messages", account=account, openid=openid, type="text", content="在吗")

    async def leaves(self, openid: str = OPENID) -> None:
        await self.acts("/sim/messages", account="city", openid=openid, type="event", event="unsubscribe")

    async def forces_a_token(self) -> None:
        """Somebody else uses the account's secret and makes every token of ours invalid."""
        wish = {"grant_type": "client_credential", "appid": "wx1", "secret": "right", "force_refresh": True}
        await self.acts("/cgi-bin/stable_token", **wish)
        self.calls.clear()

    async def phone(self, openid: str = OPENID, kind: str = "custom") -> list[dict[str, Any]]:
        """The customer-service messages that arrived, or those of another kind."""
        query = {"account": "city", "openid": openid}
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/sim/inbox", params=query) as inbox:
            return [each for each in await inbox.json() if each["kind"] == kind]

    async def acts(self, path: str, **body: object) -> None:
        async with aiohttp.ClientSession() as http, http.post(f"{self.url}{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()


@dataclass
class Gateway:
    """What one process of ours has: an HTTP session, a Redis or none, a sender."""

    http: aiohttp.ClientSession
    clock: Clock
    redis: Redis | None
    seal: Seal

    def platform(self, url: str, timeout_s: float = 5.0) -> Platform:
        shelf = Shelf(self.redis, self.seal) if self.redis is not None else None
        return Platform(self.http, url, self.clock, shelf, timeout_s, open_base=url, mp_base=url)

    def wechat(self, url: str, who: Credentials = CITY) -> WeChat:
        return WeChat(self.platform(url), who)

    def sender(self, url: str, who: Credentials = CITY, *, timeout_s: float = 5.0) -> WeChatSender:
        return WeChatSender(self.platform(url, timeout_s), [who])


def answers(code: int, **more: object) -> Instead:
    """WeChat answers with this code."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"errcode": code, "errmsg": "as the test wants it", **more})

    return answer


def says(status: int, text: str) -> Instead:
    """Something that is not WeChat answers."""

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return answer


async def resets(request: web.Request) -> web.StreamResponse | None:
    """The connection is cut after the request was read."""
    assert request.transport is not None
    request.transport.abort()
    return None
