"""Words for one question only, and patterns and names that count only here or there: a tea is carried on."""

from datetime import date

import pytest

from core.chat.dialogue import Ask
from core.chat.moments import When
from core.chat.names import Named, WhileOpen
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.sessions import Option
from tests.core.chat.teahouse import Kitchen, bare_house, bot_with
from tests.support.talk import Ground, Talk

_TEAS = [Option("long", "龙井"), Option("puer", "普洱")]
_DAYS = {"tue": date(2026, 11, 24), "wed": date(2026, 11, 25)}


async def _teas() -> list[Option]:
    return _TEAS


async def _seats() -> list[Option]:
    return [Option("tue", "周二"), Option("wed", "周三"), Option("none", "不坐了")]


def _day(seat: Option) -> When | None:
    return When(_DAYS[seat.id]) if seat.id in _DAYS else None


async def _names() -> list[Named]:
    return [Named(("普洱",), {"tea": "puer"}), Named(("龙井",), {"tea": "long"})]


def _house() -> Router:
    router = bare_house()

    @router.dialogue(
        "送茶", "把{which}送走", alone=["送到{day}", "把{which}送到{day}"], named=WhileOpen(_names)
    )
    async def carry(ask: Ask, which: str, day: str) -> Reply:
        ask.offer("tea", which)
        ask.offer("seat", day)
        tea = await ask.choice("tea", _teas)
        known = "知道" if ask.knows("seat") else "不知道"
        seat = await ask.choice("seat", _seats, when=_day)
        return Text("teahouse/told", words=f"{tea} {seat} {known}")

    @router.dialogue("喝茶", named=_names, returns={"换茶": ("tea",)})
    async def order(ask: Ask) -> Reply:
        tea = await ask.choice("tea", _teas)
        seat = await ask.choice("seat", _seats, when=_day)
        return Text("teahouse/told", words=f"喝 {tea} {seat}")

    return router


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen) -> Talk:
    return Talk(ground, bot_with(kitchen, _house()))


async def _dialogue(talk: Talk) -> str:
    top = (await talk.session()).top
    return top.dialogue if top else ""


async def test_each_question_hears_its_own_words(house: Talk) -> None:
    assert "puer wed" in await house.says("把普洱送到周三")
    await house.says("送到周三")
    assert await _dialogue(house) == "teahouse.carry"
    assert "long wed" in await house.says("1"), "the day waited for its question"


async def test_words_for_one_question_answer_no_other(house: Talk) -> None:
    asked = await house.says("把普洱送走")
    assert "周二" in asked
    assert "普洱" not in asked


async def test_a_line_that_is_no_day_stands_among_days(house: Talk) -> None:
    await house.walk("送茶", "1")
    assert "周五" in await house.says("周五")
    assert "long none 不知道" in await house.says("不坐了")


async def test_a_pattern_for_an_empty_table_is_an_answer_at_a_laid_one(house: Talk) -> None:
    await house.walk("喝茶", "1")
    assert "喝 long wed" in await house.says("送到周三")


async def test_names_turn_it_while_it_is_open_and_open_another(house: Talk) -> None:
    await house.says("普洱")
    assert await _dialogue(house) == "teahouse.order"
    await house.walk("取消", "送茶", "龙井")
    await house.says("普洱吧")
    assert await _dialogue(house) == "teahouse.carry"
    assert "puer tue" in await house.says("1")


async def test_words_that_lead_back_do_so_with_a_polite_one_behind(house: Talk) -> None:
    await house.walk("喝茶", "1")
    for said in ("换茶", "换茶吧", "我想换茶"):
        assert "龙井" in await house.says(said)
        await house.says("1")
