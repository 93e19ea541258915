"""What every page with a person behind it asks first: who it is, and whether a form is one of ours."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from webhooks.forms import MOST, Form, FormRefusedError, form_of
from webhooks.login.door import LoginDoor
from webhooks.login.pages import H5Pages
from webhooks.login.sessions import H5Session, Sessions
from webhooks.login.ways import HOME, here, through_login
from webhooks.put_off import careful
from webhooks.routes import Handler, Request, Route

PageHandler = Callable[[Request, H5Session], Awaitable[web.Response]]
FormHandler = Callable[[Request, H5Session, Form], Awaitable[web.Response]]
CSRF = "csrf"  # the field of every form

_log = structlog.get_logger("login")


class LoggedIn:
    """Wraps the handlers of pages and forms that are for one citizen.

    `sessions.of` tells who asks where a page may also be looked at by nobody in particular.
    """

    def __init__(
        self, door: LoginDoor, sessions: Sessions, pages: H5Pages, ready: Callable[[], bool]
    ) -> None:
        self.sessions = sessions
        self.pages = pages
        self._door = door
        self._ready = ready

    def routes(self) -> list[Route]:
        """The login itself, the ways out, and the size of the type."""
        login = [
            Route(each.method, each.path, self._carefully(each.handler), each.who)
            for each in self._door.routes()
        ]
        return [
            *login,
            Route("POST", "/logout", self.form(self._out), "citizen"),
            Route("POST", "/logout/all", self.form(self._all_out), "citizen"),
            Route("GET", "/type", self.pages.size, "anyone"),
        ]

    def page(self, handler: PageHandler) -> Handler:
        """Show a page to who is logged in; send anyone else to WeChat, and back here.

        A link may name the account it was sent through (`?account=`): then through that one.
        """

        async def answered(request: Request) -> web.StreamResponse:
            session = await self.sessions.of(request)
            account = request.query.get("account", "")
            if session is None or (account and self._door.knows(account) and account != session.account):
                return self._door.begin(request, here(request), account)
            answer = await handler(request, session)
            self.sessions.renew(answer, session)
            return answer

        return self._carefully(answered)

    def form(self, handler: FormHandler, most: int = MOST) -> Handler:
        """Take a form from who is logged in, out of a page of this session, and of at most so many bytes."""

        async def answered(request: Request) -> web.StreamResponse:
            session = await self.sessions.of(request)
            if session is None:
                return self._over(request, "session", 401)
            try:
                form = await form_of(request, most)
            except FormRefusedError as refused:
                return self._over(request, "form", refused.status)
            if not self.sessions.is_csrf(session, form.get(CSRF, "")):
                _log.warning("form_of_another_page", path=request.path)
                return self._over(request, "form", 403)
            answer = await handler(request, session, form)
            self.sessions.renew(answer, session)
            return answer

        return self._carefully(answered)

    def _over(self, request: Request, why: str, status: int) -> web.Response:
        return self.pages.shown(request, "login_over", status, why=why, again=through_login(HOME))

    async def _out(self, request: Request, _session: H5Session, _form: Form) -> web.Response:
        answer = self.pages.shown(request, "login_out", everywhere=False, again=HOME)
        await self.sessions.close(request, answer)
        return answer

    async def _all_out(self, request: Request, session: H5Session, _form: Form) -> web.Response:
        answer = self.pages.shown(request, "login_out", everywhere=True, again=HOME)
        await self.sessions.close_all(session, answer)
        return answer

    def _carefully(self, handler: Handler) -> Handler:
        """Say so on a page when the stores are away, or not ready yet."""
        return careful(handler, self._ready, self._later, "login")

    def _later(self, request: Request) -> web.Response:
        return self.pages.shown(request, "login_later", 503, why="stores", again=here(request))
