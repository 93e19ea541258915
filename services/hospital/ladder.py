"""When a citizen is reminded of a visit (design 7): the evening before, and two hours ahead."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Protocol

from core.clock import CITY_ZONE
from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.stores.database import Transaction
from services.citizens.service import Families
from services.hospital.model import Booking

KIND = "booking_reminder"
EVE, SOON = "eve", "soon"
_EVENING = time(19)
_AHEAD = timedelta(hours=2)
_MORNING = time(6, 30)
_NIGHT = time(21)
_WORTH_WHILE = timedelta(minutes=60)


class Reminding(Protocol):
    """Who keeps reminders until they are due: `core.schedule.reminders.Reminders`."""

    async def set(self, tx: Transaction, notice: Notice, due: datetime) -> bool:
        """Remind of something then; nothing is set in the past."""
        ...


def steps(starts_at: datetime) -> Mapping[str, datetime]:
    """The moments at which a visit is reminded of, those that are past already among them.

    Before 06:30 nobody is woken; what would be said less than an hour ahead then, or at night, is left out.
    A third step, after a missed visit, is only for sessions that record who came: none does so far.
    """
    start = starts_at.astimezone(CITY_ZONE)
    found = {EVE: datetime.combine(start.date() - timedelta(days=1), _EVENING, CITY_ZONE)}
    morning = datetime.combine(start.date(), _MORNING, CITY_ZONE)
    soon = max(start - _AHEAD, morning)
    if start - soon >= _WORTH_WHILE and soon.time() < _NIGHT:
        found[SOON] = soon
    return found


def guard(booking: str) -> str:
    """The key a booking's version is counted under; the database counts it (migration 0010)."""
    return f"booking:{booking}"


def _bindings(booking: Booking) -> tuple[str, ...]:
    """Who may no longer act for the patient, or is not them any more, is not reminded (domain-rules 9, 5)."""
    return () if booking.whom is None else (Families.guard(booking.whom.binding),)


async def remind(reminding: Reminding, tx: Transaction, booking: Booking, conversation: str) -> None:
    """Set the reminders of a booking as it is now; those of an earlier version hang on an earlier number.

    One that cannot be worded is left out, and the operator is told: the booking stands without it.
    """
    for step, due in steps(booking.starts_at).items():
        notice = Notice(
            kind=KIND,
            about=booking.id,
            conversation=conversation,
            facts={"it": booking},
            guards=(guard(booking.id), *_bindings(booking)),
            step=step,
            valid_until=booking.starts_at,
        )
        await or_left_out(reminding.set(tx, notice, due), "not_reminded", booking=booking.id, step=step)
