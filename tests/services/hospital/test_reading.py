"""What is offered, and in which order: departments, doctors, sessions, periods, bookings, alternatives."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from commands.jobs import Jobs, audit
from core.clock import CITY_ZONE, ManualClock
from core.schedule.leases import Leases
from services.citizens.model import UnknownCitizen
from services.hospital.model import BookingState, ClinicClass, Discrepancy, Fees, Half
from services.hospital.service import Hospital
from tests.services.ward import MONDAY, Ward, at, effect

TUESDAY = MONDAY + timedelta(days=1)


async def test_departments_with_something_left_come_first(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session("heart-1")
    await ward.session("bones-1", units=(2, 3))
    await hospital.hold(period, await ward.citizen(), effect())
    found = await hospital.departments()
    assert [(department.id, department.left) for department in found] == [
        ("bones", 5),
        ("heart", 0),
        ("lungs", 0),
        ("skin", 0),
        ("eyes", 0),
    ]
    assert found[0].hospitals == ("测试医院",)


async def test_doctors_by_their_next_period_and_the_full_ones_last(ward: Ward, hospital: Hospital) -> None:
    (full,) = await ward.session("heart-1")
    await hospital.hold(full, await ward.citizen(), effect())
    await ward.session("heart-2", at("09:30", TUESDAY), units=(2,), clinic_class="expert")
    second, first = await hospital.doctors("heart")
    assert (second.id, second.left, second.next_at) == ("heart-2", 2, at("09:30", TUESDAY))
    assert (first.id, first.left, first.next_at) == ("heart-1", 0, None)
    assert second.clinic_class is ClinicClass.EXPERT
    assert second.title == "主任医师"
    assert "陈主任" in second.aliases
    assert await hospital.doctors("lungs") == []
    assert await hospital.doctors("nowhere") == []


async def test_a_doctor_whose_only_half_day_is_barred_comes_behind_those_one_can_have(
    ward: Ward, hospital: Hospital
) -> None:
    period, *_ = await ward.session("heart-1", units=(2, 2))
    await ward.session("heart-2", at("14:00"), half="PM")
    full, *_ = await ward.session("lungs-1")
    citizen, other = await ward.citizen(), await ward.citizen()
    booking = await hospital.hold(period, citizen, effect())
    await hospital.hold(full, other, effect())

    assert [doctor.id for doctor in await hospital.doctors("heart", await ward.person(citizen))] == [
        "heart-2",
        "heart-1",
    ]
    assert [doctor.id for doctor in await hospital.doctors("heart", await ward.person(other))] == [
        "heart-1",
        "heart-2",
    ]
    assert [doctor.id for doctor in await hospital.doctors("heart")] == ["heart-1", "heart-2"], "nobody's"
    barred = (await hospital.doctors("heart", await ward.person(citizen)))[1]
    assert (barred.left, barred.next_at) == (3, at("09:30")), "for others it is as it was"

    await hospital.cancel(booking, citizen, effect())  # H11: for a minute it is still no half-day for them
    assert [doctor.id for doctor in await hospital.doctors("heart", await ward.person(citizen))] == [
        "heart-2",
        "heart-1",
    ]
    ward.clock.move(timedelta(seconds=60))
    assert [doctor.id for doctor in await hospital.doctors("heart", await ward.person(citizen))] == [
        "heart-1",
        "heart-2",
    ]


async def test_a_doctor_is_offered_by_the_first_half_day_one_can_have(ward: Ward, hospital: Hospital) -> None:
    period, *_ = await ward.session("heart-1", units=(2,))
    await ward.session("heart-1", at("09:30", TUESDAY))
    await ward.session("heart-2", at("14:00"), half="PM")
    citizen = await ward.citizen()
    await hospital.hold(period, citizen, effect())
    second, first = await hospital.doctors("heart", await ward.person(citizen))
    assert (second.id, second.next_at) == ("heart-2", at("14:00"))
    assert (first.id, first.next_at) == ("heart-1", at("09:30", TUESDAY))


async def test_departments_of_a_day_one_may_book_no_further_come_behind(
    ward: Ward, hospital: Hospital
) -> None:
    """H8: whoever has been to three departments that day gets no fourth."""
    citizen = await ward.citizen()
    for name in ("heart", "lungs", "bones"):
        (period, *_) = await ward.session(f"{name}-1", units=(2,))
        await hospital.hold(period, citizen, effect())
    await ward.session("skin-1")
    await ward.session("eyes-1", at("09:30", TUESDAY))
    order = [department.id for department in await hospital.departments(await ward.person(citizen))]
    assert order == ["eyes", "heart", "lungs", "bones", "skin"]
    assert [department.id for department in await hospital.departments()] == [
        "heart",
        "lungs",
        "bones",
        "skin",
        "eyes",
    ]


async def test_sessions_and_periods_only_while_something_is_left(ward: Ward, hospital: Hospital) -> None:
    first, second = await ward.session(starts=at("10:00"), units=(1, 2))
    await ward.session(starts=at("14:00"), half="PM")
    await hospital.hold(first, await ward.citizen(), effect())
    morning, afternoon = await hospital.sessions("heart-1")
    assert (morning.date, morning.half, morning.left, afternoon.half) == (MONDAY, Half.AM, 2, Half.PM)
    (period,) = await hospital.periods(morning.id)
    assert (period.id, period.left) == (second, 2)
    assert period.starts_at == at("10:30")
    assert period.starts_at.tzinfo is CITY_ZONE
    assert period.ends_at - period.starts_at == timedelta(minutes=30)


async def test_the_quote_says_what_is_confirmed(ward: Ward, hospital: Hospital) -> None:
    (period,) = await ward.session(starts=at("10:00"), fee_fen=1250)
    quote = await hospital.quote(period, await ward.citizen())
    assert (quote.hospital, quote.department, quote.doctor) == ("测试医院", "heart", "陈heart1")
    assert (quote.place, quote.fee_fen, quote.starts_at) == ("一楼1诊室", 1250, at("10:00"))
    assert quote.cancel_until == at("09:30")
    with pytest.raises(UnknownCitizen):
        await hospital.quote(period, "c_aaaaaaaaaaaaaaaa")


async def test_my_bookings_soonest_first_without_what_is_over(
    ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    citizen = await ward.citizen()
    (tomorrow,) = await ward.session("lungs-1", at("09:30", TUESDAY))
    (today,) = await ward.session("heart-1", at("10:00"))
    (given_up,) = await ward.session("bones-1", at("14:00"), half="PM")
    (unpaid,) = await ward.session("skin-1", at("14:00"), half="PM", fee_fen=100)
    later, soon = [await hospital.hold(period, citizen, effect()) for period in (tomorrow, today)]
    await hospital.cancel(await hospital.hold(given_up, citizen, effect()), citizen, effect())
    held = await hospital.hold(unpaid, citizen, effect())
    assert [booking.id for booking in await hospital.bookings(citizen)] == [soon, held, later]
    assert [booking.id for booking in await hospital.cancellable(citizen)] == [soon, held, later]
    clock.move(timedelta(minutes=10))
    assert [booking.id for booking in await hospital.bookings(citizen)] == [soon, later]
    clock.set(at("10:30"))
    (left,) = await hospital.bookings(citizen)
    assert (left.id, left.state, left.number) == (later, BookingState.BOOKED, 1)
    assert await hospital.bookings(await ward.citizen()) == []


async def test_alternatives_same_doctor_then_same_half_day_then_the_specialty(
    ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    clock.set(at("07:00"))
    (wanted,) = await ward.session("heart-1", at("10:00"))
    (same_doctor,) = await ward.session("heart-1", at("10:00", TUESDAY))
    far, near = await ward.session("heart-2", at("08:30"), units=(1, 1))
    await ward.session("heart-2", at("14:00"), half="PM")
    await ward.session("lungs-1", at("10:00"))
    assert [other.id for other in await hospital.alternatives(wanted)] == [same_doctor, near, far]


async def test_a_full_doctor_is_told_with_alternatives(ward: Ward, hospital: Hospital) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    (other,) = await ward.session("heart-2", at("10:30"))
    await hospital.hold(full, await ward.citizen(), effect())
    assert await hospital.sessions("heart-1") == []
    facts = (await hospital.nothing_left("heart-1")).facts
    assert facts["doctor"] == "陈heart1"
    assert [period.id for period in facts["alternatives"]] == [other]  # type: ignore[attr-defined]
    assert (await hospital.nothing_left("nobody")).facts == {"doctor": "", "alternatives": []}


async def test_the_audit_finds_a_quota_that_was_not_opened(ward: Ward, hospital: Hospital) -> None:
    await ward.session(units=(3,))
    assert await hospital.audit() == []
    await ward.db.execute("UPDATE sessions SET quota = 4")
    (found,) = await hospital.audit()
    assert found == Discrepancy(session=f"heart-1:{MONDAY}:AM", what="quota_and_units", expected=4, found=3)


async def test_a_job_tells_what_the_audit_finds(ward: Ward, hospital: Hospital) -> None:
    await ward.session(units=(3,))
    await ward.db.execute("UPDATE sessions SET quota = 4")
    jobs = Jobs(Leases(ward.db))
    audit(jobs, hospital)
    job = jobs._scheduler.get_job("audit")
    with capture_logs() as lines:
        await job.func(*job.args)
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("books_disagree", "error")
    assert (line["what"], line["expected"], line["found"]) == ("quota_and_units", 4, 3)


async def test_the_audit_finds_a_state_without_its_event_and_a_booking_without_its_unit(
    ward: Ward, hospital: Hospital
) -> None:
    (period,) = await ward.session(units=(3,))
    await hospital.hold(period, await ward.citizen(), effect())
    async with ward.db.transaction() as tx:  # what only a superuser who switches the machine off can do
        await tx.execute("ALTER TABLE units DISABLE TRIGGER units_change")
        await tx.execute(
            "UPDATE units SET state = 'free', booking = NULL, person = NULL WHERE state = 'booked'"
        )
        await tx.execute("ALTER TABLE units ENABLE TRIGGER units_change")
    assert {found.what for found in await hospital.audit()} == {"units_and_bookings", "units_and_events"}


async def test_a_doctor_tells_the_half_days_with_something_left(ward: Ward, hospital: Hospital) -> None:
    (full,) = await ward.session("heart-1")
    await ward.session("heart-1", at("14:00"), half="PM", units=(2, 2))
    await ward.session("heart-1", at("09:30", TUESDAY))
    await hospital.hold(full, await ward.citizen(), effect())
    (doctor,) = await hospital.doctors("heart")
    assert doctor.halves == ((MONDAY, Half.PM), (TUESDAY, Half.AM))


async def test_what_is_full_is_known_as_long_as_it_could_be_booked(
    ward: Ward, hospital: Hospital, clock: ManualClock
) -> None:
    full, left = await ward.session(starts=at("10:00"), units=(1, 1))
    (alone,) = await ward.session(starts=at("14:00"), half="PM")
    await ward.session(starts=at("10:00", TUESDAY))
    for period in (full, alone):
        await hospital.hold(period, await ward.citizen(), effect())
    (afternoon,) = await hospital.full_sessions("heart-1")
    assert (afternoon.date, afternoon.half, afternoon.left) == (MONDAY, Half.PM, 0)
    assert [period.id for period in await hospital.full_periods(left[:-5])] == [full]
    await hospital.suspend_session(afternoon.id, "staff")
    assert await hospital.full_sessions("heart-1") == [], "停诊 is not 约满"
    clock.set(at("10:00"))
    assert await hospital.full_periods(left[:-5]) == [], "its time is over"


async def test_hospitals_as_places(ward: Ward, hospital: Hospital) -> None:
    await ward.db.execute("INSERT INTO hospitals VALUES ('h2', '云汀市中医院', '二号街', '0199-5550001', 2)")
    first, second = await hospital.sites()
    assert (first.name, first.address, first.phone, first.place) == ("测试医院", "一号街", "0199-5550000", "")
    assert second.aliases == ("云汀市中医院", "中医院")
    (only,) = await hospital.sites("heart")
    assert (only.id, only.department, only.place) == ("h", "heart", "一楼")


async def test_what_visits_cost(ward: Ward, hospital: Hospital) -> None:
    assert await hospital.fees() is None
    await ward.session("heart-1", fee_fen=0)
    await ward.session("lungs-1", fee_fen=1250)
    assert await hospital.fees() == Fees(lowest=0, highest=1250)
    await hospital.suspend_session(f"lungs-1:{MONDAY}:AM", "staff")
    assert await hospital.fees() == Fees(lowest=0, highest=0)
