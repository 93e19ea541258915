"""How people say yes to the number they are shown, and what is never taken for a yes."""

from datetime import timedelta

import pytest

from tests.services.ward import MONDAY, Ward, at
from tests.support.talk import Talk

TUESDAY = MONDAY + timedelta(days=1)


@pytest.mark.parametrize(
    "said",
    [
        "好的就这个",
        "行就这个吧",
        "就约这个",
        "可以的",
        "嗯就它",
        "好的，就约这个吧",
        "行，约吧",
        "对，就是这个",
        "那就挂这个",
    ],
)
async def test_a_yes_in_ones_own_words_was_refused(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("挂heart", "1", "1", "1")
    assert "预约成功" in await talk.says(said)


@pytest.mark.parametrize(
    "said",
    [
        "不是这个",
        "不要这个",
        "换一个",
        "不是就这个",
        "先不约这个",
        "就约这个吗",
        "是不是这个",
        "可以换一个吗",
        "别约这个",
        "这个",
    ],
)
async def test_control_a_no_or_a_question_books_nothing(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("挂heart", "1", "1", "1")
    assert "预约成功" not in await talk.says(said)
    assert "现在没有预约" in await talk.says("我的预约")


@pytest.mark.parametrize("said", ["就约这个", "不要这个", "要这个", "换一个"])
async def test_a_word_that_takes_a_number_never_gives_one_back(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    await talk.walk("挂heart", "1", "1", "1", "1", "取消预约")
    assert "已取消" not in await talk.says(said)


@pytest.mark.parametrize("said", ["不是这个", "不要这个", "换一个", "换个号"])
async def test_who_wants_another_one_was_only_asked_again(talk: Talk, ward: Ward, said: str) -> None:
    await ward.session("heart-1", at("10:00"), units=(4, 4))
    await talk.walk("挂heart", "1", "1", "1")
    assert "请选择时间" in await talk.says(said)
    assert "10:30~11:00" in await talk.says("2")
