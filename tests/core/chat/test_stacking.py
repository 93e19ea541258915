"""Dialogues on one another: one opens another for an answer, goes on with it, or is kept until it comes."""

from dataclasses import dataclass, field

import pytest

from core.chat.besides import Beside, Heard
from core.chat.dialogue import Ask
from core.chat.interrupts import GoesOn
from core.chat.replies import Reply, Text
from core.chat.router import Router
from tests.core.chat.teahouse import Item, Kitchen, bare_house, bot_with
from tests.support.talk import Ground, Talk

ADD = Item("add", "别人")


@dataclass
class Friends:
    """Who is known so far, and what is put away until somebody is."""

    known: list[Item] = field(default_factory=lambda: [Item("me", "我自己", ("自己",))])
    kept: bytes = b""
    asked: int = 0

    async def all(self) -> list[Item]:
        self.asked += 1
        return self.known

    async def and_others(self) -> list[Item]:
        return [*self.known, ADD]


def _heard(folded: str) -> Heard | None:
    for who in ("老李", "老王", "自己"):
        if f"给{who}" in folded:
            return Heard(who, folded.replace(f"给{who}", ""))
    return None


def _house(friends: Friends) -> Router:
    router = bare_house()

    @router.dialogue("点茶", "点", beside=Beside("whom", _heard))
    async def order(ask: Ask, kitchen: Kitchen) -> Reply:
        whom = await _whom(ask)
        tea = await ask.choice("tea", kitchen.list_teas)
        seat = await ask.choice("seat", lambda: kitchen.free_seats(tea))
        return Text("teahouse/told", words=f"{whom} {tea} {seat}")

    async def _whom(ask: Ask) -> str:
        said = ask.said_beside("whom")
        if not ask.knows("whom") and said and said not in [each.label for each in friends.known]:
            if said == "自己":
                ask.settle(whom="me")
            else:
                ask.opens("whom", "teahouse.meet", who=said)
        load = friends.and_others if ask.gave_up("whom") else friends.all
        await ask.only("whom", load, whatever=True)
        chosen = await ask.choice("whom", load)
        if chosen == "add":
            ask.opens("whom", "teahouse.meet")
        return chosen

    @router.dialogue("认识")
    async def meet(ask: Ask) -> Reply:
        name = await ask.choice("who", _names)
        how = await ask.choice("how", _ways)
        if how == "later":
            reply = Text("teahouse/told", words=f"等{name}，先留着{ask.awaited_by}")
            if ask.awaited_by:
                friends.kept = ask.put_away()
                ask.end_both(reply)
            return reply
        friends.known.append(Item(name, name))
        ask.bring(name)
        return Text("teahouse/told", words=f"认识{name}了")

    @router.on("接着")
    async def go_on() -> Reply:
        raise GoesOn(friends.kept, {"whom": "老李"}, Text("teahouse/told", words="老李来了"))

    return router


async def _names() -> list[Item]:
    return [Item("老李", "老李"), Item("老王", "老王")]


async def _ways() -> list[Item]:
    return [Item("now", "现在"), Item("later", "以后")]


@pytest.fixture
def friends() -> Friends:
    return Friends()


@pytest.fixture
def house(ground: Ground, kitchen: Kitchen, friends: Friends) -> Talk:
    return Talk(ground, bot_with(kitchen, _house(friends)))


async def test_who_has_nobody_else_is_not_asked(house: Talk) -> None:
    assert "请选茶" in await house.says("点茶")
    assert "me tea-1 s-window" in await house.walk("1", "1")


async def test_who_is_named_first_is_met_on_top_and_then_the_order_goes_on(house: Talk) -> None:
    assert "现在" in await house.says("给老李点茶")
    met = await house.says("1")
    assert met.index("认识老李了") < met.index("接着办刚才的“点茶”") < met.index("请选茶")
    assert "老李 tea-2 s-window" in await house.walk("2", "1")


async def test_what_opened_the_order_is_still_heard_behind_the_other_dialogue(house: Talk) -> None:
    await house.says("给老李点龙井")
    assert "请选座位" in await house.says("1")


async def test_somebody_named_at_any_question_keeps_all_other_answers(house: Talk) -> None:
    before = await house.walk("点茶", "2")
    assert "现在" in await house.says("给老王点的")
    assert (await house.says("1")).endswith(before)
    assert "老王 tea-2 s-window" in await house.says("1")


async def test_back_to_oneself_costs_no_answer(house: Talk, friends: Friends) -> None:
    friends.known.append(Item("老王", "老王"))
    assert "我自己" in await house.says("点茶")
    before = await house.walk("老王", "2")
    assert await house.says("给自己点") == before
    assert "me tea-2 s-window" in await house.says("1")


async def test_who_gives_up_is_asked_and_never_taken_for_themselves(house: Talk) -> None:
    await house.says("给老李点茶")
    asked = await house.says("取消")
    assert "我自己" in asked
    assert "别人" in asked
    assert "老李" in await house.says("别人"), "it is asked again who it is"
    await house.says("返回")
    assert "请选茶" in await house.says("我自己")


async def test_what_waits_can_be_put_away_and_gone_on_with(house: Talk, friends: Friends) -> None:
    await house.says("给老李点龙井")
    assert "等老李，先留着点茶" in await house.says("以后")
    assert (await house.session()).frames == []
    went_on = await house.says("接着")
    assert "老李来了" in went_on
    assert "请选座位" in went_on
    assert "老李 tea-1 s-quiet" in await house.says("2")


async def test_control_without_anything_waiting_nothing_is_put_away(house: Talk, friends: Friends) -> None:
    await house.walk("认识", "老王")
    assert "等老王，先留着" in await house.says("以后")
    assert friends.kept == b""


async def test_what_was_kept_before_a_deploy_is_gone_and_that_is_said(house: Talk, friends: Friends) -> None:
    friends.kept = b"\x93from another time"
    assert "重新" in await house.says("接着")


async def test_a_question_that_comes_first_is_no_step_back_for_the_others(
    house: Talk, friends: Friends
) -> None:
    friends.known.append(Item("老王", "老王"))
    await house.walk("点茶", "1")
    assert "我自己" in await house.says("返回")
    await house.walk("1", "2")
    friends.known.append(Item("老王二", "老王二"))
    assert "老王" in await house.says("给老王二点"), "control: who is known is settled"


async def test_what_was_begun_below_barred_the_order_that_needs_it(house: Talk) -> None:
    await house.says("认识")
    assert "现在" in await house.says("给老李点茶"), "the one that is asked for now counts"
    assert "请选茶" in await house.says("1")
    assert [frame.dialogue for frame in (await house.session()).frames] == ["teahouse.order"]
