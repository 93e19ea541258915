"""Sentences few people ever read: what was done already, and where there is nothing at all."""

import pytest

from services.hospital.service import Hospital
from tests.services.ward import Ward, at, effect
from tests.support.talk import Talk


async def _run_of(talk: Talk) -> tuple[str, str]:
    """The run of the open dialogue, and the citizen it is for."""
    session = await talk.session()
    return session.frames[-1].run, session.citizen


async def test_a_number_this_talk_had_booked_already_is_told_and_not_booked_twice(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    """A process dies between 预约成功 and the session: the citizen, asked once more, chooses another time."""
    first, _ = await ward.session("heart-1", at("10:00"), units=(2, 2))
    assert "要约这个号吗" in await talk.walk("挂heart", "1", "1", "2")
    run, citizen = await _run_of(talk)
    await hospital.hold(first, citizen, effect(run, digest=b"another time"))
    reply = await talk.says("1")
    assert "刚才已经替您约好了，没有重复预约" in reply
    assert "10:00~10:30" in reply
    assert "要改时间，请说“改期”" in reply
    assert len(await hospital.bookings(citizen)) == 1


async def test_a_booking_that_cannot_be_cancelled_any_more_names_the_window(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    first, _ = await ward.session("heart-1", at("10:00"), units=(2, 2))
    await talk.walk("挂heart", "1", "1", "2")
    run, citizen = await _run_of(talk)
    booking = await hospital.hold(first, citizen, effect(run, digest=b"another time"))
    await ward.move(booking, "check_in")
    assert "挂号窗口电话 0199-5550000" in await talk.says("1")


async def test_a_cancelling_this_talk_had_done_already_is_told(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    for doctor, hour in (("heart-1", "10:00"), ("lungs-1", "11:00")):
        await ward.session(doctor, at(hour))
        await talk.walk(f"挂{doctor.split('-')[0]}", "1", "1", "1", "1")
    assert "要取消这个号吗" in await talk.walk("取消预约", "2")
    run, citizen = await _run_of(talk)
    earlier, later = await hospital.bookings(citizen)
    await hospital.cancel(earlier.id, citizen, effect(run, "cancel", b"the other one"))
    reply = await talk.says("1")
    assert "刚才已经取消了，没有重复取消" in reply
    assert "10:00 heart 陈heart1" in reply
    assert [booking.id for booking in await hospital.bookings(citizen)] == [later.id]


async def test_a_move_this_talk_had_done_already_is_told_and_not_done_twice(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    _, other, _ = await ward.session("heart-1", at("10:00"), units=(1, 1, 1))
    await talk.walk("挂heart", "1", "1", "1", "1")
    assert "要改成这个号吗" in await talk.walk("改期", "1", "11点")
    run, citizen = await _run_of(talk)
    (booking,) = await hospital.bookings(citizen)
    await hospital.move(booking.id, other, citizen, effect(run, "move", b"another time"))
    reply = await talk.says("1")
    assert "刚才已经改好了，没有重复改" in reply
    assert "10:30 heart 陈heart1" in reply
    assert (await hospital.booking(booking.id)).version == 1


async def test_a_number_that_is_not_paid_yet_is_moved_with_its_price_and_its_time(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    await ward.session("heart-1", at("10:00"), units=(1, 1), fee_fen=1250)
    await talk.walk("挂heart", "1", "1", "1", "1")
    talk.later(minutes=4)
    assert "挂号费 12.50 元" in await talk.walk("改期", "1", "1")
    assert "请在 09:10 前到窗口付款 12.50 元，过时作废。" in await talk.says("1")


async def test_a_number_that_is_paid_does_not_change_its_price(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    await ward.session("heart-1", at("10:00"), units=(1, 1), fee_fen=1250)
    await ward.session("heart-2", at("10:00"), fee_fen=2500)
    await talk.walk("挂heart", "陈heart1", "1", "1", "1")
    (booking,) = await hospital.bookings((await talk.session()).citizen)
    await ward.move(booking.id, "confirm")
    refused = await talk.walk("改期", "换个医生", "1")
    assert "挂号费是 25 元，和您付过的不一样" in refused
    assert "heart，请选择医生" in refused


async def test_a_department_where_nobody_works_these_days_says_so(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"))
    assert "近几天没有医生出诊" in await talk.says("挂lungs")
    assert (await talk.session()).frames == []


async def test_a_city_without_departments_says_so(talk: Talk) -> None:
    """The `ward` was not asked for: there is no hospital."""
    assert "现在没有可以预约的科室" in await talk.says("挂号")


@pytest.mark.parametrize(
    ("fees", "told"),
    [
        ((), "挂号费在您确认以前会写明"),
        ((0, 0), "现在的挂号费都是 0 元"),
        ((500, 1250), "挂号费看医生：5 元到 12.50 元"),
    ],
)
async def test_what_visits_cost_is_told_as_far_as_there_are_any(
    talk: Talk, ward: Ward, fees: tuple[int, ...], told: str
) -> None:
    for number, fee in enumerate(fees, start=1):
        await ward.session(f"heart-{number}", at("10:00"), fee_fen=fee)
    assert told in await talk.says("挂号费多少钱")


async def test_who_asks_for_the_emergency_room_is_told_to_go_there(talk: Talk) -> None:
    assert "急诊不用预约，请直接去" in await talk.says("我要挂急诊")
