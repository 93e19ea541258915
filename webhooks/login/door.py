"""The way in: to WeChat with a state, back with a code, and out again."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog
from aiohttp import web

from core.clock import Clock
from core.seal import Seal
from services.citizens.logins import STATE_LASTS, Logins
from services.citizens.service import Citizens
from webhooks.cookies import Jar, opened, sealed
from webhooks.login.pages import H5Pages
from webhooks.login.sessions import Sessions
from webhooks.login.ways import HOME, LOGIN, own_way, through_login
from webhooks.login.wechat import (
    Arrived,
    CodeRefusedError,
    Hears,
    NoAnswerError,
    PreviewError,
    WebLogin,
)
from webhooks.routes import Request, Route

_PENDING = "login_"  # and the beginning of its state: two tabs log in side by side
_NAMED_BY = 8
_MOST_PENDING = 5
_MOST_CODE = 512
_STATE = re.compile(r"[0-9a-f]{32}")

_log = structlog.get_logger("login")


class _Pending(msgspec.Struct, frozen=True, array_like=True):
    """What the browser that went to WeChat keeps, sealed for its state and account."""

    next: str
    until: int


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the way in is made of; `logins_at` has WeChat's login of each account, the usual one first."""

    base_url: str
    logins_at: Mapping[str, WebLogin]
    citizens: Citizens
    hears: Hears


class LoginDoor:
    """Logs citizens in through the account they come from."""

    def __init__(
        self, entrance: Entrance, logins: Logins, sessions: Sessions, pages: H5Pages, seal: Seal, clock: Clock
    ) -> None:
        self._entrance = entrance
        self._logins = logins
        self._sessions = sessions
        self._pages = pages
        self._seal = seal
        self._clock = clock
        self._jar = Jar(entrance.base_url.startswith("https://"))

    def routes(self) -> list[Route]:
        """Anyone may begin; who comes back is looked at."""
        back = [
            Route("GET", f"{LOGIN}/{account}", partial(self._back, account), "citizen")
            for account in self._entrance.logins_at
        ]
        return [Route("GET", LOGIN, self._begin, "anyone"), *back]

    def knows(self, account: str) -> bool:
        """Tell whether citizens can log in through an account."""
        return account in self._entrance.logins_at

    def begin(self, request: Request, way: str, account: str = "") -> web.Response:
        """Send a browser to WeChat, and let it come back to where it wanted to go."""
        login = self._entrance.logins_at.get(account)
        if login is None:
            account, login = next(iter(self._entrance.logins_at.items()))
        state = secrets.token_hex(16)
        back = f"{self._entrance.base_url}{LOGIN}/{account}"
        answer = self._pages.led(login.address(back, state))
        until = int((self._clock.now() + STATE_LASTS).timestamp())
        pending = msgspec.msgpack.encode(_Pending(own_way(way), until))
        others = self._jar.names(request, _PENDING)
        for forgotten in others if len(others) >= _MOST_PENDING else ():
            self._jar.drop(answer, forgotten)
        kept = sealed(self._seal, pending, _context(state, account))
        self._jar.put(answer, _name(state), kept, STATE_LASTS)
        return answer

    async def _begin(self, request: Request) -> web.Response:
        return self.begin(request, request.query.get("next", HOME), request.query.get("account", ""))

    async def _back(self, account: str, request: Request) -> web.Response:
        """Know who came back: this browser was sent, just now, and never before with this state or code."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        pending = self._pending(request, state, account)
        if pending is None:
            return self._failed(request, "stale", through_login(HOME, account))
        if not 0 < len(code) <= _MOST_CODE:
            return self._failed(request, "refused", through_login(pending.next, account))
        if not await self._logins.use(state, account, code):
            return self._pages.led(pending.next)  # pressed twice: the first one logs in
        return await self._ask(request, account, code, pending)

    async def _ask(self, request: Request, account: str, code: str, pending: _Pending) -> web.Response:
        """Let WeChat say who has this code."""
        again = through_login(pending.next, account)
        try:
            arrived = await self._entrance.logins_at[account].redeem(code)
        except PreviewError:
            return self._pages.shown(request, "login_preview", 403, again=again)
        except CodeRefusedError:
            return self._failed(request, "refused", again)
        except NoAnswerError:
            return self._pages.shown(request, "login_later", 503, why="wechat", again=again)
        return await self._let_in(request, account, arrived, pending)

    async def _let_in(
        self, request: Request, account: str, arrived: Arrived, pending: _Pending
    ) -> web.Response:
        conversation = self._seal.conversation(account, arrived.openid)
        await self._entrance.citizens.arrive(conversation, account, arrived.openid, following=False)
        if arrived.unionid:
            await self._entrance.hears.learned(conversation, arrived.unionid)
        state = request.query["state"]
        answer = self._pages.led(pending.next)
        await self._sessions.close(request, answer)  # whoever was logged in here before
        await self._sessions.open(answer, state, account, conversation)
        self._jar.drop(answer, _name(state))
        return answer

    def _pending(self, request: Request, state: str, account: str) -> _Pending | None:
        """What this browser keeps for a state; None for one that it was not given, or too long ago."""
        if not _STATE.fullmatch(state):
            return None
        plain = opened(self._seal, self._jar.get(request, _name(state)), _context(state, account))
        if plain is None:
            return None
        try:
            pending = msgspec.msgpack.decode(plain, type=_Pending)
        except msgspec.DecodeError:  # of a version of ours that wrote other things into it
            return None
        return pending if self._clock.timestamp() < pending.until else None

    def _failed(self, request: Request, why: str, again: str) -> web.Response:
        _log.info("login_failed", why=why)
        return self._pages.shown(request, "login_failed", 400, why=why, again=again)


def _name(state: str) -> str:
    """The cookie of a login that is under way."""
    return _PENDING + state[:_NAMED_BY]


def _context(state: str, account: str) -> str:
    return f"h5-login:{account}:{state}"
