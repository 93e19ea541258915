"""Riders hear of their rides: what was debited, what was not, what went back, and of no way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Protocol

from core.clock import CITY_ZONE, Clock
from core.delivery import guards
from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.stores.database import Transaction
from services.transit.listing import Ride
from services.transit.pages import PAY, TRIPS, RideLinks
from services.transit.telling import Missed, Moved

FARE, ARREARS, REFUNDED, MISSING_EXIT = (
    "trip_fare",
    "transit_arrears",
    "transit_refunded",
    "trip_missing_exit",
)
_MORNING = time(8)


class Messenger(Protocol):
    """Who sends notices: `core.delivery.notices.Notices`."""

    async def queue(self, tx: Transaction, notice: Notice) -> bool: ...


class Reaches(Protocol):
    """Who knows where a citizen writes to us (services/citizens)."""

    async def conversation(self, tx: Transaction, citizen: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class _About:
    """What a notice is about besides its ride: its name is unique; `guarded`, if it may cease to be true."""

    name: str
    page: str = TRIPS
    facts: Mapping[str, object] = field(default_factory=dict)
    at: datetime | None = None
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class RideNotices:
    """`Tells` by notices. One that cannot be said is left out, and the operator told: the step stands.

    What may cease to be true (behind, without a way out) hangs on its ride; the others are receipts.
    """

    messenger: Messenger
    citizens: Reaches
    links: RideLinks
    clock: Clock

    async def paid(self, tx: Transaction, moved: Moved, *, late: bool) -> None:
        if late:
            await guards.bump(tx, _guard(moved.ride.id))
        facts = {"fen": moved.fen, "late": late, "clear": moved.clear}
        await self._tell(tx, FARE, moved.citizen, moved.ride, _About(moved.payment, facts=facts))

    async def behind(self, tx: Transaction, moved: Moved) -> None:
        about = _About(moved.payment, PAY, {"fen": moved.fen}, guarded=True)
        await self._tell(tx, ARREARS, moved.citizen, moved.ride, about)

    async def refunded(self, tx: Transaction, moved: Moved, *, twice: bool) -> None:
        facts = {"fen": moved.fen, "twice": twice}
        about = _About(f"{moved.payment}/{self.clock.timestamp():.3f}", facts=facts)
        await self._tell(tx, REFUNDED, moved.citizen, moved.ride, about)

    async def missing_exit(self, tx: Transaction, rides: Sequence[Missed]) -> None:
        at = _next_morning(self.clock.now())
        for each in rides:
            about = _About(str(each.ride.id), at=at, guarded=True)
            await self._tell(tx, MISSING_EXIT, each.citizen, each.ride, about)

    async def changed(self, tx: Transaction, rides: Sequence[int]) -> None:
        for ride in sorted(rides):
            await guards.bump(tx, _guard(ride))

    async def _tell(self, tx: Transaction, kind: str, citizen: str, ride: Ride, about: _About) -> None:
        where = await self.citizens.conversation(tx, citizen)
        if where is None:  # who follows no more reads it on the page
            return
        link = self.links.to(about.page, where.split(":", 1)[0])
        notice = Notice(
            kind=kind,
            about=about.name,
            conversation=where,
            facts={"it": ride, "link": link, **about.facts},
            guards=(_guard(ride.id),) if about.guarded else (),
            not_before=about.at,
        )
        await or_left_out(self.messenger.queue(tx, notice), "ride_not_told", kind=kind, ride=ride.id)


def _guard(ride: int) -> str:
    return f"ride:{ride}"


def _next_morning(now: datetime) -> datetime:
    """Eight o'clock in the city (J5): a day ends at three, and a gate may be heard later."""
    local = now.astimezone(CITY_ZONE)
    day = local.date() + timedelta(days=local.time() >= _MORNING)
    return datetime.combine(day, _MORNING, CITY_ZONE)
