"""A confirmation's own words come before the global ones (docs/adr/0009)."""

import pytest

from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router
from tests.core.chat.teahouse import Kitchen, bare_house, bot_with
from tests.support.talk import Ground, Talk


async def _for_how_long() -> str:
    return "存一年"


def _house() -> Router:
    """A house where one yes is called like the waiter, and one no like going back."""
    router = bare_house()

    @router.dialogue("叫人")
    async def call(ask: Ask) -> Reply:
        await ask.confirm("store_sure", _for_how_long, yes=("人工",), no=("返回",))
        return Text("teahouse/told", words="马上来")

    @router.dialogue("存茶")
    async def store(ask: Ask) -> Reply:
        await ask.confirm("store_sure", _for_how_long)
        return Text("teahouse/told", words="存好了")

    @router.on("人工", anywhere=True)
    async def waiter() -> Reply:
        return Text("teahouse/hello")

    return router


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen) -> Talk:
    return Talk(ground, bot_with(kitchen, _house()))


@pytest.mark.parametrize("said", ["人工", "人工。", "请人工"])
async def test_a_global_word_that_names_the_yes_is_the_yes(house: Talk, said: str) -> None:
    await house.says("叫人")
    assert "马上来" in await house.says(said)


async def test_a_word_that_leads_back_and_names_the_no_is_the_no(house: Talk) -> None:
    await house.says("叫人")
    await house.says("返回")
    assert (await house.session()).frames == [], "it was declined, and not asked once more"


async def test_control_where_the_words_are_nobodys_they_mean_what_they_always_mean(house: Talk) -> None:
    await house.says("存茶")
    assert "茶馆欢迎您" in await house.says("人工")
    assert (await house.session()).frames, "the question is still open"


async def test_red_flags_come_before_own_words(house: Talk) -> None:
    await house.says("叫人")
    assert "120" in await house.says("胸口疼得厉害，喘不上气")
    assert (await house.session()).frames == []


async def test_what_was_never_shown_confirms_nothing(house: Talk) -> None:
    await house.says("叫人")
    await house.lose_reply()
    assert "马上来" not in await house.says("人工")
