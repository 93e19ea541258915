"""Where a domain has no sentence of its own, core says one."""

from collections.abc import Sequence
from functools import partial

import pytest

from core.chat.dialogue import Ask
from core.chat.names import Named
from core.chat.replies import Reply, Text
from core.chat.router import Router
from tests.core.chat.teahouse import Kitchen, bare_house, bot_with
from tests.support.talk import Ground, Talk


def _house() -> Router:
    router = bare_house()

    async def names(kitchen: Kitchen) -> Sequence[Named]:
        return [Named((tea.label,), {"tea": tea.id}) for tea in kitchen.teas]

    @router.dialogue("喝茶", named=names)
    async def order(ask: Ask, kitchen: Kitchen) -> Reply:
        tea = await ask.choice("tea", kitchen.list_teas)
        seat = await ask.choice("seat", partial(kitchen.free_seats, tea))
        return Text("teahouse/told", words=f"{tea} {seat}")

    return router


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen) -> Talk:
    return Talk(ground, bot_with(kitchen, _house()))


async def test_who_names_something_else_hears_that_it_was_changed(house: Talk, kitchen: Kitchen) -> None:
    one, other = kitchen.teas[0].label, kitchen.teas[1].label
    assert "请选座位" in await house.walk("喝茶", one)
    reply = await house.says(f"还是要{other}吧")
    assert "给您换过来了" in reply
    assert "请选座位" in reply


async def test_where_nothing_can_be_chosen_the_dialogue_ends_with_a_sentence(
    house: Talk, kitchen: Kitchen
) -> None:
    kitchen.teas = []
    assert "现在没有可以选的" in await house.says("喝茶")
    assert (await house.session()).frames == []
