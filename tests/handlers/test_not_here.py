"""A doctor nobody knows, a day on which a doctor is not there: both are said, with what there is instead."""

from datetime import timedelta

import pytest

from core.stores.database import Database
from tests.services.ward import MONDAY, Ward, at
from tests.support.talk import Talk

TUESDAY = MONDAY + timedelta(days=1)


@pytest.mark.parametrize(
    "said", ["我要挂王大明医生的号", "挂王大明大夫", "挂欧阳医生", "挂陈大明医生的号", "挂heart王大明医生"]
)
async def test_a_doctor_nobody_has_was_dropped_in_silence(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    reply = await talk.says(said)
    assert "这里没有找到“" in reply.splitlines()[0]
    assert "\n1、" in reply
    assert "没有找到" not in await talk.says("1")


async def test_such_a_doctor_named_later_on_is_told_from_a_wrong_answer(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    for answer in ("挂heart", "1", "1", "1"):
        shown = await talk.says(answer)
        reply = await talk.says("有王大明医生吗")
        assert reply.startswith("这里没有找到“王大明医生”")
        assert "没有对上" not in reply
        assert shown in reply


async def test_the_day_named_with_an_unknown_doctor_still_counts(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
    reply = await talk.says("挂heart王大明医生明天的号")
    assert "没有找到“王大明医生”" in reply
    assert "1、陈heart2" in reply


@pytest.mark.parametrize(
    "said",
    ["挂号 陈heart1医生", "挂号 陈heart1大夫", "挂heart女医生", "挂heart的白天医生", "挂heart哪个医生好"],
)
async def test_control_nobody_is_missed_who_is_there_or_nobody(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "没有找到" not in await talk.says(said)


async def test_an_illness_that_begins_like_a_surname_is_no_doctor(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "没有找到“高血压医生”" in await talk.says("挂高血压医生"), "control"
    await db.execute("UPDATE specialties SET symptoms = '{高血压}' WHERE id = 'heart'")
    assert "没有找到" not in await talk.walk("取消", "挂高血压医生")


async def test_a_day_this_doctor_has_not_led_to_no_other_doctor(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4, 4))
    await talk.walk("挂heart", "陈heart1")
    told = await talk.says("明天")
    assert "您说的是“明天”，这里没有。这时有号的：陈heart2。要换请说名字。" in told
    assert "陈heart1医生，请选择日期" in told
    assert "陈heart2 明天 11月24日 周二，请选择时间" in await talk.says("陈heart2")


async def test_a_colleague_was_offered_whom_the_citizen_may_not_have(talk: Talk, ward: Ward) -> None:
    """H7: the citizen has a number of heart-2 on that half-day already, and may have no second one."""
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4, 4))
    await talk.walk("挂heart", "陈heart1")
    assert "这时有号的：陈heart2" in await talk.says("明天"), "control"
    assert "预约成功" in await talk.walk("取消", "挂陈heart2", "1", "1", "1")
    await talk.walk("挂heart", "陈heart1")
    assert "陈heart2" not in await talk.says("明天")


async def test_experts_nobody_has_are_said_to_be_nowhere(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    reply = await talk.says("专家号")
    assert reply.startswith("现在没有专家号，请看看别的：")
    assert "请选择科室" in reply


async def test_who_stays_with_the_doctor_chooses_one_of_their_days(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4, 4))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
    assert "这时有号的：陈heart2" in await talk.says("挂陈heart1明天的号")
    assert "陈heart1 今天 11月23日 周一，请选择时间" in await talk.says("1")


async def test_where_nobody_else_is_there_the_nearest_days_are_named(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    told = await talk.walk("挂heart", "1", "周五")
    assert "这时有号的" not in told
    assert "最近的是：今天 11月23日 周一上午" in told
