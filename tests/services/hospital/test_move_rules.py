"""改期: the booking keeps its id, its old unit goes back as U5 says, a refusal leaves all as it was."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from core.clock import ManualClock
from core.errors import DomainError
from core.stores.database import Database
from services.hospital.errors import (
    AlreadyReturned,
    BeyondHorizon,
    BookingClosed,
    CheckedIn,
    DepartmentLimit,
    FeeDiffers,
    HoldOpen,
    NoSuchBooking,
    NoSuchPeriod,
    RebookTooSoon,
    SamePeriod,
    SessionLimit,
    SessionSuspended,
    TooLateToCancel,
    UnitTaken,
    VisitSuspended,
)
from services.hospital.model import BookingState
from services.hospital.service import Hospital
from tests.services.ward import DEPARTMENTS, MONDAY, Ward, at, effect

TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
SECOND = timedelta(seconds=1)
EVERYTHING = """
SELECT coalesce((SELECT jsonb_agg(u ORDER BY u.id) FROM units u), '[]')::text
    || coalesce((SELECT jsonb_agg(b ORDER BY b.id) FROM bookings b), '[]')::text
    || (SELECT count(*) FROM unit_events)::text || (SELECT count(*) FROM effects)::text
"""


@asynccontextmanager
async def refused(why: type[DomainError], db: Database) -> AsyncIterator[None]:
    """What happens within is refused for this reason and leaves no trace."""
    before = await db.fetchval(EVERYTHING)
    with pytest.raises(why):
        yield
    assert await db.fetchval(EVERYTHING) == before


async def booked(ward: Ward, hospital: Hospital, period: str) -> tuple[str, str]:
    citizen = await ward.citizen()
    return await hospital.hold(period, citizen, effect()), citizen


class TestMoved:
    async def test_it_keeps_its_id_and_its_age_and_has_the_new_unit(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (old,) = await ward.session(starts=at("10:00", TUESDAY))
        new, _ = await ward.session("heart-2", starts=at("14:00", WEDNESDAY), half="PM", units=(2, 2))
        booking, citizen = await booked(ward, hospital, old)
        clock.move(timedelta(hours=1))
        assert await hospital.move(booking, new, citizen, effect()) == booking
        (moved,) = await hospital.bookings(citizen)
        assert (moved.id, moved.period, moved.doctor_id, moved.state) == (
            booking,
            new,
            "heart-2",
            BookingState.BOOKED,
        )
        assert (moved.made_at, moved.version) == (at("09:00"), 1)
        assert await ward.states() == {"booked": 1, "free": 4}
        assert await hospital.audit() == []

    async def test_it_is_no_cancellation_and_each_step_leaves_its_event(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        old, new = await ward.session(starts=at("10:00", TUESDAY), units=(1, 1))
        booking, citizen = await booked(ward, hospital, old)
        await hospital.move(booking, new, citizen, effect("run", "move"))
        told = await ward.db.fetch(
            "SELECT what, old, new, who, key FROM unit_events WHERE booking = $1 ORDER BY id", booking
        )
        assert [(event["old"], event["what"], event["new"]) for event in told] == [
            ("free", "hold", "held"),
            ("held", "confirm", "booked"),
            ("booked", "move", "free"),
            ("free", "hold", "held"),
            ("held", "confirm", "booked"),
        ]
        assert {(event["who"], event["key"]) for event in told[2:]} == {(citizen, "run#move")}

    async def test_the_unit_it_left_is_public_after_one_to_ten_minutes(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        old, new = await ward.session(starts=at("10:00", TUESDAY), units=(1, 1))
        booking, citizen = await booked(ward, hospital, old)
        await hospital.move(booking, new, citizen, effect())
        public_at = await ward.db.fetchval("SELECT public_at FROM units WHERE state = 'free'")
        assert timedelta(minutes=1) <= public_at - clock.now() <= timedelta(minutes=10)
        clock.set(public_at - SECOND)
        with pytest.raises(UnitTaken):
            await hospital.hold(old, await ward.citizen(), effect())
        clock.move(SECOND)
        assert await hospital.hold(old, await ward.citizen(), effect())

    async def test_its_version_grows_with_all_that_makes_old_words_wrong(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        first, second = await ward.session(starts=at("10:00", TUESDAY), units=(4, 4))
        (paid,) = await ward.session("lungs-1", at("10:00", TUESDAY), fee_fen=1000, units=(4,))
        versions = []
        booking, citizen = await booked(ward, hospital, first)
        versions.append((await hospital.booking(booking)).version)
        for period in (second, first):
            await hospital.move(booking, period, citizen, effect())
            versions.append((await hospital.booking(booking)).version)
        await hospital.cancel(booking, citizen, effect())
        versions.append((await hospital.booking(booking)).version)
        assert versions == [0, 1, 2, 3]

        suspended, _ = await booked(ward, hospital, first)
        await hospital.suspend_session(f"heart-1:{TUESDAY}:AM", "staff")
        lapsed, _ = await booked(ward, hospital, paid)
        clock.move(timedelta(minutes=10))
        await hospital.expire_holds()
        assert [(await hospital.booking(each)).version for each in (suspended, lapsed)] == [1, 1]


class TestOldSide:
    """What `cancel` refuses, `move` refuses: nobody gets away from a unit they could not give back."""

    async def test_somebody_elses_booking_does_not_exist(self, ward: Ward, hospital: Hospital) -> None:
        old, new = await ward.session(units=(1, 1))
        booking, _ = await booked(ward, hospital, old)
        stranger = await ward.citizen()
        for name in (booking, "b_aaaaaaaaaaaaaaaa"):
            async with refused(NoSuchBooking, ward.db):
                await hospital.move(name, new, stranger, effect())
            with pytest.raises(NoSuchBooking):
                await hospital.to_move(name, stranger)

    async def test_what_was_cancelled_is_not_moved(self, ward: Ward, hospital: Hospital) -> None:
        old, new = await ward.session(units=(1, 1))
        booking, citizen = await booked(ward, hospital, old)
        await hospital.cancel(booking, citizen, effect())
        async with refused(AlreadyReturned, ward.db):
            await hospital.move(booking, new, citizen, effect())
        with pytest.raises(AlreadyReturned):
            await hospital.to_move(booking, citizen)

    async def test_a_hold_that_is_over_is_not_moved_swept_or_not(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        old, new = await ward.session(starts=at("11:00"), fee_fen=1000, units=(1, 1))
        booking, citizen = await booked(ward, hospital, old)
        clock.move(timedelta(minutes=10))
        async with refused(AlreadyReturned, ward.db):
            await hospital.move(booking, new, citizen, effect())
        await hospital.expire_holds()
        async with refused(AlreadyReturned, ward.db):
            await hospital.move(booking, new, citizen, effect())

    async def test_a_visit_that_does_not_take_place(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session()
        (new,) = await ward.session("heart-2")
        booking, citizen = await booked(ward, hospital, old)
        await hospital.suspend_session(f"heart-1:{MONDAY}:AM", "staff")
        async with refused(VisitSuspended, ward.db):
            await hospital.move(booking, new, citizen, effect())
        assert await hospital.movable(citizen) == []

    @pytest.mark.parametrize(
        ("step", "why"), [("check_in", CheckedIn), ("miss", TooLateToCancel)], ids=["checked in", "missed"]
    )
    async def test_after_check_in_and_after_the_visit(
        self, ward: Ward, hospital: Hospital, step: str, why: type[DomainError]
    ) -> None:
        (old,) = await ward.session(starts=at("11:00"))
        (new,) = await ward.session("heart-2", starts=at("11:00"))
        booking, citizen = await booked(ward, hospital, old)
        await ward.move(booking, step)
        async with refused(why, ward.db):
            await hospital.move(booking, new, citizen, effect())
        with pytest.raises(why):
            await hospital.to_move(booking, citizen)

    @pytest.mark.parametrize(
        ("clinic_class", "starts", "deadline"),
        [
            ("general", at("09:30", TUESDAY), at("09:00", TUESDAY)),
            ("expert", at("09:30", TUESDAY), at("00:00", TUESDAY)),
        ],
        ids=["U7 general: 30 min before", "U6 expert: midnight"],
    )
    async def test_until_the_old_bookings_deadline_and_not_a_second_longer(
        self,
        ward: Ward,
        hospital: Hospital,
        clock: ManualClock,
        clinic_class: str,
        starts: datetime,
        deadline: datetime,
    ) -> None:
        (old,) = await ward.session(starts=starts, clinic_class=clinic_class, units=(2,))
        (new,) = await ward.session("heart-2", at("10:00", WEDNESDAY), units=(2,))
        early, early_citizen = await booked(ward, hospital, old)
        late, late_citizen = await booked(ward, hospital, old)
        clock.set(deadline - SECOND)
        assert (await hospital.to_move(early, early_citizen)).id == early
        assert await hospital.move(early, new, early_citizen, effect())
        clock.set(deadline)
        async with refused(TooLateToCancel, ward.db):
            await hospital.move(late, new, late_citizen, effect())
        with pytest.raises(TooLateToCancel):
            await hospital.to_move(late, late_citizen)

    async def test_moving_to_and_fro_does_not_renew_the_half_hour_after_booking(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        """Expert units of today: only the half hour after booking lets go of them (U6), counted once."""
        first, second = await ward.session(starts=at("10:30"), clinic_class="expert", units=(4, 4))
        booking, citizen = await booked(ward, hospital, first)
        for minutes, period in ((10, second), (20, first)):
            clock.set(at("09:00") + timedelta(minutes=minutes))
            await hospital.move(booking, period, citizen, effect())
        assert (await hospital.booking(booking)).cancel_until == at("09:30")
        clock.set(at("09:30"))
        async with refused(TooLateToCancel, ward.db):
            await hospital.move(booking, second, citizen, effect())
        async with refused(TooLateToCancel, ward.db):
            await hospital.cancel(booking, citizen, effect())
        fresh, fresh_citizen = await booked(
            ward, hospital, second
        )  # control: a new booking has its half hour
        assert await hospital.cancel(fresh, fresh_citizen, effect())

    async def test_after_the_move_the_new_periods_deadline_holds(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (old,) = await ward.session(starts=at("10:00", WEDNESDAY))
        (new,) = await ward.session("heart-2", at("14:00"), half="PM", clinic_class="expert")
        (later,) = await ward.session("heart-2", at("14:00", TUESDAY), half="PM")
        booking, citizen = await booked(ward, hospital, old)
        clock.move(timedelta(minutes=31))
        assert not (await hospital.exchange(booking, later, citizen)).last
        exchange = await hospital.exchange(booking, new, citizen)
        assert (exchange.old.period, exchange.new.id, exchange.last) == (old, new, True)
        await hospital.move(booking, new, citizen, effect())
        moved = await hospital.booking(booking)
        assert (moved.cancel_until, moved.can_cancel) == (exchange.new.cancel_until, False)
        async with refused(TooLateToCancel, ward.db):
            await hospital.move(booking, old, citizen, effect())


class TestNewSide:
    async def test_no_such_period(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session()
        booking, citizen = await booked(ward, hospital, old)
        async with refused(NoSuchPeriod, ward.db):
            await hospital.move(booking, "nowhere", citizen, effect())
        with pytest.raises(NoSuchPeriod):
            await hospital.exchange(booking, "nowhere", citizen)

    async def test_the_period_it_has_though_there_is_room(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session(starts=at("11:00"), units=(3,))
        booking, citizen = await booked(ward, hospital, old)
        async with refused(SamePeriod, ward.db):
            await hospital.move(booking, old, citizen, effect())

    async def test_a_session_that_does_not_take_place(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session()
        (new,) = await ward.session("heart-2")
        await hospital.suspend_session(f"heart-2:{MONDAY}:AM", "staff")
        booking, citizen = await booked(ward, hospital, old)
        async with refused(SessionSuspended, ward.db):
            await hospital.move(booking, new, citizen, effect())

    async def test_h1_a_day_that_is_not_open_yet(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session()
        (new,) = await ward.session("heart-2", at("10:00", MONDAY + timedelta(days=8)))
        booking, citizen = await booked(ward, hospital, old)
        async with refused(BeyondHorizon, ward.db):
            await hospital.move(booking, new, citizen, effect())

    async def test_h5_a_morning_after_eleven(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (old,) = await ward.session(starts=at("10:00", TUESDAY))
        (new,) = await ward.session("heart-2", at("11:30"))
        booking, citizen = await booked(ward, hospital, old)
        clock.set(at("11:00"))
        async with refused(BookingClosed, ward.db):
            await hospital.move(booking, new, citizen, effect())

    async def test_a_full_period(self, ward: Ward, hospital: Hospital) -> None:
        old, full, other = await ward.session(starts=at("10:00", TUESDAY), units=(1, 1, 1))
        await booked(ward, hospital, full)
        booking, citizen = await booked(ward, hospital, old)
        async with refused(UnitTaken, ward.db):
            await hospital.move(booking, full, citizen, effect())
        assert await hospital.move(booking, other, citizen, effect())

    async def test_h7_counts_other_bookings_and_not_the_one_that_is_moved(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        first, second = await ward.session(starts=at("10:00", TUESDAY), units=(2, 2))
        elsewhere, further = await ward.session("heart-2", at("10:00", TUESDAY), units=(2, 2))
        booking, citizen = await booked(ward, hospital, first)
        assert await hospital.move(booking, second, citizen, effect()), "the same half-day"
        other = await hospital.hold(elsewhere, citizen, effect())
        async with refused(SessionLimit, ward.db):
            await hospital.move(other, first, citizen, effect())
        assert await hospital.move(other, further, citizen, effect())

    async def test_h8_counts_other_departments_and_not_the_one_that_is_left(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        three = [(await ward.session(f"{name}-1", at("10:00", TUESDAY)))[0] for name in DEPARTMENTS[:3]]
        (fourth,) = await ward.session(f"{DEPARTMENTS[3]}-1", at("10:00", TUESDAY))
        (later,) = await ward.session(f"{DEPARTMENTS[4]}-1", at("10:00", WEDNESDAY), units=(2,))
        citizen = await ward.citizen()
        bookings = [await hospital.hold(period, citizen, effect()) for period in three]
        apart = await hospital.hold(later, citizen, effect())
        async with refused(DepartmentLimit, ward.db):
            await hospital.move(apart, fourth, citizen, effect())
        assert await hospital.move(bookings[0], fourth, citizen, effect())

    async def test_h10_a_hold_of_its_own_is_moved_with_what_is_left_of_its_time(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        old, new = await ward.session(starts=at("11:00"), fee_fen=1000, units=(1, 1))
        (other,) = await ward.session("lungs-1", at("11:00"), units=(2,))
        (instead,) = await ward.session("lungs-2", at("11:00"), units=(2,))
        citizen = await ward.citizen()
        moved = await hospital.hold(other, citizen, effect())
        held = await hospital.hold(old, citizen, effect())
        clock.move(timedelta(minutes=9))
        async with refused(HoldOpen, ward.db):
            await hospital.move(moved, instead, citizen, effect())
        await hospital.move(held, new, citizen, effect())
        booking = await hospital.booking(held)
        assert (booking.state, booking.hold_until) == (BookingState.HELD, at("09:10"))
        clock.move(timedelta(minutes=1))
        assert await hospital.expire_holds() == 1
        assert (await hospital.booking(held)).state is BookingState.LAPSED

    async def test_h11_a_cancellation_bars_and_a_move_does_not(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        first, second = await ward.session(starts=at("10:00", TUESDAY), units=(4, 4))
        (elsewhere,) = await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
        booking, citizen = await booked(ward, hospital, first)
        await hospital.move(booking, elsewhere, citizen, effect())
        assert await hospital.move(booking, second, citizen, effect()), "back at once"
        await hospital.move(booking, elsewhere, citizen, effect())
        cancelled = await hospital.hold(first, citizen, effect())
        await hospital.cancel(cancelled, citizen, effect())
        async with refused(RebookTooSoon, ward.db):
            await hospital.move(booking, second, citizen, effect())
        clock.move(timedelta(seconds=60))
        assert await hospital.move(booking, second, citizen, effect())

    async def test_what_is_paid_moves_only_to_the_same_price(self, ward: Ward, hospital: Hospital) -> None:
        old, same = await ward.session(starts=at("10:00", TUESDAY), fee_fen=1000, units=(1, 1))
        (dearer,) = await ward.session("heart-2", at("10:00", TUESDAY), fee_fen=2500)
        (free,) = await ward.session("lungs-1", at("10:00", TUESDAY))
        booking, citizen = await booked(ward, hospital, old)
        await ward.move(booking, "confirm")
        for period in (dearer, free):
            async with refused(FeeDiffers, ward.db):
                await hospital.move(booking, period, citizen, effect())
        await hospital.move(booking, same, citizen, effect())
        assert (await hospital.booking(booking)).state is BookingState.BOOKED

    async def test_what_is_not_paid_yet_moves_to_any_price(self, ward: Ward, hospital: Hospital) -> None:
        (old,) = await ward.session(starts=at("10:00", TUESDAY), fee_fen=1000)
        (dearer,) = await ward.session("heart-2", at("10:00", TUESDAY), fee_fen=2500)
        (free,) = await ward.session("lungs-1", at("10:00", TUESDAY))
        booking, citizen = await booked(ward, hospital, old)
        await hospital.move(booking, dearer, citizen, effect())
        moved = await hospital.booking(booking)
        assert (moved.state, moved.fee_fen) == (BookingState.HELD, 2500)
        await hospital.move(booking, free, citizen, effect())
        moved = await hospital.booking(booking)
        assert (moved.state, moved.fee_fen, moved.hold_until) == (BookingState.BOOKED, 0, None)
