"""What every page of a booking has in common: whom it is for, how it looks, and what it never gives away."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from core.chat import words as said
from core.chat.words import Words
from core.clock import Clock
from core.errors import DomainError, StoreGoneError
from services.hospital.errors import NoSuchBooking
from services.hospital.links import over_at
from services.hospital.model import Booking
from services.hospital.service import Hospital
from webhooks.pages import guarded, pages
from webhooks.routes import Handler, Request

Answer = Callable[[Request, Booking], Awaitable[web.Response]]
_AGAIN_S = "5"


class VisitPages:
    """The pages behind the links of bookings (`services.hospital.links`)."""

    def __init__(
        self,
        hospital: Hospital,
        words: Words,
        clock: Clock,
        templates: Path,
        ready: Callable[[], bool],
        framed_by: str = "",
    ) -> None:
        self.hospital = hospital
        self.words = words
        self.clock = clock
        self.headers = guarded(framed_by)
        self._ready = ready
        self._pages = pages(templates)
        filters = (said.day, said.clock, said.part_of_day, said.yuan)
        self._pages.filters |= {each.__name__: each for each in filters}

    def linked(self, answer: Answer) -> Handler:
        """Answer for the booking a link was made for; whatever else is given, with the same page."""

        async def answered(request: Request) -> web.Response:
            if not self._ready():
                return self.shown("visit_later", status=503)
            try:
                booking = await self.hospital.linked(request.query.get("k", ""))
                return await answer(request, booking)
            except NoSuchBooking:
                return self.shown("visit_gone", status=404)
            except StoreGoneError:
                return self.shown("visit_later", status=503)

        return answered

    def of(self, booking: Booking, page: str, status: int = 200, **facts: object) -> web.Response:
        """A page about a booking."""
        at = urlsplit(booking.link)
        today = self.clock.now().date()
        return self.shown(page, status, it=booking, today=today, path=at.path, token=at.query, **facts)

    def refused(self, booking: Booking, refusal: DomainError, back: str = "") -> web.Response:
        """Say why not, in the words of the chat; `back` leads to another choice."""
        return self.of(booking, "visit_refused", 409, words=self.words.refusal(refusal), back=back)

    def shown(self, page: str, status: int = 200, **facts: object) -> web.Response:
        """A page."""
        headers = self.headers | ({"Retry-After": _AGAIN_S} if status == 503 else {})  # noqa: PLR2004 - HTTP's own
        text = self._pages.get_template(f"{page}.html").render(facts)
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    def back_to(self, booking: Booking, did: str = "") -> web.Response:
        """Lead to the page of a booking; `did` is what was done last."""
        at = urlsplit(booking.link)
        where = f"{at.path}?{at.query}" + (f"&did={did}" if did else "")
        return web.Response(status=303, headers={**self.headers, "Location": where})

    def given(self, booking: Booking, right: str) -> web.Response:
        """Let this browser keep the right to change a booking: the address is shown to others."""
        answer, at = self.back_to(booking), urlsplit(booking.link)
        answer.set_cookie(
            _name(booking),
            right,
            path=at.path,
            max_age=int((over_at(booking.ends_at) - self.clock.now()).total_seconds()),
            httponly=True,
            secure=at.scheme == "https",
            samesite="Lax",
        )
        return answer


def given_right(request: Request, booking: Booking) -> str:
    """The right to change a booking that this browser was given; "" if none."""
    return request.cookies.get(_name(booking), "")


def _name(booking: Booking) -> str:
    return f"change_{booking.id}"
