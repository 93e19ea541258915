"""The buttons of a booking's page: 会到, 改期, 取消, for whom a reminder led there (design 8)."""

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from core.delivery.prompts import Prompting
from core.effects import Effect, digest_of
from core.errors import DomainError
from services.hospital import ladder
from services.hospital.errors import ClaimRefused
from services.hospital.links import PAGE
from services.hospital.model import Booking
from webhooks.forms import Form, FormRefusedError, form_of
from webhooks.routes import Request, Route
from webhooks.visit_pages import VisitPages, given_right

_MOST = 2_000  # bytes: a right and the id of a period
Own = Callable[[Request, Booking, str], Awaitable[web.Response]]
Change = Callable[[Booking, int, Form], Awaitable[web.Response]]


class VisitDesk:
    """Changes a booking as the citizen saw it; what has changed since is refused.

    A form carries the right itself: no other site knows it, so none can send the form in somebody's name.
    """

    def __init__(self, shown: VisitPages, prompts: Prompting) -> None:
        self._pages = shown
        self._hospital = shown.hospital
        self._prompts = prompts

    def routes(self) -> list[Route]:
        """Who was given the right to change a booking may call them; `_own` and `_sent` look at it."""
        linked = self._pages.linked
        return [
            Route("POST", f"{PAGE}/come", linked(partial(self._sent, self._come)), "citizen"),
            Route("GET", f"{PAGE}/cancel", linked(partial(self._own, self._ask_cancel)), "citizen"),
            Route("POST", f"{PAGE}/cancel", linked(partial(self._sent, self._cancel)), "citizen"),
            Route("GET", f"{PAGE}/move", linked(partial(self._own, self._where_to)), "citizen"),
            Route("POST", f"{PAGE}/move", linked(partial(self._sent, self._move)), "citizen"),
        ]

    async def _own(self, show: Own, request: Request, booking: Booking) -> web.Response:
        """Show a step to whoever may change the booking as it is; who may not sees it as it is."""
        right = given_right(request, booking)
        if self._hospital.right_to(booking, right) != booking.version:
            return self._pages.back_to(booking)
        try:
            return await show(request, booking, right)
        except DomainError as refusal:
            return self._pages.refused(booking, refusal)

    async def _sent(self, change: Change, request: Request, booking: Booking) -> web.Response:
        """Change the booking by a form that carries the right to it."""
        try:
            form = await form_of(request, _MOST)
        except FormRefusedError as refused:
            return web.Response(status=refused.status)
        version = self._hospital.right_to(booking, form.get("a", ""))
        if version is None:
            return self._pages.back_to(booking)
        return await change(booking, version, form)

    async def _come(self, booking: Booking, version: int, _form: Form) -> web.Response:
        if version != booking.version:
            return self._pages.back_to(booking)
        await self._prompts.settled(ladder.KIND, booking.id)
        return self._pages.back_to(booking, "come")

    async def _ask_cancel(self, _request: Request, booking: Booking, right: str) -> web.Response:
        await self._hospital.to_move(booking.id, booking.citizen)  # the deadline is one and the same
        return self._pages.of(booking, "visit_cancel", right=right)

    async def _cancel(self, booking: Booking, version: int, _form: Form) -> web.Response:
        change = partial(self._hospital.cancel, booking.id, booking.citizen, version=version)
        return await self._changed("cancel", booking, version, change)

    async def _where_to(self, request: Request, booking: Booking, right: str) -> web.Response:
        """A half-day, a time, and what it would be."""
        await self._hospital.to_move(booking.id, booking.citizen)
        if period := request.query.get("p"):
            exchange = await self._hospital.exchange(booking.id, period, booking.citizen)
            return self._pages.of(
                booking, "visit_exchange", new=exchange.new, last=exchange.last, right=right
            )
        if session := request.query.get("s"):
            times = await self._hospital.periods(session, booking.id)
            free = [each for each in times if each.id != booking.period]
            return self._pages.of(booking, "visit_times", times=free)
        days = await self._hospital.sessions(booking.doctor_id, booking.person, booking.id)
        return self._pages.of(booking, "visit_days", days=days)

    async def _move(self, booking: Booking, version: int, form: Form) -> web.Response:
        change = partial(self._hospital.move, booking.id, form.get("p", ""), booking.citizen, version=version)
        return await self._changed("move", booking, version, change)

    async def _changed(
        self, what: str, booking: Booking, version: int, change: Callable[[Effect], Awaitable[str]]
    ) -> web.Response:
        """Do what a button says, once for one version, however often its form arrives."""
        try:
            await change(Effect(f"page/{booking.id}/{version}", what, digest_of(change)))
        except DomainError as refusal:
            elsewhere = "move" if isinstance(refusal, ClaimRefused) else ""
            return self._pages.refused(booking, refusal, back=elsewhere)
        return self._pages.back_to(booking, what)
