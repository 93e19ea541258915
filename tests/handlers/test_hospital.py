"""Booking and cancelling by chat where something stands in the way."""

from datetime import timedelta

from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital.service import Hospital
from tests.handlers.conftest import bot_of
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.talk import Talk

TUESDAY = MONDAY + timedelta(days=1)


def notes_of(reply: str) -> list[str]:
    """What is said before the question, and the question."""
    return [line for line in reply.splitlines() if line]


async def test_the_loser_of_a_race_read_twenty_lines_and_could_pick_nothing(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    await ward.session("heart-2", at("10:30"), units=(5, 5))
    await talk.walk("挂heart", "陈heart1", "1", "1")
    await hospital.hold(full, await ward.citizen(), effect())
    reply = await talk.says("1")
    assert notes_of(reply) == [
        "陈heart1 今天 11月23日 周一 10:00 已约满。",
        "还可以约：",
        "1、今天 11月23日 周一",
        "　10:30 陈heart2 测试医院",
        "2、今天 11月23日 周一",
        "　11:00 陈heart2 测试医院",
        "请回复数字。8 返回，0 人工",
    ]
    asked = await talk.says("2")
    assert "要约这个号吗" in asked
    assert "陈heart2" in asked
    assert "预约成功" in await talk.says("1")


async def test_a_loser_may_go_back_and_choose_another_doctor(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    await ward.session("heart-2", at("10:30"))
    await talk.walk("挂heart", "陈heart1", "1", "1")
    await hospital.hold(full, await ward.citizen(), effect())
    await talk.says("1")
    reply = await talk.says("返回")
    assert "陈heart1医生已约满。请看看别的医生。" in reply
    assert "1、陈heart2" in reply


async def test_where_a_race_left_nothing_at_all_one_sentence_says_so(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    await talk.walk("挂heart", "1", "1", "1")
    await hospital.hold(full, await ward.citizen(), effect())
    reply = await talk.says("1")
    assert reply.count("已约满。") == 1
    assert "近期没有别的号" in reply


async def test_a_loser_with_room_in_the_same_half_day_picks_another_time(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    full, _ = await ward.session("heart-1", at("10:00"), units=(1, 4))
    await talk.walk("挂heart", "1", "1", "1")
    await hospital.hold(full, await ward.citizen(), effect())
    reply = await talk.says("1")
    assert "10:00 已约满。" in reply
    assert "1、10:30~11:00，余 4 个号" in reply


async def test_too_soon_after_cancelling_the_dialogue_was_over(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")
    assert "已取消" in await talk.walk("取消预约", "1")
    asked = await talk.walk("挂heart", "1")
    assert asked.index("上午\n　余 4 个号") < asked.index("上午\n　（09:01 后可约）")
    reply = await talk.says("2")
    assert "您刚取消了这半天的号" in reply
    assert "请选择日期" in reply
    assert "预约成功" in await talk.walk("周二", "1", "1")


async def test_with_a_day_full_of_departments_the_dialogue_was_over(talk: Talk, ward: Ward) -> None:
    for place, department in enumerate(("heart", "lungs", "bones")):
        await ward.session(f"{department}-1", at(f"{10 + place}:00"), half="AM", units=(4,))
        assert "预约成功" in await talk.walk(f"挂{department}", "1", "1", "1", "1")
    await ward.session("skin-1", at("14:00"), half="PM", units=(4,))
    await ward.session("skin-1", at("10:00", TUESDAY), units=(4,))
    asked = await talk.walk("挂skin", "1")
    assert asked.index("上午\n　余 4 个号") < asked.index("下午\n　（这天不能再约）")
    reply = await talk.says("2")
    assert "同一天最多约 3 个科室" in reply
    assert "请选择日期" in reply
    assert "预约成功" in await talk.walk("明天", "1", "1")


async def test_a_half_day_one_has_was_refused_only_after_confirming_and_the_dialogue_went_in_circles(
    talk: Talk, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "1", "周一", "1", "1")
    asked = await talk.walk("挂heart", "1")
    assert asked.index("上午\n　余 4 个号") < asked.index("上午\n　（您已约）")
    refused = await talk.says("周一")
    assert "您已约了 陈heart1" in refused
    assert "请选择日期" in refused
    assert "要约这个号吗" not in refused
    assert "预约成功" in await talk.walk("1", "1", "1")


async def test_a_doctor_whose_only_half_day_one_has_was_offered_for_ever(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("14:00"), half="PM", units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")
    refused = await talk.walk("挂heart", "陈heart1")
    assert "您已约了 陈heart1" in refused
    assert "请选择医生" in refused
    assert "预约成功" in await talk.walk("陈heart2", "1", "1", "1")


async def test_a_full_half_day_led_into_one_that_was_refused_after_confirming(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    await ward.session("heart-2", at("10:30"), units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")
    (full,) = await ward.session("heart-1", at("10:00"))
    await ward.session("heart-2", at("11:30", TUESDAY))
    await talk.walk("挂heart", "陈heart1", "1", "1")
    await hospital.hold(full, await ward.citizen(), effect())
    offered = await talk.says("1")
    assert "还可以约" in offered
    assert "11:30 陈heart2" in offered
    assert "10:30 陈heart2" not in offered
    assert "预约成功" in await talk.walk("1", "1")


async def test_who_has_a_number_to_pay_for_is_told_before_choosing_a_day(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,), fee_fen=1250)
    await ward.session("lungs-1", at("14:00"), half="PM", units=(4,))
    await talk.walk("挂heart", "1", "1", "1", "1")
    told = await talk.walk("挂lungs", "1")
    assert "您还有一个号等待付款，保留到 09:10" in told
    assert "请选择" not in told
    talk.later(minutes=10)  # nobody swept the lapsed hold yet
    assert "余 4 个号" in await talk.walk("挂lungs", "1")
    assert "余 3 个号" in await talk.walk("取消", "挂heart", "1")  # nor is one's own lapsed hold in the way


async def test_a_claim_made_after_the_list_was_shown_is_still_refused_by_the_claim(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    early, _ = await ward.session("heart-1", at("10:00"), units=(4, 4))
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    await talk.walk("挂heart", "1", "周一", "2")
    citizen = await citizens.arrive(talk.conversation, talk.account, talk.openid)
    await hospital.hold(early, citizen, effect())
    refused = await talk.says("1")
    assert "您已约了 陈heart1" in refused
    assert refused.index("上午\n　余 4 个号") < refused.index("上午\n　（您已约）")


async def test_four_bookings_filled_twenty_two_lines(talk: Talk, ward: Ward) -> None:
    for place, department in enumerate(("heart", "lungs", "bones")):
        await ward.session(f"{department}-1", at(f"{10 + place}:00", TUESDAY), units=(4,))
        await talk.walk(f"挂{department}", "1", "1", "1", "1")
    first, second = await talk.says("我的预约"), await talk.says("我的预约 2")
    assert "一共 3 个，往下看请说“我的预约 2”" in first
    assert len([line for line in first.splitlines() if line]) == 7  # the last one says what to do
    assert "bones" in second
    assert "往下看" not in second


async def test_a_deadline_of_half_an_hour_came_without_its_reason(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), clinic_class="expert", units=(4,))  # midnight is over
    booked = await talk.walk("挂heart", "1", "1", "1", "1")
    assert "30 分钟内（今天 11月23日 周一 09:30 前）可以取消或改期，请说" in booked
    assert "09:30 前可以取消或改期" in await talk.says("我的预约")
    talk.later(minutes=30)
    mine = await talk.says("我的预约")
    assert "不能在这里取消或改期了，有事请打电话 0199-5550000" in mine
    assert "可以取消" not in mine


async def test_a_deadline_before_the_visit_is_named_as_before(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    booked = await talk.walk("挂heart", "1", "1", "1", "1")
    assert "明天 11月24日 周二 09:30 前可以取消" in booked
    assert "分钟内" not in booked
    assert "明天 11月24日 周二 09:30 前可以取消" in await talk.says("我的预约")


async def test_each_booking_says_how_it_stands(talk: Talk, ward: Ward, hospital: Hospital) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    await ward.session("lungs-1", at("11:00", TUESDAY), units=(4,), fee_fen=1250)
    await talk.walk("挂heart", "1", "1", "1", "1")
    await talk.walk("挂lungs", "1", "1", "1", "1")
    await hospital.suspend_session(f"heart-1:{TUESDAY}:AM", "staff")
    mine = await talk.says("我的预约")
    assert "医生停诊，这个号已经作废" in mine
    assert "待付款：请在 09:10 前付款" in mine


async def test_a_page_number_of_thousands_of_digits_broke_the_answer(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"))
    await talk.walk("挂heart", "1", "1", "1", "1")
    for number in ("9" * 4_300, "9" * 2_000, "0", "7", "²"):
        assert "您的预约一共 1 个" in await talk.says(f"我的预约{number}")
        assert "可以预约的科室" in await talk.says(f"科室{number}")


FORGET = """
ALTER TABLE citizen_events DISABLE TRIGGER USER;
DELETE FROM citizen_events; DELETE FROM bindings; DELETE FROM accounts;
ALTER TABLE citizen_events ENABLE TRIGGER USER
"""


async def test_an_unknown_citizen_was_told_to_try_again_for_ever(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("挂heart", "1", "1")
    await db.execute(FORGET)
    talk.restart(bot_of(talk.ground))  # another database behind a new process
    assert "没有找到您的信息" in await talk.says("1")
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")
    assert "heart" in await talk.says("我的预约")


async def test_a_surname_two_departments_share_opens_nothing_at_once_and_is_kept(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await db.execute("UPDATE doctors SET surname = '欧阳' WHERE id IN ('heart-1', 'lungs-2')")
    for doctor in ("heart-1", "heart-2", "lungs-2"):
        await ward.session(doctor, at("10:00"))
    assert "请选择科室" in await talk.says("找欧阳大夫")
    assert "欧阳heart1医生，请选择日期" in await talk.says("heart")


async def test_a_full_doctor_who_was_named_is_named_as_full_beside_the_others(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    await ward.session("heart-2", at("10:30"))
    await hospital.hold(full, await ward.citizen(), effect())
    reply = await talk.says("陈heart1大夫在吗")
    assert notes_of(reply) == [
        "陈heart1医生已约满。请看看别的医生。",
        "heart，请选择医生：",
        "1、陈heart2 主任医师",
        "　测试医院 今天有号",
        "2、陈heart1 主任医师",
        "　测试医院（约满）",
        "请回复数字。8 返回，0 人工",
    ]
    assert await talk.says("2") == reply, "who picks the full one is told so again"
    assert "陈heart2医生，请选择日期" in await talk.says("1")


async def test_two_mondays_looked_the_same(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"))
    await ward.session("heart-2", at("10:00", MONDAY + timedelta(days=7)))
    reply = await talk.says("heart")
    assert "1、陈heart1 主任医师\n　测试医院 今天有号" in reply
    assert "2、陈heart2 主任医师\n　测试医院 11月30日有号" in reply


async def test_lines_with_two_hospitals_wrapped_on_a_phone(talk: Talk, ward: Ward, db: Database) -> None:
    await db.execute("UPDATE hospitals SET name = '云汀市测试医院'")
    await db.execute("INSERT INTO hospitals VALUES ('h2', '云汀市中医院', '二号街', '0199-5550001', 2)")
    await db.execute("INSERT INTO departments VALUES ('heart-b', 'h2', 'heart', '二楼')")
    await ward.session("heart-1", at("10:00"))
    await db.execute("UPDATE doctors SET department = 'heart-b' WHERE id = 'heart-2'")
    await ward.session("heart-2", at("11:00"))
    reply = await talk.says("heart")
    assert "1、陈heart1 主任医师\n　测试医院 今天有号" in reply
    assert "2、陈heart2 主任医师\n　中医院 今天有号" in reply


async def test_a_doctor_on_leave_was_called_full(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-2", at("10:30"))
    reply = await talk.says("挂陈heart1的号")
    assert "这位医生近几天不出诊，请看看别的医生。" in reply
    assert "1、陈heart2" in reply


async def test_a_message_of_the_greatest_length_is_answered(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"))
    for said in ("heart" * 409, "不" * 2_048, "我想挂" + "骨" * 2_000 + "heart", "取消" * 1_024):
        reply = await talk.says(said)
        assert reply
        assert "系统繁忙" not in reply
        await talk.says("算了")


async def test_doctors_without_a_session_on_the_wished_day_came_first(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("14:00", TUESDAY), half="PM", units=(4,))
    reply = await talk.says("明天下午heart")
    assert reply.index("1、陈heart2 主任医师\n　测试医院 明天下午有号") < reply.index("2、陈heart1")
    assert "预约成功" in await talk.walk("1", "1", "1")
    assert "明天 11月24日" in await talk.says("我的预约")


async def test_nobody_said_that_nobody_is_there_on_the_wished_day(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("14:00", TUESDAY), half="PM", units=(4,))
    reply = await talk.says("明天上午heart")
    assert notes_of(reply)[:3] == [
        "heart明天上午没有号，请看看别的时间。",
        "heart，请选择医生：",
        "1、陈heart1 主任医师",
    ]
    assert "没有号" not in await talk.says("重说")
    asked = await talk.says("1")
    assert "请选择日期" in asked
    assert "这里没有" not in asked, "it was said once"


async def test_a_wish_that_comes_while_doctors_are_shown_turns_the_list_over(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("14:00", TUESDAY), half="PM", units=(4,))
    await talk.says("heart")
    reply = await talk.says("明天")
    assert "“明天”先记下了" in reply
    assert "1、陈heart2 主任医师\n　测试医院 明天有号" in reply
    assert "陈heart2 明天 11月24日" in await talk.says("1")
    assert "陈heart2 明天 11月24日" in await talk.walk("算了", "heart", "陈heart2 明天")


async def test_a_full_day_and_a_full_time_were_called_unknown(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    full, _ = await ward.session("heart-1", at("10:00"), units=(1, 1))
    (alone,) = await ward.session("heart-1", at("10:00", TUESDAY))
    for period in (full, alone):
        await hospital.hold(period, await ward.citizen(), effect())
    await ward.session("heart-1", at("10:00", MONDAY + timedelta(days=2)), units=(20,))
    reply = await talk.says("挂陈heart1明天的号")
    assert "已约满。最近的是：今天 11月23日 周一上午，或 后天 11月25日 周三上午。" in reply
    assert "“明天”，已约满" in await talk.says("明天")
    assert "“周五”，这里没有" in await talk.says("周五")
    await talk.says("1")
    assert "“十点”，已约满。最近的是：10:30~11:00" in await talk.says("十点")


async def test_who_does_not_mind_never_gets_what_is_full_or_barred(
    talk: Talk, ward: Ward, hospital: Hospital
) -> None:
    (full,) = await ward.session("heart-1", at("10:00"))
    await hospital.hold(full, await ward.citizen(), effect())
    await ward.session("heart-2", at("10:30"), units=(4,))
    await ward.session("heart-2", at("10:30", TUESDAY), units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "随便", "最早的", "都行", "确认")
    assert "明天 11月24日" in await talk.walk("挂heart", "哪个都行", "越早越好", "无所谓")


async def test_one_booking_was_asked_which_one(talk: Talk, ward: Ward, hospital: Hospital) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    await ward.session("lungs-1", at("10:00", TUESDAY), units=(4,))
    await ward.session("bones-1", at("10:00", TUESDAY), units=(4,))
    await talk.walk("挂heart", "1", "1", "1", "1")
    asked = await talk.says("取消预约")
    assert notes_of(asked)[0] == "要取消这个号吗？"
    assert "heart 陈heart1" in asked
    await talk.another("o-granddaughter").walk("挂heart", "1", "1", "1", "1")  # nobody else's is meant
    assert "已取消：明天 11月24日 周二 10:00 heart" in await talk.says("1")
    await talk.walk("挂bones", "1", "1", "1", "1")
    await talk.walk("挂lungs", "1", "1", "1", "1")
    assert "要取消哪一个" in await talk.says("取消预约")


async def test_a_second_booking_made_meanwhile_changes_nothing_of_what_is_asked(
    talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens
) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    (other,) = await ward.session("lungs-1", at("09:30", TUESDAY), units=(4,))
    await talk.walk("挂heart", "1", "1", "1", "1")
    assert "heart" in await talk.says("取消预约")
    citizen = await citizens.arrive(talk.conversation, talk.account, talk.openid)
    await hospital.hold(other, citizen, effect())
    assert "已取消：明天 11月24日 周二 10:00 heart" in await talk.says("1")
    assert "lungs" in await talk.says("我的预约")


async def test_fees_that_differ_are_told_from_to(talk: Talk, ward: Ward) -> None:
    assert "确认以前会写明" in await talk.says("挂号费多少钱")
    await ward.session("heart-1", at("10:00"), fee_fen=500)
    await ward.session("lungs-1", at("10:00"), fee_fen=1250)
    assert "5 元到 12.50 元" in await talk.says("挂号要钱吗")
