"""改期 by chat: where something stands in the way, what words mean, and a booking that is brought along."""

from datetime import timedelta

from bots import city
from core.chat import openings
from core.chat.names import Found
from core.chat.router import Match
from core.chat.routes import Routes
from core.chat.sessions import Session
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from tests.handlers.conftest import bot_of
from tests.services.ward import DEPARTMENTS, MONDAY, Ward, at, effect
from tests.support.talk import Talk

TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=days) for days in (1, 2, 3))
KEPT = "没有改，您原来的号还在。"


async def booked(talk: Talk, hospital: Hospital, citizens: Citizens, period: str) -> str:
    """A booking of who talks, made elsewhere."""
    citizen = await citizens.arrive(talk.conversation, talk.account, talk.openid)
    return await hospital.hold(period, citizen, effect())


async def two_days(ward: Ward) -> tuple[str, str]:
    """A doctor's mornings of tomorrow and the day after."""
    (tomorrow,) = await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    (after,) = await ward.session("heart-1", at("10:00", WEDNESDAY), units=(4,))
    return tomorrow, after


async def test_the_last_number_was_taken_while_the_citizen_read_the_question(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    (old,) = await ward.session("heart-1", at("10:00", TUESDAY))
    last, other = await ward.session("heart-1", at("10:00", WEDNESDAY), units=(1, 4))
    booking = await booked(talk, hospital, citizens, old)
    assert "要改成这个号吗" in await talk.walk("改期", "1", "1")
    await hospital.hold(last, await ward.citizen(), effect())
    reply = await talk.says("1")
    assert "10:00 已约满。" in reply
    assert "1、10:30~11:00，余 4 个号" in reply
    assert (await hospital.booking(booking)).period == old
    assert "已改到：后天 11月25日 周三 10:30" in await talk.walk("1", "1")
    assert (await hospital.booking(booking)).period == other


async def test_a_half_day_that_was_suspended_meanwhile_leads_back_to_the_days(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    await ward.session("heart-1", at("10:00", THURSDAY), units=(4,))
    await booked(talk, hospital, citizens, old)
    await talk.walk("改期", "周三", "1")
    await hospital.suspend_session(f"heart-1:{WEDNESDAY}:AM", "staff")
    reply = await talk.says("1")
    assert "停诊" in reply
    assert "要改到哪一天" in reply
    assert "已改到：11月26日 周四" in await talk.walk("1", "1", "1")


async def test_the_deadline_is_said_before_anything_is_asked_and_again_where_it_passes_meanwhile(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, new = await two_days(ward)
    booking = await booked(talk, hospital, citizens, old)
    talk.later(hours=24, minutes=25)  # 09:25, five minutes before it
    assert "要改成这个号吗" in await talk.walk("改期", "1", "1")
    talk.later(minutes=5)
    late = "09:30 前可以取消或改期，现在已过时间，不能在这里办了。\n请打挂号窗口电话 0199-5550000"
    assert late in await talk.says("1")
    assert late in await talk.says("改期")
    assert (await hospital.booking(booking)).period == old != new


async def test_nothing_else_is_free_and_the_old_number_is_offered(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    (old,) = await ward.session("heart-1", at("10:00", TUESDAY))
    await booked(talk, hospital, citizens, old)
    assert "近几天没有别的号可以改。\n您原来的号还在" in await talk.says("改期")
    await ward.session("heart-2", at("10:00", WEDNESDAY))
    asked = await talk.says("改期")
    assert "陈heart1医生近几天没有别的号。您原来的号还在：\n明天 11月24日 周二 10:00" in asked
    assert "1、换个医生\n2、不改了，保留原来的号" in asked
    assert KEPT in await talk.says("2")
    assert KEPT in await talk.walk("改期", "保留")
    assert "已改到：后天 11月25日 周三 10:00" in await talk.walk("改期", "1", "1", "1", "1", "1")


async def test_the_other_doctors_last_number_went_meanwhile(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    (other,) = await ward.session("heart-2", at("10:00", TUESDAY))
    await booked(talk, hospital, citizens, old)
    assert "2、换个医生" in await talk.says("改期")
    await hospital.hold(other, await ward.citizen(), effect())
    reply = await talk.says("2")
    assert "这个科近几天没有别的医生有号。您原来的号还在。" in reply
    assert "要改到哪一天" in reply
    assert "换个医生" not in reply


async def test_a_half_day_was_full_when_it_was_chosen_and_nobody_has_anything_else(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    (old,) = await ward.session("heart-1", at("10:00", TUESDAY))
    (last,) = await ward.session("heart-1", at("10:00", WEDNESDAY))
    await ward.session("lungs-1", at("10:00", THURSDAY))
    await booked(talk, hospital, citizens, old)
    await talk.says("改期")
    await hospital.hold(last, await ward.citizen(), effect())
    assert "近几天没有别的号可以改。\n您原来的号还在" in await talk.says("1")
    await ward.session("heart-1", at("10:00", THURSDAY), units=(4,))
    assert "已改到：11月26日 周四" in await talk.walk("改期", "1", "1", "1")


async def test_wherever_one_stops_the_old_number_is_there(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
    booking = await booked(talk, hospital, citizens, old)
    ways = ("改期", "改期 1", "改期 1 1", "改期 2", "改期 2 1", "改期 2 1 1", "改期 2 1 1 1")
    for way in ways:
        for stop in ("取消", "算了", "不改了"):
            await talk.walk(*way.split())
            assert KEPT in await talk.says(stop), (way, stop)
    assert KEPT in await talk.walk("改期", "1", "1", "不")
    assert "要改到哪一天" in await talk.walk("改期", "1", "1", "返回", "返回")
    assert "这已经是第一步了" in await talk.says("返回")
    assert (await hospital.booking(booking)).version == 0


async def test_words_say_where_to_and_words_say_which(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    (other,) = await ward.session("lungs-1", at("10:00", WEDNESDAY))
    await ward.session("lungs-1", at("14:00", THURSDAY), half="PM", units=(4, 4))
    await booked(talk, hospital, citizens, old)
    assert "改到：后天 11月25日 周三 10:00" in await talk.walk("改到后天", "1")
    await talk.says("取消")
    await booked(talk, hospital, citizens, other)
    for said in ("把周三的号改到周四下午两点半", "lungs的号改到周四下午两点半"):
        asked = await talk.says(said)
        assert "原来：后天 11月25日 周三 10:00\n改到：11月26日 周四 14:30" in asked
        await talk.says("取消")
    assert "要改哪一个" in await talk.says("改到周四下午两点半")
    assert "改到：11月26日 周四 14:30" in await talk.says("lungs")
    await talk.says("取消")
    assert "陈lungs1医生，要改到哪一天" in await talk.says("改周三的号")


async def test_words_that_move_were_taken_for_the_name_of_a_booking(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    """改到周三 with a booking on Wednesday: that day is where to, not which."""
    _, second = await two_days(ward)
    (other,) = await ward.session("lungs-1", at("10:00", TUESDAY))
    for period in (other, second):
        await booked(talk, hospital, citizens, period)
    for said in ("改到周三", "改期到周三", "推迟到周三"):
        assert "要改哪一个" in await talk.says(said)
        await talk.says("取消")


async def test_a_doctor_named_meanwhile_opened_a_second_booking(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    (new,) = await ward.session("heart-2", at("14:00", THURSDAY), half="PM")
    booking = await booked(talk, hospital, citizens, old)
    reply = await talk.says("改到周四下午")
    assert "这时有号的：陈heart2。要换请说名字" in reply
    asked = await talk.walk("陈heart2", "1")
    assert "原来：明天 11月24日 周二 10:00 陈heart1\n改到：11月26日 周四 14:00 陈heart2" in asked
    assert "给您换过来了" in await talk.says("陈heart1")
    assert "已改到：11月26日 周四 14:00" in await talk.walk("换个医生", "陈heart2", "1", "1", "1")
    assert (await hospital.booking(booking)).period == new
    assert "一共 1 个" in await talk.says("我的预约")


async def test_a_department_is_named_meanwhile(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    await ward.session("lungs-1", at("10:00", THURSDAY))
    await booked(talk, hospital, citizens, old)
    await talk.says("改期")
    assert "这个科近几天没有别的医生有号。您原来的号还在。" in await talk.says("bones")
    assert "lungs，请选择医生" in await talk.says("lungs")
    assert "改到：11月26日 周四 10:00 陈lungs1" in await talk.walk("1", "1", "1")


async def test_while_a_number_is_being_booked_these_words_are_answers(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4, 4))
    await ward.session("heart-1", at("14:00", WEDNESDAY), half="PM", units=(4, 4))
    await talk.walk("挂heart", "1")
    assert "后天 11月25日 周三，请选择时间" in await talk.says("改到周三下午")
    assert "请选择日期" in await talk.says("换个时间吧")
    assert "请选择时间" in await talk.walk("1", "1", "换个时间")


async def test_a_day_with_limits_is_marked_and_refused_when_it_is_chosen(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    await booked(talk, hospital, citizens, old)
    for name in DEPARTMENTS[1:4]:
        (period,) = await ward.session(f"{name}-1", at("10:00", WEDNESDAY))
        await booked(talk, hospital, citizens, period)
    asked = await talk.walk("改heart的号")
    assert "要改到哪一天" not in asked or "（这天不能再约）" in asked
    await ward.session("heart-1", at("10:00", THURSDAY), units=(4,))
    asked = await talk.says("改heart的号")
    assert "周三上午\n　（这天不能再约）" in asked
    refused = await talk.says("周三")
    assert "同一天最多约 3 个科室" in refused
    assert "要改到哪一天" in refused


async def test_what_cannot_be_moved_again_says_so_before(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    old, _ = await two_days(ward)
    await ward.session("heart-1", at("14:00"), half="PM", clinic_class="expert", units=(4,))
    await booked(talk, hospital, citizens, old)
    talk.later(minutes=31)
    asked = await talk.walk("改到今天下午", "1")
    assert asked.startswith("改过去就不能再改或取消了，要改吗？")
    moved = await talk.says("1")
    assert "不能再改或取消了，有事请打电话 0199-5550000" in moved


async def test_a_booking_that_is_brought_along_is_not_asked_for(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    """As the "2 改期" of a reminder will bring it."""
    old, _ = await two_days(ward)
    (other,) = await ward.session("lungs-1", at("10:00", TUESDAY), units=(2,))
    booking = await booked(talk, hospital, citizens, old)
    routes = Routes(city.router, bot_of(talk.ground).services)
    await talk.says("帮助")

    async def brought(which: str) -> str:
        route = next(route for route in city.router.routes() if route.name == "hospital.move")
        match = Match(route, found=Found({"move_which": which}, rest="", length=0))
        frame = await openings.opened(match, f"reminder-of-{which}/hospital.move", routes)
        await talk.keep(Session(frames=[frame], seen_at=int(talk.ground.clock.timestamp())))
        return await talk.says("重说")

    assert "陈heart1医生，要改到哪一天" in await brought(booking)
    second = await booked(talk, hospital, citizens, other)
    assert "陈heart1医生，要改到哪一天" in await brought(booking)
    assert "已改到：后天 11月25日 周三 10:00" in await talk.walk("1", "1", "1")
    await hospital.cancel(booking, (await hospital.booking(booking)).citizen, effect())
    assert "之前已经取消了" in await brought(booking), "the one that is left is not taken for it"
    assert "没有找到这个预约" in await brought(await hospital.hold(other, await ward.citizen(), effect()))
    assert (await hospital.booking(second)).version == 0
