"""Which message opens what, and what stops the boot."""

from collections.abc import Callable

import pytest

from core.chat.dialogue import Ask
from core.chat.events import Event, Kind
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Silence
from core.chat.router import Match, Router, follow, ways_of_saying
from core.chat.routes import CitizenId, Nearest, Notes, Rest, Routes
from core.errors import BootError
from tests.core.chat.teahouse import Kitchen
from tests.core.chat.teahouse import router as teahouse

COME = {("visit", "come"): ""}


@pytest.fixture
def routes(kitchen: Kitchen) -> Routes:
    return Routes(teahouse, {Kitchen: kitchen})


def _opened(match: Match | None) -> tuple[str, str] | None:
    return (match.route.handler.__name__, match.rest) if match else None


@pytest.mark.parametrize(
    ("said", "opened"),
    [
        ("喝茶", "order_tea"),
        ("我要喝茶", "order_tea"),
        ("请问怎么喝茶啊", "order_tea"),
        ("麻烦您帮我订茶吧，谢谢", "order_tea"),
        ("你好，我想喝茶", "order_tea"),
        ("您好我要人工", "waiter"),
        ("喝茶龙井", None),
        ("茶", None),
    ],
)
def test_a_whole_message_opens_polite_words_aside(routes: Routes, said: str, opened: str | None) -> None:
    found = _opened(routes.whole(said))
    assert (found[0] if found else None) == opened


@pytest.mark.parametrize(
    ("said", "opened"),
    [
        ("喝茶龙井", ("order_tea", "龙井")),
        ("来杯茶,普洱", ("order_tea", "普洱")),
        ("我要喝茶 龙井", ("order_tea", "龙井")),
        ("喝茶一下龙井", ("order_tea", "龙井")),
        ("你好，喝茶龙井", ("order_tea", "龙井")),
        ("有什么茶好", ("teas", "好")),
        ("到店时间是几点", ("opening_hours", "是几点")),  # the longer word, not 到店
        ("到店了", ("arrived", "")),
        ("你好吗喝茶", None),
        ("人工智能", None),
        ("帮助我", None),
        ("喝", None),
    ],
)
def test_a_beginning_opens_and_the_longest_wins(
    routes: Routes, said: str, opened: tuple[str, str] | None
) -> None:
    assert _opened(routes.within(said)) == opened


def test_a_pattern_fills_its_holes(routes: Routes) -> None:
    match = routes.within("请问东门到西门多远")
    assert match is not None
    assert match.route.handler.__name__ == "how_far"
    assert dict(match.holes) == {"a": "东门", "b": "西门"}


def test_a_pattern_with_more_words_of_its_own_beats_a_short_beginning(routes: Routes) -> None:
    assert _opened(routes.within("到店到西门多远")) == ("how_far", "")
    assert _opened(routes.within("到店时间到多远")) == ("opening_hours", "到多远")


def test_menu_keys_kinds_and_names_are_looked_up(routes: Routes) -> None:
    assert _opened(routes.click("TEA")) == ("order_tea", "")
    assert _opened(routes.kind(Kind.SUBSCRIBE)) == ("welcome", "")
    assert routes.click("NOWHERE") is None
    assert routes.named("teahouse.gone") is None
    assert _opened(routes.anywhere("帮助")) == ("hello", "")
    assert routes.anywhere("喝茶") is None


def test_what_works_everywhere_is_not_offered_as_a_service(routes: Routes) -> None:
    titles = [option.label for option in routes.offered()]
    assert "喝茶" in titles
    assert "你好" not in titles
    assert "人工" not in titles


async def _nothing() -> Reply:
    return Silence()


async def _another() -> Reply:
    return Silence()


async def _fallback() -> Reply:
    return Silence()


def _bot(fill: Callable[[Router], object]) -> Router:
    router = Router("shop")
    router.fallback(_fallback)
    fill(router)
    return router


def _two(first: dict[str, object], second: dict[str, object], words: tuple[str, str] = ("", "")) -> Router:
    def fill(router: Router) -> None:
        router.on(*filter(None, words[:1]), **first)(_nothing)  # type: ignore[arg-type]
        router.on(*filter(None, words[1:]), **second)(_another)  # type: ignore[arg-type]

    return _bot(fill)


@pytest.mark.parametrize(
    ("router", "what"),
    [
        (_two({}, {}, ("开门", "开门")), "'开门'"),
        (_two({}, {}, ("ＯＫ", " ok。")), "'ok'"),
        (_two({}, {}, ("{a}到{b}", "{from_}到{to}")), "'{}到{}'"),
        (_two({"click": "K"}, {"click": "K"}), "'K'"),
        (_two({"kinds": [Kind.SCAN]}, {"kinds": [Kind.SCAN]}), "scan"),
        (_bot(lambda router: (router.on("一")(_nothing), router.on("二")(_nothing))), "shop._nothing"),
        (_bot(lambda router: router.fallback(_another)), "has 2"),
        (Router("empty"), "has 0"),
        (_bot(lambda router: router.on("？")(_nothing)), "says nothing"),
        (_bot(lambda router: router.on(kinds=[Kind.TEXT])(_nothing)), "by words or key"),
        (_bot(lambda router: router.on("{a}到{a}")(_nothing)), "hole twice"),
        (_bot(lambda router: [router.on(prompts=COME)(each) for each in (_nothing, _another)]), "'come'"),
    ],
)
def test_clashes_stop_the_boot_and_are_named(router: Router, what: str) -> None:
    with pytest.raises(BootError) as refused:
        Routes(router, {})
    assert what in str(refused.value)


async def _wants_a_kitchen(kitchen: Kitchen) -> Reply:
    del kitchen
    return Silence()


async def _wants_a_number(count: int) -> Reply:
    del count
    return Silence()


async def _wants_a_hole(hole: str) -> Reply:
    del hole
    return Silence()


async def _wants_to_ask(ask: Ask) -> Reply:
    del ask
    return Silence()


async def _wants_a_prompt(prompt: Prompt) -> Reply:
    del prompt
    return Silence()


def test_a_prompt_is_given_where_nothing_else_leads_to_a_handler() -> None:
    Routes(_bot(lambda router: router.on(prompts=COME)(_wants_a_prompt)), {})
    with pytest.raises(BootError, match="_wants_a_prompt"):
        Routes(_bot(lambda router: router.on("会到", prompts=COME)(_wants_a_prompt)), {})


def test_an_option_of_a_message_of_ours_leads_to_its_handler() -> None:
    routes = Routes(_bot(lambda router: router.on(prompts=COME)(_nothing)), {})
    come, other = routes.prompted("visit", "come"), routes.prompted("visit", "other")
    assert come is not None
    assert come.route.name == "shop._nothing"
    assert other is None


@pytest.mark.parametrize("handler", [_wants_a_kitchen, _wants_a_number, _wants_a_hole, _wants_to_ask])
def test_a_handler_that_cannot_be_served_stops_the_boot(handler: Callable[..., object]) -> None:
    with pytest.raises(BootError, match=handler.__name__):
        Routes(_bot(lambda router: router.on("词", "{b}吗")(handler)), {})  # type: ignore[type-var]


async def test_a_handler_is_given_its_services_and_what_the_turn_has(kitchen: Kitchen) -> None:
    async def wants_all(
        kitchen: Kitchen, event: Event, citizen: CitizenId, rest: Rest, notes: Notes, nearest: Nearest
    ) -> Reply:
        return Silence()

    Routes(_bot(lambda router: router.on("都要")(wants_all)), {Kitchen: kitchen})


def test_included_routers_come_along_and_clash_with_one_another() -> None:
    one, two = Router("one"), Router("two")
    one.on("词")(_nothing)
    two.on("词")(_another)
    both = _bot(lambda router: router.include(one, two))
    with pytest.raises(BootError, match="'词'"):
        Routes(both, {})


def test_ways_of_saying() -> None:
    assert ways_of_saying("挂号") == ("挂号",)
    assert ways_of_saying("请问,挂号一下,谢谢") == ("请问,挂号一下,谢谢", "挂号")
    assert ways_of_saying("谢谢") == ("谢谢",)


def test_what_follows_a_word() -> None:
    assert follow("挂号:心内科", "挂号") == "心内科"
    assert follow("挂个内科", "挂") == "内科"
