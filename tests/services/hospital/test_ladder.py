"""When a visit is reminded of; and after any history just the reminders of what is booked are left."""

from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.clock import CITY_ZONE, ManualClock
from core.delivery import guards
from core.errors import DomainError
from core.stores.database import Database
from services.hospital import ladder
from services.hospital.model import BookingState
from services.hospital.service import Hospital
from tests.services.hospital.test_invariants import PATIENT, STEPS, City
from tests.services.ward import MONDAY, Ward, at, effect

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
_DUE = """
SELECT split_part(key, ':', 2) AS booking, substring(key FROM '[^:]+$') AS step, due_at
FROM reminders WHERE state = 'due' AND guards_hold(guard_keys, guard_ns)
"""
_BOOKED_AT = """
SELECT b.id, max(e.at) AS at FROM bookings b
JOIN units u ON u.id = b.unit JOIN unit_events e ON e.unit = u.id AND e.booking = b.id AND e.what = 'confirm'
WHERE b.returned_at IS NULL AND u.state <> 'suspended' AND b.id = ANY($1) GROUP BY b.id
"""
Rungs = set[tuple[str, str, datetime]]


async def due(db: Database) -> Rungs:
    """Everything that would still be said."""
    return {
        (row["booking"], row["step"], row["due_at"].astimezone(CITY_ZONE)) for row in await db.fetch(_DUE)
    }


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ("14:00", {"eve": at("19:00"), "soon": at("12:00", TUESDAY)}),
        ("08:30", {"eve": at("19:00"), "soon": at("06:30", TUESDAY)}),
        ("08:00", {"eve": at("19:00"), "soon": at("06:30", TUESDAY)}),
        ("07:30", {"eve": at("19:00"), "soon": at("06:30", TUESDAY)}),
        ("07:29", {"eve": at("19:00")}),
        ("06:00", {"eve": at("19:00")}),
        ("00:30", {"eve": at("19:00")}),
        ("22:30", {"eve": at("19:00"), "soon": at("20:30", TUESDAY)}),
        ("23:00", {"eve": at("19:00")}),
    ],
)
def test_the_evening_before_and_two_hours_ahead_but_not_at_night(
    starts: str, expected: dict[str, datetime]
) -> None:
    assert ladder.steps(at(starts, TUESDAY)) == expected


async def test_what_is_past_when_it_is_booked_is_left_out(
    ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    (period,) = await ward.session(starts=at("14:00", TUESDAY), half="PM")
    clock.set(at("19:00"))
    booking = await hospital.hold(period, await ward.citizen(), effect())
    assert await due(ward.db) == {(booking, "soon", at("12:00", TUESDAY))}


async def test_what_is_only_held_is_not_reminded_of(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session(starts=at("14:00", TUESDAY), fee_fen=1000)
    await hospital.hold(period, await ward.citizen(), effect())
    assert await due(ward.db) == set()


async def test_who_follows_nobody_is_not_reminded(ward: Ward, hospital: Hospital) -> None:
    """The demo's neighbours have no phones; each evening they were counted as messages that failed."""
    (period,) = await ward.session(starts=at("14:00", TUESDAY), half="PM")
    citizen = await ward.citizen()
    async with ward.db.transaction() as tx:
        conversation = await ward.citizens.conversation(tx, citizen)
    assert conversation is not None
    await ward.citizens.leave(conversation)
    await hospital.hold(period, citizen, effect())
    assert await due(ward.db) == set()


async def test_a_booking_stands_though_its_reminder_cannot_be_worded(ward: Ward, hospital: Hospital) -> None:
    """A half-day without a place, opened before such were refused: the field of the notice would be empty."""
    (old,) = await ward.session(starts=at("10:00", TUESDAY))
    (new,) = await ward.session(starts=at("14:00", WEDNESDAY), half="PM")
    await ward.db.execute("UPDATE sessions SET place = ''")
    citizen = await ward.citizen()
    with capture_logs() as logs:
        booking = await hospital.hold(old, citizen, effect())
        await hospital.move(booking, new, citizen, effect())
    assert await due(ward.db) == set()
    assert (await hospital.booking(booking)).state is BookingState.BOOKED
    told = [(each["log_level"], each["booking"], each["field"], each["step"]) for each in logs]
    assert told == [("error", booking, "thing4", step) for step in ("eve", "soon")] * 2


async def test_moved_it_is_reminded_of_at_the_new_times_alone(ward: Ward, hospital: Hospital) -> None:
    (old,) = await ward.session(starts=at("10:00", TUESDAY))
    (new,) = await ward.session(starts=at("14:00", WEDNESDAY), half="PM")
    citizen = await ward.citizen()
    booking = await hospital.hold(old, citizen, effect())
    await hospital.move(booking, new, citizen, effect())
    assert await due(ward.db) == {
        (booking, "eve", at("19:00", TUESDAY)),
        (booking, "soon", at("12:00", WEDNESDAY)),
    }


async def test_cancelled_or_suspended_nothing_of_it_is_left(ward: Ward, hospital: Hospital) -> None:
    (one,) = await ward.session(starts=at("10:00", TUESDAY))
    (other,) = await ward.session("lungs-1", at("10:00", WEDNESDAY))
    citizen = await ward.citizen()
    booking = await hospital.hold(one, citizen, effect())
    await hospital.hold(other, citizen, effect())
    await hospital.cancel(booking, citizen, effect())
    assert {rung[1] for rung in await due(ward.db)} == {"eve", "soon"}
    await hospital.suspend_session(f"lungs-1:{WEDNESDAY}:AM", "staff")
    assert await due(ward.db) == set()


async def test_a_lapsed_hold_counts_as_a_change(ward: Ward, hospital: Hospital, clock: ManualClock) -> None:
    """Whatever was said of a hold (pay by then) is void once it lapsed."""
    (period,) = await ward.session(starts=at("14:00", TUESDAY), fee_fen=1000)
    booking = await hospital.hold(period, await ward.citizen(), effect())
    key = ladder.guard(booking)
    async with ward.db.transaction() as tx:
        held = await guards.current(tx, [key])
    clock.move(timedelta(minutes=11))
    assert await hospital.expire_holds() == 1
    assert not await guards.hold(ward.db, held)


class Days(City):
    """Three sessions of other days and hours; waits are long, and the counter confirms nothing."""

    async def open(self) -> None:
        self.clock.set(at("07:00"))
        await self._new_doctors()
        free = await self.ward.session(f"heart-{self.run}", at("08:00", TUESDAY), units=(1, 2))
        paid = await self.ward.session(f"lungs-{self.run}", at("10:00", TUESDAY), fee_fen=1000, units=(2, 1))
        further = await self.ward.session(f"bones-{self.run}", at("15:00", WEDNESDAY), units=(1, 2))
        self.periods = [*free, *paid, *further]
        self.citizens = [await self.ward.citizen() for _ in range(4)]

    async def step(self, number: int, what: str, one: int, two: int) -> None:
        await super().step(number, what, one * 20 if what == "wait" else one, two)

    async def _counter(self, booking: str, step: str) -> None:
        if step != "confirm":
            await super()._counter(booking, step)

    async def expected(self) -> Rungs:
        """The ladder of all that stands, but what was past when it was booked."""
        found: Rungs = set()
        for row in await self.ward.db.fetch(_BOOKED_AT, self.bookings):
            booking = await self.hospital.booking(row["id"])
            steps = ladder.steps(booking.starts_at).items()
            found |= {(booking.id, step, moment) for step, moment in steps if moment > row["at"]}
        return found

    async def found(self) -> Rungs:
        return {rung for rung in await due(self.ward.db) if rung[0] in self.bookings}


@PATIENT
@given(steps=STEPS)
async def test_after_any_history_just_the_ladder_of_what_stands_is_due(
    ward: Ward, hospital: Hospital, clock: ManualClock, steps: list[tuple[str, int, int]]
) -> None:
    days = Days(ward, hospital, clock)
    await days.open()
    for number, (what, one, two) in enumerate([("hold", 0, 0), *steps]):
        with suppress(DomainError):
            await days.step(number, what, one, two)
        assert await days.found() == await days.expected(), what


_NO_VERSIONS = "ALTER TABLE bookings DISABLE TRIGGER bookings_version"


@PATIENT
@given(booking=st.integers(0, 2))
async def test_control_without_the_count_of_changes_old_ones_are_left(
    ward: Ward, hospital: Hospital, clock: ManualClock, booking: int
) -> None:
    days = Days(ward, hospital, clock)
    await days.open()
    await ward.db.execute(_NO_VERSIONS)
    for citizen, period in enumerate((0, 1, 4)):
        await days.step(citizen, "hold", citizen, period)
    await days.step(9, "cancel", booking, 0)
    assert await days.found() != await days.expected()
