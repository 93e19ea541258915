"""Members of staff give themselves another password."""

from aiohttp import web

from core.errors import DomainError
from services.staff.errors import PasswordsDiffer, StaffBusy, StaffLocked
from services.staff.service import Staff
from webhooks.console.address import address_of
from webhooks.console.guard import Guard
from webhooks.console.pages import HOME, ConsolePages, Inside
from webhooks.forms import Form
from webhooks.routes import Request, Route

PASSWORD = f"{HOME}/password"
_STATUS = {StaffLocked: 429, StaffBusy: 503}


class OwnPassword:
    """The page for it: the old one once, the new one twice. Every other login under the name ends with it."""

    def __init__(self, staff: Staff, guard: Guard, pages: ConsolePages, proxy: str = "") -> None:
        self._staff = staff
        self._guard = guard
        self._pages = pages
        self._proxy = proxy

    def routes(self) -> list[Route]:
        """For everybody who is logged in."""
        return [
            Route("GET", PASSWORD, self._guard.require()(self._ask), "staff"),
            Route("POST", PASSWORD, self._guard.require_form()(self._change), "staff"),
        ]

    async def _ask(self, request: Request, inside: Inside) -> web.Response:
        return self._pages.shown("password", inside, words="", did=request.query.get("did", ""))

    async def _change(self, request: Request, inside: Inside, form: Form) -> web.Response:
        new, address = form.get("new", ""), address_of(request, self._proxy)
        try:
            if new != form.get("again", ""):
                raise PasswordsDiffer
            came = await self._staff.change_password(inside.member, form.get("old", ""), new, address)
        except DomainError as refusal:
            status = _STATUS.get(type(refusal), 409)
            return self._pages.shown("password", inside, status, words=self._pages.words(refusal), did="")
        answer = self._pages.led(f"{PASSWORD}?did=changed")
        self._guard.let_in(answer, came.token)
        return answer
