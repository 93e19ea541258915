"""Days, times and kinds of number that people name: used, shown, or said to be none."""

from datetime import timedelta

import pytest

from tests.services.ward import MONDAY, Ward, at
from tests.support.talk import Talk

TUESDAY = MONDAY + timedelta(days=1)


def lines(reply: str) -> list[str]:
    return [line for line in reply.splitlines() if line[1:2] == "、"]


@pytest.mark.parametrize("said", ["11月20日", "昨天", "上周三", "昨天吧", "我想约上周三的"])
async def test_a_day_that_is_over_was_taken_for_next_year_or_noted(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
    for question in ("挂号", "挂heart", "陈heart1"):
        shown = await talk.says(question)
        over = await talk.says(said)
        assert "已经过了，请看看以后的" in over
        assert "先记下了" not in over
        assert lines(over) == lines(shown)
        await talk.says("取消")


@pytest.mark.parametrize("said", ["heart昨天", "挂heart 昨天", "上周三heart", "我想约11月20日heart的号"])
async def test_a_day_that_is_over_in_the_first_message_was_ignored(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    over = await talk.says(said)
    assert over.count("已经过了") == 1
    assert "1、陈heart1" in over
    assert "已经过了" not in await talk.says("1")


async def test_control_who_fell_yesterday_wants_no_number_of_yesterday(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    reply = await talk.says("昨天摔了，想看heart")
    assert "已经过了" not in reply
    assert "1、陈heart1" in reply


async def test_only_the_words_that_are_kept_are_repeated(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00", TUESDAY), units=(4,))
    assert "“明天”先记下了" in await talk.walk("挂号", "我明天有空的吧")
    assert "“明天上午”先记下了" in await talk.says("要上午，不要太晚")
    assert "陈heart1 明天 11月24日" in await talk.walk("heart", "陈heart1")


async def test_what_will_not_be_used_is_not_said_to_be_kept(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.says("挂号")
    for said in ("三点以后", "电视", "11月31日"):
        reply = await talk.says(said)
        assert "先记下了" not in reply
        assert f"您说的是“{said}”" in reply


async def test_an_experts_number_was_not_understood(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:30"), clinic_class="expert", units=(4,))
    assert "陈heart2医生，请选择日期" in await talk.says("挂heart专家号")
    assert "陈heart1医生，请选择日期" in await talk.walk("取消", "挂heart", "要个普通号")


@pytest.mark.parametrize("said", ["明天上午挂号", "我想明天上午挂个号", "明天看病", "我想明天上午挂heart"])
async def test_a_day_before_the_word_for_booking_was_not_understood(
    talk: Talk, ward: Ward, said: str
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), units=(4,))
    await talk.says(said)
    assert "1、陈heart2" in await talk.says("heart")


@pytest.mark.parametrize("said", ["想找个大夫", "我想看看大夫", "找医生", "看大夫"])
async def test_who_looks_for_a_doctor_read_the_help(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "请选择" in await talk.says(said)


@pytest.mark.parametrize("said", ["昨天挂的号呢", "昨天看病了", "明天不挂号"])
async def test_control_a_day_before_anything_else_books_nothing(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "请选择" not in await talk.says(said)


async def test_a_day_said_with_an_experts_number_is_kept(talk: Talk, ward: Ward) -> None:
    await ward.db.execute("INSERT INTO doctors VALUES ('heart-3', 'heart', '李', 'heart3', '主治医师', '')")
    await ward.session("heart-1", at("10:00"), clinic_class="expert", units=(4,))
    await ward.session("heart-2", at("10:00", TUESDAY), clinic_class="expert", units=(4, 4))
    await ward.session("heart-3", at("09:30"), units=(4,))
    experts = await talk.walk("挂heart", "明天的专家号")
    assert [line[2:9] for line in lines(experts)] == ["陈heart2", "陈heart1"]
    assert "陈heart2 明天 11月24日 周二，请选择时间" in await talk.says("1")


async def test_what_several_doctors_are_shows_them_and_the_rest_on_demand(talk: Talk, ward: Ward) -> None:
    await ward.db.execute("INSERT INTO doctors VALUES ('heart-3', 'heart', '李', 'heart3', '主治医师', '')")
    await ward.session("heart-1", at("10:00"), clinic_class="expert", units=(4,))
    await ward.session("heart-2", at("10:00"), clinic_class="expert", units=(4,))
    await ward.session("heart-3", at("09:30"), units=(4,))
    everybody = await talk.says("挂heart")
    experts = await talk.says("专家号")
    assert "只看专家号。要看全部，请说“所有医生”" in experts
    assert [line[2:9] for line in lines(experts)] == ["陈heart1", "陈heart2"]
    assert lines(await talk.says("重说")) == lines(experts)
    assert lines(await talk.says("9")) == lines(everybody)
    assert lines(await talk.walk("专家号", "所有医生")) == lines(everybody)
    assert "李heart3医生" in await talk.walk("专家号", "李heart3")


async def test_the_morning_was_called_several_beside_a_list_that_did_not_change(
    talk: Talk, ward: Ward
) -> None:
    for day in (MONDAY, TUESDAY):
        await ward.session("heart-1", at("10:00", day), units=(4, 4))
        await ward.session("heart-1", at("14:00", day), half="PM", units=(4, 4))
    everything = await talk.walk("挂heart", "1")
    mornings = await talk.says("上午的")
    assert len(lines(everything)) == 4
    assert [line[-2:] for line in lines(mornings)] == ["上午", "上午"]
    assert "明天 11月24日" in await talk.says("2")
    assert "这里都是“上午”，请回复前面的数字" in await talk.says("上午")
