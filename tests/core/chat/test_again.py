"""`ask.again` drops an answer and all after it, also where the question answers itself at once."""

from functools import partial

import pytest

from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router
from tests.core.chat.teahouse import Kitchen, SeatTakenError, bare_house, bot_with
from tests.support.talk import Ground, Talk


def _house() -> Router:
    """A house with one tea alone, which nobody is asked about: who loses a seat begins again at the tea."""
    router = bare_house()

    @router.dialogue("喝茶")
    async def order(ask: Ask, kitchen: Kitchen) -> Reply:
        await ask.only("tea", kitchen.list_teas)
        tea = await ask.choice("tea", kitchen.list_teas)
        seat = await ask.choice("seat", partial(kitchen.free_seats, tea))
        await ask.once("list", partial(kitchen.note, tea, seat))
        try:
            cup = await ask.once("pour", partial(kitchen.pour, tea, seat, ask.citizen))
        except SeatTakenError as taken:
            ask.again("tea", because=taken)
        return Text("teahouse/poured", it=await kitchen.cup(cup))

    return router


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen) -> Talk:
    kitchen.teas = kitchen.teas[:1]
    return Talk(ground, bot_with(kitchen, _house()))


async def test_what_was_answered_after_a_question_that_answers_itself_is_asked_again(
    house: Talk, kitchen: Kitchen
) -> None:
    assert "1、靠窗" in await house.says("喝茶")
    kitchen.taken = {"s-window"}

    reply = await house.says("1")

    assert "“靠窗”刚被人坐了" in reply
    assert "1、里间" in reply
    assert list((await house.session()).frames[-1].answers) == ["tea"], "no seat, and no effect of the seat"


async def test_control_who_loses_nothing_is_asked_once(house: Talk, kitchen: Kitchen) -> None:
    await house.says("喝茶")
    assert "龙井，靠窗" in await house.says("1")
    assert kitchen.poured == ["s-window"]
