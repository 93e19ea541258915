"""A citizen's page of one booking, and its file for the phone's calendar; the link is all it takes."""

from typing import Literal

from aiohttp import web

from core.delivery.prompts import Prompting
from services.hospital import ladder
from services.hospital.links import PAGE
from services.hospital.model import Booking, BookingState
from webhooks import icalendar
from webhooks.routes import Request, Route
from webhooks.visit_pages import VisitPages, given_right

_GIVEN_BACK = frozenset({BookingState.CANCELLED, BookingState.LAPSED, BookingState.SUSPENDED})
_OVER = frozenset({BookingState.IN_VISIT, BookingState.DONE, BookingState.NOSHOW})
_WECHAT = "MicroMessenger"


class Visits:
    """Shows a booking; to whom a reminder led here, with the buttons of `VisitDesk`."""

    def __init__(self, shown: VisitPages, prompts: Prompting) -> None:
        self._pages = shown
        self._prompts = prompts

    def routes(self) -> list[Route]:
        """Who has the link of a booking may call them; the handlers look at it."""
        return [
            Route("GET", PAGE, self._pages.linked(self._page), "citizen"),
            Route("GET", f"{PAGE}.ics", self._pages.linked(self._calendar), "citizen"),
        ]

    async def _page(self, request: Request, booking: Booking) -> web.Response:
        right = request.query.get("a", "")
        if self._pages.hospital.right_to(booking, right) is not None:
            return self._pages.given(booking, right)
        kept = given_right(request, booking)
        version = self._pages.hospital.right_to(booking, kept)
        if version is not None:
            await self._prompts.seen(ladder.KIND, booking.id)
        return self._pages.of(
            booking,
            "visit",
            stands=_stands(booking),
            own=version == booking.version,
            did=request.query.get("did", ""),
            right=kept,
            in_wechat=_WECHAT in request.headers.get("User-Agent", ""),
        )

    async def _calendar(self, _request: Request, booking: Booking) -> web.Response:
        headers = {**self._pages.headers, "Content-Type": icalendar.CONTENT_TYPE}
        headers["Content-Disposition"] = 'inline; filename="visit.ics"'
        return web.Response(body=icalendar.written(self._appointment(booking)), headers=headers)

    def _appointment(self, booking: Booking) -> icalendar.Appointment:
        now = self._pages.clock.now()
        words = self._pages.words
        steps = ladder.steps(booking.starts_at).values() if _stands(booking) else ()
        return icalendar.Appointment(
            uid=f"{booking.id}@bianmin",
            sequence=booking.version,
            status=_status(booking.state),
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            made_at=now,
            summary=words.render("pages/visit_summary", it=booking),
            location=words.render("pages/visit_location", it=booking),
            note=words.render("pages/visit_note", it=booking),
            alarms=[booking.starts_at - step for step in steps if step > now],
        )


def _stands(booking: Booking) -> bool:
    """Tell whether the visit is still to come, and paid or free."""
    return booking.state not in _GIVEN_BACK | _OVER | {BookingState.HELD}


def _status(state: BookingState) -> Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]:
    if state in _GIVEN_BACK:
        return "CANCELLED"
    return "TENTATIVE" if state is BookingState.HELD else "CONFIRMED"
