"""What may be booked, when, and how often: H1, H5, H7, H8, H10, H11, U3, U4; each rule at its edges."""

from datetime import timedelta

import asyncpg
import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.hospital.errors import (
    BeyondHorizon,
    BookingClosed,
    DepartmentLimit,
    HoldOpen,
    NoSuchPeriod,
    RebookTooSoon,
    SessionLimit,
    SessionSuspended,
    UnitTaken,
)
from services.hospital.model import BookingState
from services.hospital.rules import Rules
from services.hospital.service import Hospital
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.city_hospital import hospital_of

TUESDAY = MONDAY + timedelta(days=1)
SECOND = timedelta(seconds=1)


class TestH1Horizon:
    async def test_the_seventh_day_opens_at_midnight(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("09:30", MONDAY + timedelta(days=8)))
        clock.set(at("23:59"))
        with pytest.raises(BeyondHorizon) as refused:
            await hospital.hold(period, await ward.citizen(), effect())
        assert refused.value.facts["at"] == at("00:00", TUESDAY)
        assert await hospital.sessions("heart-1") == []

        clock.set(at("00:00", TUESDAY))
        assert len(await hospital.sessions("heart-1")) == 1
        assert await hospital.hold(period, await ward.citizen(), effect())

    async def test_the_horizon_can_be_set(
        self, db: Database, ward: Ward, seal: Seal, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("09:30", TUESDAY))
        today_only = hospital_of(db, seal, clock, Rules(horizon_days=0))
        with pytest.raises(BeyondHorizon):
            await today_only.hold(period, await ward.citizen(), effect())

    async def test_a_later_release_counts(self, ward: Ward, hospital: Hospital, clock: ManualClock) -> None:
        (period,) = await ward.session(starts=at("09:30", TUESDAY))
        await ward.db.execute("UPDATE sessions SET release_at = $1", at("10:00"))
        with pytest.raises(BeyondHorizon):
            await hospital.hold(period, await ward.citizen(), effect())
        clock.set(at("10:00"))
        assert await hospital.hold(period, await ward.citizen(), effect())


class TestH5Closing:
    @pytest.mark.parametrize(
        ("half", "starts", "closes"),
        [
            ("AM", "11:30", "11:00"),
            ("PM", "16:30", "16:00"),
            ("NIGHT", "18:00", "18:00"),
            ("AM", "09:30", "09:30"),
        ],
        ids=["morning", "afternoon", "night: when it begins", "a period that has begun"],
    )
    async def test_same_day_until(
        self, ward: Ward, hospital: Hospital, clock: ManualClock, half: str, starts: str, closes: str
    ) -> None:
        (period,) = await ward.session(starts=at(starts), half=half, units=(2,))
        clock.set(at(closes) - SECOND)
        assert await hospital.hold(period, await ward.citizen(), effect())
        clock.set(at(closes))
        with pytest.raises(BookingClosed) as refused:
            await hospital.hold(period, await ward.citizen(), effect())
        assert refused.value.facts["at"] == at(closes)
        assert await hospital.sessions("heart-1") == []

    async def test_the_evening_before_nothing_is_closed(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("08:00", TUESDAY))
        clock.set(at("23:59"))
        assert await hospital.hold(period, await ward.citizen(), effect())

    async def test_alternatives_are_offered(self, ward: Ward, hospital: Hospital, clock: ManualClock) -> None:
        (period,) = await ward.session(starts=at("10:00"))
        (tomorrow,) = await ward.session(starts=at("10:00", TUESDAY))
        clock.set(at("11:00"))
        with pytest.raises(BookingClosed) as refused:
            await hospital.hold(period, await ward.citizen(), effect())
        assert [other.id for other in refused.value.facts["alternatives"]] == [tomorrow]  # type: ignore[attr-defined]


class TestH7OnePerSession:
    async def test_a_second_unit_of_the_session_is_refused(self, ward: Ward, hospital: Hospital) -> None:
        first, second = await ward.session(units=(1, 1))
        citizen = await ward.citizen()
        await hospital.hold(first, citizen, effect())
        with pytest.raises(SessionLimit):
            await hospital.hold(second, citizen, effect())
        assert await hospital.hold(second, await ward.citizen(), effect())

    async def test_the_afternoon_is_another_session(self, ward: Ward, hospital: Hospital) -> None:
        citizen = await ward.citizen()
        (morning,) = await ward.session()
        (afternoon,) = await ward.session(starts=at("14:00"), half="PM")
        await hospital.hold(morning, citizen, effect())
        assert await hospital.hold(afternoon, citizen, effect())

    async def test_the_database_refuses_it_too(self, ward: Ward, hospital: Hospital) -> None:
        first, second = await ward.session(units=(1, 1))
        await hospital.hold(first, await ward.citizen(), effect())
        with pytest.raises(asyncpg.UniqueViolationError, match="bookings_one_per_session"):
            await ward.db.execute(
                """
                INSERT INTO bookings
                SELECT 'b_bbbbbbbbbbbbbbbb', u.id, b.session, b.citizen, b.person, 0, now()
                FROM bookings b, units u WHERE u.period = $1
                """,
                second,
            )


class TestH8DepartmentsPerDay:
    async def test_the_fourth_department_is_refused(self, ward: Ward, hospital: Hospital) -> None:
        citizen = await ward.citizen()
        for department in ("heart", "lungs", "bones"):
            (period,) = await ward.session(f"{department}-1")
            await hospital.hold(period, citizen, effect())
        (fourth,) = await ward.session("skin-1")
        with pytest.raises(DepartmentLimit):
            await hospital.hold(fourth, citizen, effect())
        (same_department,) = await ward.session("bones-2")
        assert await hospital.hold(same_department, citizen, effect())
        (next_day,) = await ward.session("skin-1", at("09:30", TUESDAY))
        assert await hospital.hold(next_day, citizen, effect())

    async def test_a_cancelled_or_suspended_visit_frees_its_place(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        citizen = await ward.citizen()
        bookings = []
        for department in ("heart", "lungs", "bones"):
            (period,) = await ward.session(f"{department}-1", at("14:00"), half="PM")
            bookings.append(await hospital.hold(period, citizen, effect()))
        await hospital.cancel(bookings[0], citizen, effect())
        (fourth,) = await ward.session("skin-1")
        assert await hospital.hold(fourth, citizen, effect())
        await hospital.suspend_session(f"lungs-1:{MONDAY}:PM", "staff")
        (fifth,) = await ward.session("eyes-1")
        assert await hospital.hold(fifth, citizen, effect())


class TestH10OneOpenHold:
    async def test_a_second_hold_waits_for_the_first(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        citizen = await ward.citizen()
        (first,) = await ward.session("heart-1", fee_fen=1000)
        (second,) = await ward.session("lungs-1", fee_fen=1000)
        booking = await hospital.hold(first, citizen, effect())
        clock.move(timedelta(minutes=10) - SECOND)
        with pytest.raises(HoldOpen) as refused:
            await hospital.hold(second, citizen, effect())
        assert refused.value.facts["at"] == at("09:10")
        clock.move(SECOND)
        assert await hospital.hold(second, citizen, effect())
        assert (await hospital.booking(booking)).state is BookingState.LAPSED

    async def test_a_paid_one_is_no_hold(self, ward: Ward, hospital: Hospital) -> None:
        citizen = await ward.citizen()
        (first,) = await ward.session("heart-1", fee_fen=1000)
        (second,) = await ward.session("lungs-1", fee_fen=1000)
        await ward.move(await hospital.hold(first, citizen, effect()), "confirm")
        assert await hospital.hold(second, citizen, effect())

    async def test_the_database_refuses_it_too(self, ward: Ward, hospital: Hospital) -> None:
        citizen = await ward.citizen()
        (first,) = await ward.session("heart-1", fee_fen=1000)
        (second,) = await ward.session("lungs-1", fee_fen=1000)
        await hospital.hold(first, citizen, effect())
        with pytest.raises(asyncpg.UniqueViolationError, match="units_one_hold"):
            await ward.db.execute(
                """
                WITH claim AS (
                    INSERT INTO bookings
                    SELECT 'b_bbbbbbbbbbbbbbbb', u.id, p.session, b.citizen, b.person, 0, now()
                    FROM bookings b, units u JOIN periods p ON p.id = u.period WHERE p.id = $1
                    RETURNING id, unit, person
                )
                UPDATE units SET state = 'held', what = 'hold', version = 1, hold_until = now(),
                                 booking = claim.id, person = claim.person
                FROM claim WHERE units.id = claim.unit
                """,
                second,
            )


class TestH11Rebooking:
    @pytest.mark.parametrize(
        ("fee_fen", "wait"),
        [(0, timedelta(seconds=60)), (1000, timedelta(hours=2))],
        ids=["cancelled", "refunded"],
    )
    async def test_the_same_session_again_only_after_a_while(
        self, ward: Ward, hospital: Hospital, clock: ManualClock, fee_fen: int, wait: timedelta
    ) -> None:
        citizen = await ward.citizen()
        first, second = await ward.session(starts=at("14:00"), half="PM", fee_fen=fee_fen, units=(1, 1))
        booking = await hospital.hold(first, citizen, effect())
        if fee_fen:
            await ward.move(booking, "confirm")
        await hospital.cancel(booking, citizen, effect())
        clock.move(wait - SECOND)
        with pytest.raises(RebookTooSoon) as refused:
            await hospital.hold(second, citizen, effect())
        assert refused.value.facts["at"] == at("09:00") + wait
        clock.move(SECOND)
        assert await hospital.hold(second, citizen, effect())

    async def test_another_session_or_another_person_need_not_wait(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        citizen = await ward.citizen()
        first, second = await ward.session(units=(1, 1))
        (elsewhere,) = await ward.session("heart-2")
        await hospital.cancel(await hospital.hold(first, citizen, effect()), citizen, effect())
        assert await hospital.hold(elsewhere, citizen, effect())
        assert await hospital.hold(second, await ward.citizen(), effect())

    async def test_a_lapsed_hold_is_no_cancellation(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        citizen = await ward.citizen()
        first, second = await ward.session(starts=at("11:00"), fee_fen=1000, units=(1, 1))
        await hospital.hold(first, citizen, effect())
        clock.move(timedelta(minutes=10))
        assert await hospital.hold(second, citizen, effect())


class TestHoldToPay:
    async def test_free_of_charge_is_booked_at_once_with_both_transitions(
        self, ward: Ward, hospital: Hospital
    ) -> None:
        (period,) = await ward.session()
        citizen = await ward.citizen()
        named = effect("run-of-this")
        booking = await hospital.booking(await hospital.hold(period, citizen, named))
        assert booking.state is BookingState.BOOKED
        rows = await ward.db.fetch(
            "SELECT what, who, key FROM unit_events WHERE booking = $1 ORDER BY id", booking.id
        )
        assert [tuple(row) for row in rows] == [
            ("hold", citizen, "run-of-this#hold"),
            ("confirm", citizen, "run-of-this#hold"),
        ]

    async def test_with_a_fee_it_is_held_for_ten_minutes(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(fee_fen=2000)
        booking = await hospital.booking(await hospital.hold(period, await ward.citizen(), effect()))
        assert (booking.state, booking.hold_until) == (BookingState.HELD, at("09:10"))
        clock.set(at("09:10") - SECOND)
        assert await hospital.expire_holds() == 0
        clock.set(at("09:10"))
        assert (await hospital.booking(booking.id)).state is BookingState.LAPSED
        assert await hospital.expire_holds() == 1
        assert await hospital.expire_holds() == 0
        assert (await hospital.booking(booking.id)).state is BookingState.LAPSED
        assert await ward.states() == {"free": 1}

    async def test_a_lapsed_unit_is_claimable_before_the_job_ran(
        self, ward: Ward, hospital: Hospital, clock: ManualClock
    ) -> None:
        (period,) = await ward.session(starts=at("10:30"), fee_fen=2000)
        await hospital.hold(period, await ward.citizen(), effect())
        clock.set(at("09:20"))  # lapsed at 09:10 and public ten minutes later at the latest
        assert await hospital.hold(period, await ward.citizen(), effect())


async def test_a_suspended_session_is_refused_and_not_offered(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session()
    await hospital.suspend_session(f"heart-1:{MONDAY}:AM", "staff")
    with pytest.raises(SessionSuspended):
        await hospital.hold(period, await ward.citizen(), effect())
    assert await hospital.sessions("heart-1") == []
    assert await hospital.doctors("heart") == []


async def test_a_period_nobody_knows(ward: Ward, hospital: Hospital) -> None:
    citizen = await ward.citizen()
    with pytest.raises(NoSuchPeriod):
        await hospital.hold("nowhere", citizen, effect())
    with pytest.raises(NoSuchPeriod):
        await hospital.quote("nowhere", citizen)


async def test_a_refusal_leaves_nothing_behind(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session()
    await hospital.hold(period, await ward.citizen(), effect())
    with pytest.raises(UnitTaken):
        await hospital.hold(period, await ward.citizen(), effect())
    assert await ward.db.fetchval("SELECT count(*) FROM effects") == 1
    assert await ward.db.fetchval("SELECT count(*) FROM bookings") == 1


def test_the_defaults_are_those_of_the_rule_book() -> None:
    rules = Rules()
    assert (rules.horizon_days, rules.departments_per_day) == (7, 3)
    assert (rules.am_until.hour, rules.pm_until.hour) == (11, 16)
