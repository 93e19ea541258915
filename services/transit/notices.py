"""Riders hear of their rides: what was debited, what was not, what went back, and of no way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
            await guards.bump(tx, _guard(moved.ride))
        facts = {"fen": moved.fen, "late": late, "clear": moved.clear}
        await self._tell(tx, FARE, moved.citizen, moved.ride, about=moved.payment, page=TRIPS, facts=facts)

    async def behind(self, tx: Transaction, moved: Moved) -> None:
        await self._tell(
            tx,
            ARREARS,
            moved.citizen,
            moved.ride,
            about=moved.payment,
            page=PAY,
            facts={"fen": moved.fen},
            guarded=True,
        )

    async def refunded(self, tx: Transaction, moved: Moved, *, twice: bool) -> None:
        facts = {"fen": moved.fen, "twice": twice}
        about = f"{moved.payment}/{self.clock.timestamp():.3f}"
        await self._tell(tx, REFUNDED, moved.citizen, moved.ride, about=about, page=TRIPS, facts=facts)

    async def missing_exit(self, tx: Transaction, rides: Sequence[Missed]) -> None:
        at = _next_morning(self.clock.now())
        for each in rides:
            about = str(each.ride.id)
            await self._tell(
                tx, MISSING_EXIT, each.citizen, each.ride, about=about, page=TRIPS, at=at, guarded=True
            )

    async def changed(self, tx: Transaction, rides: Sequence[int]) -> None:
        for ride in sorted(rides):
            await guards.bump(tx, _key(ride))

    async def _tell(  # noqa: PLR0913 - what every notice of a ride has
        self,
        tx: Transaction,
        kind: str,
        citizen: str,
        ride: Ride,
        *,
        about: str,
        page: str,
        facts: Mapping[str, object] | None = None,
        at: datetime | None = None,
        guarded: bool = False,
    ) -> None:
        where = await self.citizens.conversation(tx, citizen)
        if where is None:  # who follows no more reads it on the page
            return
        notice = Notice(
            kind=kind,
            about=about,
            conversation=where,
            facts={"it": ride, "link": self.links.to(page, where.split(":", 1)[0]), **(facts or {})},
            guards=(_guard(ride),) if guarded else (),
            not_before=at,
        )
        await or_left_out(self.messenger.queue(tx, notice), "ride_not_told", kind=kind, ride=ride.id)


def _guard(ride: Ride) -> str:
    return _key(ride.id)


def _key(ride: int) -> str:
    return f"ride:{ride}"


def _next_morning(now: datetime) -> datetime:
    """Eight o'clock in the city (J5): a day ends at three, and a gate may be heard later."""
    local = now.astimezone(CITY_ZONE)
    day = local.date() + timedelta(days=local.time() >= _MORNING)
    return datetime.combine(day, _MORNING, CITY_ZONE)
