"""Requests at the counter: staff look one up by its number and compare the papers."""

from functools import partial

from aiohttp import web

from core.effects import Effect, digest_of
from core.errors import DomainError
from services.citizens.model import AtCounter
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.staff.model import Role
from services.staff.service import Did, Staff
from webhooks.console.guard import Guard
from webhooks.console.pages import HOME, ConsolePages, Inside, number_of
from webhooks.console.work import Work
from webhooks.forms import Form
from webhooks.routes import Request, Route

BINDINGS = f"{HOME}/bindings"


class CounterDesk:
    """Where a request is proven by papers (domain-rules B4 c). Every look and every stamp is in the audit."""

    def __init__(
        self, proving: Proving, papers: Papers, staff: Staff, guard: Guard, pages: ConsolePages
    ) -> None:
        self._proving = proving
        self._papers = papers
        self._staff = staff
        self._guard = guard
        self._pages = pages

    def routes(self) -> list[Route]:
        """For who works at a counter."""
        clerk = Role.CLERK
        return [
            Route("GET", BINDINGS, self._guard.require(clerk)(self._look), "staff"),
            Route("POST", BINDINGS, self._guard.require_form(clerk)(self._stamp), "staff"),
        ]

    def work(self) -> Work:
        """What stands on the first page."""
        return Work("核对身份", "市民带身份证来，按受理号办理绑定。", BINDINGS, [Role.CLERK])

    async def _look(self, request: Request, inside: Inside) -> web.Response:
        number = number_of(request.query.get("no", ""))
        if not number:
            return self._shown(inside, number, said=request.query.get("did", ""))
        try:
            it = await self._proving.at_counter(number)
        except DomainError as refusal:
            return self._shown(inside, number, words=self._pages.words(refusal), status=404)
        await self._staff.note(Did(inside.member.id, "binding_shown", f"binding:{number}"))
        return self._shown(inside, number, it=it)

    async def _stamp(self, _request: Request, inside: Inside, form: Form) -> web.Response:
        number, it = number_of(form.get("no", "")), None
        try:
            it = await self._proving.at_counter(number)
            id_number = self._papers.id_number(form.get("id_number", ""))
            stamp = partial(self._proving.approve_at_counter, number, inside.member.id)
            # The ID number is no part of the digest: it could be guessed from it.
            await stamp(Effect(f"counter/{number}", "approve", digest_of(stamp)), id_number=id_number)
        except DomainError as refusal:
            about = f"binding:{number}" if it is not None else ""  # what was typed may be a phone number
            await self._staff.note(Did(inside.member.id, "binding_approved", about, "refused"))
            return self._shown(inside, number, it=it, words=self._pages.words(refusal), status=409)
        await self._staff.note(Did(inside.member.id, "binding_approved", f"binding:{number}"))
        return self._pages.led(f"{BINDINGS}?did=approved")

    def _shown(
        self,
        inside: Inside,
        number: str,
        status: int = 200,
        *,
        it: AtCounter | None = None,
        words: str = "",
        said: str = "",
    ) -> web.Response:
        return self._pages.shown("bindings", inside, status, no=number, it=it, words=words, did=said)
