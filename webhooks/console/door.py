"""The way into the console and out of it, and the page where one arrives."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from core.errors import DomainError
from core.seal import Seal
from services.staff.errors import StaffBusy, StaffLocked
from services.staff.service import Staff
from webhooks.console.address import address_of
from webhooks.console.guard import CSRF, Guard
from webhooks.console.pages import HOME, LOGIN, ConsolePages, Inside
from webhooks.console.work import Work, waiting
from webhooks.cookies import Jar
from webhooks.forms import Form, FormRefusedError, form_of
from webhooks.routes import Request, Route
from webhooks.ways import own_way

_COOKIE = "console-login"
_PURPOSE = "console-login"
_STATUS = {StaffLocked: 429, StaffBusy: 503}


ScopesNamed = Callable[[Collection[str]], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Inner:
    """What is behind the door: the work there is, and how places and institutions are called."""

    works: Sequence[Work]
    named: ScopesNamed


class ConsoleDoor:
    """Login, logout, and the first page; `proxy` is the web server in front of us on another machine."""

    def __init__(
        self, staff: Staff, guard: Guard, pages: ConsolePages, seal: Seal, jar: Jar, proxy: str = ""
    ) -> None:
        self._inner = Inner((), _as_they_are)
        self._staff = staff
        self._guard = guard
        self._pages = pages
        self._seal = seal
        self._jar = jar
        self._proxy = proxy

    def leads_to(self, inner: Inner) -> "ConsoleDoor":
        """Show this work on the first page."""
        self._inner = inner
        return self

    def routes(self) -> list[Route]:
        """Anyone may try to log in; the rest is for who has."""
        guard = self._guard
        return [
            Route("GET", LOGIN, guard.carefully(self._ask), "anyone"),
            Route("POST", LOGIN, guard.carefully(self._login), "anyone"),
            Route("POST", f"{HOME}/logout", guard.require_form()(self._logout), "staff"),
            Route("GET", HOME, guard.require()(self._home), "staff"),
        ]

    async def _ask(self, request: Request) -> web.Response:
        way = self._way(request.query.get("next", HOME))
        if await self._guard.inside(request) is not None:
            return self._pages.led(way)
        return self._form(request, way)

    async def _login(self, request: Request) -> web.Response:
        try:
            form = await form_of(request)
        except FormRefusedError as refused:
            return self._form(request, HOME, status=refused.status, why="form")
        way, name = self._way(form.get("next", HOME)), form.get("name", "")
        if not self._is_ours(request, form):
            return self._form(request, way, status=403, why="form")
        try:
            came = await self._staff.login(name, form.get("password", ""), address_of(request, self._proxy))
        except DomainError as refusal:
            status = _STATUS.get(type(refusal), 401)
            return self._form(request, way, status=status, name=name, words=self._pages.words(refusal))
        if before := self._guard.token(request):
            await self._staff.logout(before)
        answer = self._pages.led(way)
        self._guard.let_in(answer, came.token)
        self._jar.drop(answer, _COOKIE)
        return answer

    async def _logout(self, request: Request, _inside: Inside, _form: Form) -> web.Response:
        await self._staff.logout(self._guard.token(request))
        answer = self._pages.led(LOGIN)
        self._guard.let_out(answer)
        return answer

    async def _home(self, _request: Request, inside: Inside) -> web.Response:
        works = await waiting(self._inner.works, inside.member)
        scopes = await self._inner.named(sorted(inside.member.scopes))
        return self._pages.shown("home", inside, works=works, scopes=scopes)

    def _form(self, request: Request, way: str, *, status: int = 200, **said: str) -> web.Response:
        """The page that asks for name and password; its form is good in this browser only."""
        kept = self._jar.get(request, _COOKIE) or secrets.token_hex(16)
        facts = {"why": "", "name": "", "words": "", **said}
        token = self._seal.capability(_PURPOSE, kept)
        answer = self._pages.shown("login", None, status, next=way, csrf=token, **facts)
        self._jar.put(answer, _COOKIE, kept)
        return answer

    def _is_ours(self, request: Request, form: Form) -> bool:
        """Tell whether this browser was shown the login form: else others could log it in as themselves."""
        kept = self._jar.get(request, _COOKIE)
        return bool(kept) and self._seal.is_capability(_PURPOSE, kept, form.get(CSRF, ""))

    def _way(self, given: str) -> str:
        """Where in the console to go; nowhere else."""
        way = own_way(given, HOME, LOGIN)
        path = urlsplit(way).path
        return way if path == HOME or path.startswith(f"{HOME}/") else HOME


async def _as_they_are(scopes: Collection[str]) -> Sequence[str]:
    return list(scopes)
