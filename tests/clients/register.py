"""A hospital's register to ask: the simulator's, with somebody at the door who looks and can misbehave."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

import simulator.app
from clients.institution import Access, HttpInstitution
from core.clock import Clock
from simulator.accounts import Account
from simulator.register import Figures
from simulator.register_door import Institution
from simulator.residents import Resident, residents
from tests.simulator.town import MovableClock

SECRET = "a-secret-of-at-least-32-characters"
TITLE = "云汀市人民医院"
Instead = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class Register:
    """The register, and the addresses and headers that reached it; `instead` answers for it."""

    clock: MovableClock = field(default_factory=MovableClock)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    instead: Instead | None = None
    url: str = ""

    def server(self, figures: Figures, secret: str = SECRET) -> TestServer:
        account = Account("city", "城", "gh_1", "wx1", "right", "t", "", "plain", "http://127.0.0.1:1/")
        app = simulator.app.build([account], clock=self.clock)
        app[simulator.app.INSTITUTIONS].add(Institution("renmin", TITLE, secret, figures))
        app.middlewares.append(self._door())
        return TestServer(app)

    def _door(self) -> Any:
        @web.middleware
        async def door(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
            if request.path.startswith("/institution/"):
                if self.instead is not None and (other := await self.instead(request)) is not None:
                    return other
                self.seen.append((str(request.rel_url), dict(request.headers)))
            answered: web.StreamResponse = await handler(request)
            return answered

        return door

    def somebody(self, name: str) -> Resident:
        return next(one for one in residents(self.clock().date()) if one.name == name)

    async def texts(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/sim/sms") as answer:
            found: list[dict[str, Any]] = await answer.json()
            return found

    async def code(self) -> str:
        """The last code that went out."""
        words: str = (await self.texts())[-1]["content"]
        return next(word for word in words.replace("，", " ").split() if word.isdecimal() and len(word) == 6)


def institution(
    http: aiohttp.ClientSession, url: str, clock: Clock, secret: str = SECRET, timeout_s: float = 5.0
) -> HttpInstitution:
    access = Access("renmin", TITLE, f"{url}/institution/renmin", secret, True, timeout_s)
    return HttpInstitution(http, access, clock)


def signed(
    body: bytes, *, status: int = 200, at: int | None = None, secret: str = SECRET, nonce: str = ""
) -> Instead:
    """Answer with this body, signed; as the register would have, but for what is given."""

    async def answer(request: web.Request) -> web.StreamResponse:
        when = str(int(request.headers["Bianmin-Time"]) if at is None else at)
        named = nonce or request.headers["Bianmin-Nonce"]
        lines = ["bianmin-answer-1", str(status), when, named, hashlib.sha256(body).hexdigest()]
        signature = hmac.new(secret.encode(), "\n".join(lines).encode(), "sha256").hexdigest()
        headers = {"Bianmin-Time": when, "Bianmin-Signature": signature}
        return web.Response(body=body, status=status, headers=headers)

    return answer
