"""Small things people say that were not understood, or answered beside the point."""

import pytest

from tests.services.ward import Ward, at
from tests.support.talk import Talk


@pytest.mark.parametrize("said", ["取消", "取消吧", "都取消", "退出"])
async def test_stopping_where_nothing_was_open_was_not_understood(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    nothing = await talk.says(said)
    assert "现在没有办到一半的事，您也没有约好的号" in nothing
    await talk.walk("挂heart", "1", "1", "1", "1")
    told = await talk.says(said)
    assert "您约好的号有 1 个，不去了请说“取消预约”" in told
    assert "heart" in await talk.says("我的预约"), "nothing is given back by it"


async def test_control_stopping_still_stops_what_is_open(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "已经停下" in await talk.walk("挂heart", "取消")
    assert "要取消这个号吗" in await talk.walk("挂heart", "1", "1", "1", "1", "取消预约", "取消")


@pytest.mark.parametrize("said", ["9", "更多", "还有吗", "换个医生"])
async def test_more_of_a_list_of_one_page_only_showed_it_again(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.says("挂heart")
    more = await talk.says(said)
    assert more.startswith("就这些，没有更多了。")
    assert "1、陈heart1" in more
    assert "没有更多" not in await talk.says("重说")


@pytest.mark.parametrize(
    ("said", "doctor"),
    [
        ("最后一个", "陈heart2"),
        ("最后那个", "陈heart2"),
        ("就最后一个吧", "陈heart2"),
        ("最后那位医生", "陈heart2"),
        ("倒数第一个", "陈heart2"),
        ("壹", "陈heart1"),
        ("贰", "陈heart2"),
        ("第一个吧", "陈heart1"),
    ],
)
async def test_the_last_line_and_the_bank_clerks_one_were_no_choices(
    talk: Talk, ward: Ward, said: str, doctor: str
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await ward.session("heart-2", at("10:30"), units=(4,))
    await talk.says("挂heart")
    assert f"{doctor}医生，请选择日期" in await talk.says(said)


async def test_a_lone_number_after_a_long_silence_was_swallowed(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    shown = await talk.says("挂heart")
    talk.later(minutes=16)
    asked = await talk.says("1")
    assert "刚才的“1”没有算" in asked
    assert "您刚才的“挂号”还没有办完，要继续吗" in asked
    assert await talk.says("1") == shown


async def test_control_what_was_answered_after_a_long_silence_is_not_called_lost(
    talk: Talk, ward: Ward
) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.says("挂heart")
    talk.later(minutes=16)
    helped = await talk.says("帮助")
    assert "要继续吗" in helped
    assert "没有算" not in helped
