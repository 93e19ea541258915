"""What every page of the console asks first: who it is, whether they may, and whether a form is ours."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

import structlog
from aiohttp import web

from core.seal import Seal
from services.staff.model import Role
from services.staff.service import Did, Staff
from webhooks.console.pages import HOME, LOGIN, ConsolePages, Inside
from webhooks.cookies import Jar
from webhooks.forms import MOST, Form, FormRefusedError, form_of
from webhooks.put_off import careful
from webhooks.routes import Handler, Request
from webhooks.ways import own_way

PageHandler = Callable[[Request, Inside], Awaitable[web.Response]]
FormHandler = Callable[[Request, Inside, Form], Awaitable[web.Response]]
CSRF = "csrf"  # the field of every form
_COOKIE = "staff"
_PURPOSE = "console-form"
_MOST_PATH = 80

_log = structlog.get_logger("console")


class Guard:
    """Wraps the handlers of the console: `guard.require(Role.CLERK)(handler)`; without roles, for all."""

    def __init__(
        self, staff: Staff, pages: ConsolePages, seal: Seal, jar: Jar, ready: Callable[[], bool]
    ) -> None:
        self._staff = staff
        self._pages = pages
        self._seal = seal
        self._jar = jar
        self._ready = ready

    def require(self, *roles: Role) -> Callable[[PageHandler], Handler]:
        """Show a page to who has one of these roles; who is not logged in does that first."""

        def wrapped(handler: PageHandler) -> Handler:
            async def answered(request: Request) -> web.StreamResponse:
                inside = await self.inside(request)
                if inside is None:
                    return self._pages.led(through_login(request))
                if not inside.member.may(roles):
                    return await self._barred(request, inside)
                return await handler(request, inside)

            return self.carefully(answered)

        return wrapped

    def require_form(self, *roles: Role, most: int = MOST) -> Callable[[FormHandler], Handler]:
        """Take a form of at most so many bytes from who has one of these roles, out of a page of theirs."""

        def wrapped(handler: FormHandler) -> Handler:
            return self.carefully(partial(self._taken, handler, roles, most))

        return wrapped

    async def _taken(
        self, handler: FormHandler, roles: tuple[Role, ...], most: int, request: Request
    ) -> web.StreamResponse:
        inside = await self.inside(request)
        if inside is None:
            return self._pages.shown("over", status=401, why="session", to=LOGIN)
        if not inside.member.may(roles):
            return await self._barred(request, inside)
        try:
            form = await form_of(request, most)
        except FormRefusedError as refused:
            return self._pages.shown("over", inside, refused.status, why="form", to=HOME)
        if not self._seal.is_capability(_PURPOSE, self._secret(request), form.get(CSRF, "")):
            _log.warning("form_of_another_page", path=request.path)
            return self._pages.shown("over", inside, 403, why="form", to=HOME)
        return await handler(request, inside, form)

    async def inside(self, request: Request) -> Inside | None:
        """Return who asks; None for who is not logged in (any more)."""
        session = await self._staff.of(self.token(request))
        if session is None:
            return None
        return Inside(session, self._seal.capability(_PURPOSE, self._secret(request)))

    def token(self, request: Request) -> str:
        """What the browser keeps of a login; "" if nothing."""
        return self._jar.get(request, _COOKIE)

    def let_in(self, answer: web.Response, token: str) -> None:
        """Let the browser keep a login until it is closed."""
        self._jar.put(answer, _COOKIE, token)

    def let_out(self, answer: web.Response) -> None:
        """Let the browser forget it."""
        self._jar.drop(answer, _COOKIE)

    def carefully(self, handler: Handler) -> Handler:
        """Say so on a page when the stores are away, or not ready yet."""
        return careful(
            handler, self._ready, lambda _request: self._pages.shown("later", status=503), "console"
        )

    async def _barred(self, request: Request, inside: Inside) -> web.Response:
        await self._staff.note(Did(inside.member.id, "barred", request.path[:_MOST_PATH], "refused"))
        return self._pages.shown("barred", inside, 403)

    def _secret(self, request: Request) -> str:
        return hashlib.sha256(self.token(request).encode()).hexdigest()


def through_login(request: Request) -> str:
    """The address that leads to a page of the console by way of the login."""
    way = own_way(request.raw_path, HOME, LOGIN)
    return LOGIN if way == HOME else f"{LOGIN}?next={quote(way, safe='')}"
