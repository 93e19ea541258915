"""What a message names: found in sentences, never in longer names, never where it is put aside."""

from collections.abc import Sequence

import pytest

from core.chat.dialogue import Ask
from core.chat.events import Event
from core.chat.names import Found, Named, find
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import Routes
from core.errors import BootError
from tests.core.chat.teahouse import Item, Kitchen, bot_with
from tests.support.talk import Ground, Talk

GREEN = Named(("绿茶", "龙井"), {"tea": "green"})
RED = Named(("红茶", "祁门"), {"tea": "red"})
OLD_WANG = Named(("王师傅", "老王"), {"tea": "green", "master": "wang"})
YOUNG_WANG = Named(("王师傅", "小王"), {"tea": "red", "master": "wang-2"})
HOUSE = Named(("红茶馆",))
THINGS = (GREEN, RED, OLD_WANG, YOUNG_WANG, HOUSE)


def found(said: str) -> Found | None:
    return find(said, THINGS)


@pytest.mark.parametrize(
    ("said", "settles", "rest"),
    [
        ("我想喝绿茶", {"tea": "green"}, "我想喝"),
        ("龙井，明天", {"tea": "green"}, "明天"),
        ("老王的绿茶", {"tea": "green", "master": "wang"}, "的"),
        ("老王的红茶", {"tea": "green", "master": "wang", "despite": "wang"}, "的红茶"),
        ("王师傅", {}, "王师傅"),
        ("王师傅的绿茶", {"tea": "green"}, "王师傅的"),
        ("绿茶还是红茶", {}, "绿茶还是红茶"),
        ("不要绿茶要红茶", {"tea": "red"}, "不要绿茶要"),
    ],
)
def test_a_message_settles_what_it_names(said: str, settles: dict[str, str], rest: str) -> None:
    named = found(said)
    assert named is not None
    assert (named.settles, named.rest) == (settles, rest)


@pytest.mark.parametrize("said", ["", "茶", "红茶馆在哪里", "不要红茶", "我" * 80 + "红茶"])
def test_a_message_names_nothing(said: str) -> None:
    assert found(said) is None


async def test_the_longest_message_costs_no_time() -> None:
    assert find("红茶" * 1024, THINGS) is None


def _house(kitchen: Kitchen) -> Router:
    router = Router("teahouse")

    async def names(kitchen: Kitchen) -> Sequence[Named]:
        kitchen.loaded["names"] += 1
        return [Named((tea.label, *tea.aliases), {"tea": tea.id}) for tea in kitchen.teas]

    @router.dialogue("喝茶", named=names)
    async def order(ask: Ask, kitchen: Kitchen) -> Reply:
        water = await ask.choice("seat", _waters)
        tea = await ask.choice("tea", kitchen.list_teas)
        return Text("teahouse/told", words=f"{water} {tea}")

    @router.dialogue("报名")
    async def sign_up(ask: Ask) -> Reply:
        return Text("teahouse/told", words=await ask.text("name"))

    @router.on("你好", anywhere=True)
    async def hello() -> Reply:
        return Text("teahouse/hello")

    @router.fallback
    async def lost(event: Event) -> Reply:
        return Text("teahouse/lost", said=event.text, nearest=())

    return router


async def _waters() -> list[Item]:
    return [Item("s-hot", "热水"), Item("s-warm", "温水")]


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen) -> Talk:
    return Talk(ground, bot_with(kitchen, _house(kitchen)))


async def test_a_name_settles_a_question_that_comes_after_others(house: Talk) -> None:
    assert "请选座位" in await house.says("给我来一壶铁观音")
    house.restart()
    assert "伙计听到了：s-hot tea-4" in await house.says("1")


async def test_a_name_and_an_earlier_answer_leave_nothing_to_ask(house: Talk) -> None:
    assert "伙计听到了：s-warm tea-4" in await house.says("铁观音，温水")


async def test_who_goes_back_is_asked_what_the_name_settled(house: Talk) -> None:
    await house.walk("铁观音", "返回")
    assert "请选座位" in await house.says("没听清")
    await house.says("取消")
    assert "请选座位" in await house.says("喝茶铁观音")


async def test_names_are_loaded_only_where_nobody_else_understood(house: Talk, kitchen: Kitchen) -> None:
    await house.walk("你好", "喝茶", "1", "普洱", "1", "谁")
    assert kitchen.loaded["names"] == 1


async def test_a_name_in_a_text_question_is_a_text(house: Talk) -> None:
    await house.says("报名")
    assert "伙计听到了：铁观音" in await house.says("铁观音")


def test_names_without_their_service_stop_the_boot(kitchen: Kitchen) -> None:
    with pytest.raises(BootError, match="nothing is known to hand over as `kitchen: Kitchen`"):
        Routes(_house(kitchen), {})
