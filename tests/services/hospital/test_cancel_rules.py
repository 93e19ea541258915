"""Giving a booking back: U5–U9, and what 停诊 does to it; each rule at its edges."""

from datetime import datetime, timedelta

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.hospital.errors import (
    AlreadyReturned,
    CheckedIn,
    NoSuchBooking,
    TooLateToCancel,
    UnitTaken,
    VisitSuspended,
)
from services.hospital.model import BookingState
from services.hospital.rules import Rules
from services.hospital.service import Hospital
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.city_hospital import hospital_of

TUESDAY = MONDAY + timedelta(days=1)
SECOND = timedelta(seconds=1)


async def booked(ward: Ward, hospital: Hospital, period: str) -> tuple[str, str]:
    citizen = await ward.citizen()
    return await hospital.hold(period, citizen, effect()), citizen


class TestDeadlines:
    @pytest.mark.parametrize(
        ("clinic_class", "starts", "deadline"),
        [
            ("general", at("09:30", TUESDAY), at("09:00", TUESDAY)),
            ("expert", at("09:30", TUESDAY), at("00:00", TUESDAY)),
            ("special", at("09:30", TUESDAY), at("00:00", TUESDAY)),
        ],
        ids=["U7 general: 30 min before", "U6 expert: midnight", "U6 special: midnight"],
    )
    async def test_the_deadline_and_the_second_before_it(
        self,
        ward: Ward,
        hospital: Hospital,
        clock: ManualClock,
        clinic_class: str,
        starts: datetime,
        deadline: datetime,
    ) -> None:
        (period,) = await ward.session(starts=starts, clinic_class=clinic_class, units=(2,))
        early, early_citizen = await booked(ward, hospital, period)
        late, late_citizen = await booked(ward, hospital, period)
        assert (await hospital.quote(period, early_citizen)).cancel_until == deadline

        clock.set(deadline - SECOND)
        assert await hospital.cancel(early, early_citizen, effect()) == early
        clock.set(deadline)
        with pytest.raises(TooLateToCancel) as refused:
            await hospital.cancel(late, late_citizen, effect())
        assert refused.value.facts["at"] == deadline
        assert refused.value.facts["booking"].phone == "0199-5550000"  # type: ignore[attr-defined]
        assert (await hospital.booking(late)).state is BookingState.BOOKED

    @pytest.mark.parametrize("clinic_class", ["general", "expert"])
    async def test_within_half_an_hour_of_booking_always(
        self, ward: Ward, hospital: Hospital, clock: ManualClock, clinic_class: str
    ) -> None:
        (period,) = await ward.session(starts=at("09:45"), clinic_class=clinic_class, units=(2,))
        clock.set(at("09:10"))
        early, early_citizen = await booked(ward, hospital, period)
        late, late_citizen = await booked(ward, hospital, period)
        clock.set(at("09:40") - SECOND)
        assert await hospital.cancel(early, early_citizen, effect())
        clock.set(at("09:40"))
        with pytest.raises(TooLateToCancel):
            await hospital.cancel(late, late_citizen, effect())

    async def test_but_never_once_the_period_has_begun(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("09:20"), units=(2,))
        early, early_citizen = await booked(ward, hospital, period)
        late, late_citizen = await booked(ward, hospital, period)
        clock.set(at("09:20") - SECOND)
        assert await hospital.cancel(early, early_citizen, effect())
        clock.set(at("09:20"))
        with pytest.raises(TooLateToCancel):
            await hospital.cancel(late, late_citizen, effect())

    async def test_the_deadlines_can_be_set(
        self, db: Database, ward: Ward, seal: Seal, clock: ManualClock
    ) -> None:
        rules = Rules(general_cancel_until=timedelta(hours=24), cancel_grace=timedelta(0))
        strict = hospital_of(db, seal, clock, rules)
        (period,) = await ward.session(starts=at("09:00", TUESDAY))
        booking, citizen = await booked(ward, strict, period)
        with pytest.raises(TooLateToCancel):
            await strict.cancel(booking, citizen, effect())


class TestU5Return:
    async def test_a_returned_unit_is_public_after_one_to_ten_minutes(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        periods = await ward.session(starts=at("14:00"), half="PM", units=(1,) * 8)
        for period in periods:
            await hospital.cancel(*(await booked(ward, hospital, period)), effect())
        rows = await ward.db.fetch("SELECT public_at FROM units")
        delays = [row["public_at"] - clock.now() for row in rows]
        assert timedelta(minutes=1) <= min(delays) < max(delays) <= timedelta(minutes=10)

    async def test_before_that_moment_nobody_gets_it(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("14:00"), half="PM")
        await hospital.cancel(*(await booked(ward, hospital, period)), effect())
        clock.set(await ward.db.fetchval("SELECT public_at FROM units") - SECOND)
        assert await hospital.sessions("heart-1") == []
        with pytest.raises(UnitTaken):
            await hospital.hold(period, await ward.citizen(), effect())
        clock.move(SECOND)
        assert len(await hospital.sessions("heart-1")) == 1
        assert await hospital.hold(period, await ward.citizen(), effect())

    async def test_a_held_unit_given_up_waits_too(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session(fee_fen=1000)
        booking, citizen = await booked(ward, hospital, period)
        await hospital.cancel(booking, citizen, effect())
        assert (await hospital.booking(booking)).state is BookingState.CANCELLED
        assert await ward.db.fetchval("SELECT what FROM units") == "release"
        with pytest.raises(UnitTaken):
            await hospital.hold(period, await ward.citizen(), effect())


class TestU8AfterCheckIn:
    @pytest.mark.parametrize(
        "steps",
        [
            ("check_in",),
            ("check_in", "call"),
            ("check_in", "call", "pass"),
            ("check_in", "call", "start"),
            ("check_in", "call", "start", "finish"),
        ],
        ids=lambda steps: str(steps[-1]),
    )
    async def test_only_the_counter_cancels(
        self, ward: Ward, hospital: Hospital, steps: tuple[str, ...]
    ) -> None:
        (period,) = await ward.session(starts=at("10:00"))
        booking, citizen = await booked(ward, hospital, period)
        await ward.move(booking, *steps)
        with pytest.raises(CheckedIn):
            await hospital.cancel(booking, citizen, effect())

    async def test_who_missed_the_visit_is_too_late(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session()
        booking, citizen = await booked(ward, hospital, period)
        await ward.move(booking, "miss")
        with pytest.raises(TooLateToCancel):
            await hospital.cancel(booking, citizen, effect())


class TestWhoseBooking:
    async def test_somebody_elses_booking_does_not_exist(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session()
        booking, _ = await booked(ward, hospital, period)
        stranger = await ward.citizen()
        for name in (booking, "b_aaaaaaaaaaaaaaaa"):
            with pytest.raises(NoSuchBooking):
                await hospital.cancel(name, stranger, effect())
            with pytest.raises(NoSuchBooking):
                await hospital.booking(name, stranger)
        assert (await hospital.booking(booking)).state is BookingState.BOOKED

    async def test_twice_is_said_to_be_done(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session()
        booking, citizen = await booked(ward, hospital, period)
        await hospital.cancel(booking, citizen, effect())
        with pytest.raises(AlreadyReturned) as refused:
            await hospital.cancel(booking, citizen, effect())
        assert refused.value.facts["at"] == at("09:00")


class TestSuspension:
    async def test_held_and_booked_become_suspended_and_the_rest_stays(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        (period,) = await ward.session(units=(4,))
        first, citizen = await booked(ward, hospital, period)
        arrived, _ = await booked(ward, hospital, period)
        await ward.move(arrived, "check_in")
        assert await hospital.suspend_session(f"heart-1:{MONDAY}:AM", "staff") == [first]
        assert await ward.states() == {"suspended": 1, "checked_in": 1, "free": 2}
        assert [booking.state for booking in await hospital.bookings(citizen)] == [BookingState.SUSPENDED]
        assert await hospital.cancellable(citizen) == []
        with pytest.raises(VisitSuspended):
            await hospital.cancel(first, citizen, effect())
        assert await hospital.audit() == []

    async def test_again_is_nothing_more(self, ward: Ward, hospital: Hospital) -> None:
        (period,) = await ward.session()
        await booked(ward, hospital, period)
        session = f"heart-1:{MONDAY}:AM"
        assert len(await hospital.suspend_session(session, "staff")) == 1
        assert await hospital.suspend_session(session, "staff") == []
        assert await ward.db.fetchval("SELECT count(*) FROM session_events") == 1
