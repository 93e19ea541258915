"""A citizen's page of one booking, and its file for the phone's calendar; the link is all it takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import jinja2
from aiohttp import web

from core.chat.words import Words, clock, day
from core.clock import Clock
from core.errors import StoreGoneError
from services.hospital import ladder
from services.hospital.errors import NoSuchBooking
from services.hospital.links import PAGE
from services.hospital.model import Booking, BookingState
from services.hospital.service import Hospital
from webhooks import icalendar
from webhooks.pages import pages
from webhooks.routes import Request, Route

_GIVEN_BACK = frozenset({BookingState.CANCELLED, BookingState.LAPSED, BookingState.SUSPENDED})
_OVER = frozenset({BookingState.IN_VISIT, BookingState.DONE, BookingState.NOSHOW})
_WECHAT = "MicroMessenger"
_AGAIN_S = "5"
# What it shows is for who has the link alone: nobody keeps it, and no other site learns the address.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ),
}


class Visits:
    """The pages behind the links of bookings (`services.hospital.links`)."""

    def __init__(
        self, hospital: Hospital, words: Words, clock: Clock, templates: Path, ready: Callable[[], bool]
    ) -> None:
        self._hospital = hospital
        self._words = words
        self._clock = clock
        self._ready = ready
        self._pages = _pages(templates)

    def routes(self) -> list[Route]:
        """Who has the link of a booking may call them; the handlers look at it."""
        return [
            Route("GET", PAGE, self._page, "citizen"),
            Route("GET", f"{PAGE}.ics", self._calendar, "citizen"),
        ]

    async def _page(self, request: Request) -> web.Response:
        booking = await self._linked(request)
        if isinstance(booking, web.Response):
            return booking
        return self._shown(
            "visit",
            it=booking,
            stands=_stands(booking),
            today=self._clock.now().date(),
            calendar=f"{PAGE.lstrip('/')}.ics?k={request.query['k']}",
            in_wechat=_WECHAT in request.headers.get("User-Agent", ""),
        )

    async def _calendar(self, request: Request) -> web.Response:
        booking = await self._linked(request)
        if isinstance(booking, web.Response):
            return booking
        headers = {**_HEADERS, "Content-Type": icalendar.CONTENT_TYPE}
        headers["Content-Disposition"] = 'inline; filename="visit.ics"'
        return web.Response(body=icalendar.written(self._appointment(booking)), headers=headers)

    async def _linked(self, request: Request) -> Booking | web.Response:
        """The booking a link was made for; whatever else is given, the same answer."""
        if not self._ready():
            return self._shown("visit_later", status=503)
        try:
            return await self._hospital.linked(request.query.get("k", ""))
        except NoSuchBooking:
            return self._shown("visit_gone", status=404)
        except StoreGoneError:
            return self._shown("visit_later", status=503)

    def _appointment(self, booking: Booking) -> icalendar.Appointment:
        now = self._clock.now()
        steps = ladder.steps(booking.starts_at).values() if _stands(booking) else ()
        return icalendar.Appointment(
            uid=f"{booking.id}@bianmin",
            sequence=booking.version,
            status=_status(booking.state),
            starts_at=booking.starts_at,
            ends_at=booking.ends_at,
            made_at=now,
            summary=self._words.render("pages/visit_summary", it=booking),
            location=self._words.render("pages/visit_location", it=booking),
            note=self._words.render("pages/visit_note", it=booking),
            alarms=[booking.starts_at - step for step in steps if step > now],
        )

    def _shown(self, page: str, status: int = 200, **facts: object) -> web.Response:
        headers = _HEADERS | ({"Retry-After": _AGAIN_S} if status == 503 else {})  # noqa: PLR2004 - HTTP's own
        text = self._pages.get_template(f"{page}.html").render(facts)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def _stands(booking: Booking) -> bool:
    """Tell whether the visit is still to come, and paid or free."""
    return booking.state not in _GIVEN_BACK | _OVER | {BookingState.HELD}


def _status(state: BookingState) -> Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]:
    if state in _GIVEN_BACK:
        return "CANCELLED"
    return "TENTATIVE" if state is BookingState.HELD else "CONFIRMED"


def _pages(templates: Path) -> jinja2.Environment:
    made = pages(templates)
    made.filters |= {"day": day, "clock": clock}
    return made
