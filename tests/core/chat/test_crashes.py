"""A process dies at every point of an effect, and nothing is done twice or lost (design 3, "Effects")."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from core.chat.durations import Durations
from core.chat.inbox import Commit, Inbox, Run
from core.effects import AlreadyDone, Effect
from tests.core.chat.teahouse import KilledError, Kitchen, bot_with
from tests.support.talk import Ground, Talk

QUICK = Durations().scaled(0.1)  # a lease of 0.3 s, so that a dead run is taken over soon


def _die_once(kitchen: Kitchen, where: str) -> Callable[[], None]:
    def die() -> None:
        setattr(kitchen, where, None)
        raise KilledError

    return die


class DyingInbox(Inbox):
    """Dies once at a commit, before Redis hears of it or after."""

    dies = ""

    async def commit(self, run: Run, session: bytes | None, reply: bytes, *, asks: bool = True) -> Commit:
        dies, self.dies = self.dies, ""
        if dies == "before":
            raise KilledError
        done = await super().commit(run, session, reply, asks=asks)
        if dies == "after":
            raise KilledError
        return done


@pytest.fixture
def table(ground: Ground, kitchen: Kitchen) -> Talk:
    return Talk(ground, bot_with(kitchen), durations=QUICK, inbox_type=DyingInbox)


POINTS = [
    "before the effect",
    "inside its transaction",
    "after its commit",
    "before the reply is stored",
    "after the reply is stored",
]


def _arm(table: Talk, kitchen: Kitchen, point: str) -> None:
    hooks = {"before the effect": "before", "inside its transaction": "inside", "after its commit": "after"}
    if point in hooks:
        setattr(kitchen, hooks[point], _die_once(kitchen, hooks[point]))
        return
    assert isinstance(table.inbox, DyingInbox)
    table.inbox.dies = "before" if point == "before the reply is stored" else "after"


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_point_the_next_attempt_finishes_and_pours_once(
    table: Talk, kitchen: Kitchen, point: str
) -> None:
    await table.walk("喝茶", "1", "1")
    _arm(table, kitchen, point)
    with pytest.raises(KilledError):
        await table.says("确认")
    table.restart()
    assert "上茶了：龙井，靠窗" in await table.insists()
    assert await kitchen.cups() == ["s-window"]
    assert (await table.session()).frames == []


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_point_and_the_citizen_confirms_again_it_is_poured_once(
    table: Talk, kitchen: Kitchen, point: str
) -> None:
    await table.walk("喝茶", "1", "1")
    _arm(table, kitchen, point)
    with pytest.raises(KilledError):
        await table.says("确认")
    table.restart()
    reply = await table.insists(table.event(table.last_event.kind, text="确认"))
    assert await kitchen.cups() == ["s-window"]
    assert ("已经办好了" in reply) == (point == "after the reply is stored")


@pytest.mark.parametrize("point", ["after its commit", "before the reply is stored"])
async def test_killed_after_the_effect_another_wish_is_told_what_was_done(
    table: Talk, kitchen: Kitchen, point: str
) -> None:
    await table.walk("喝茶", "1", "1")
    _arm(table, kitchen, point)
    with pytest.raises(KilledError):
        await table.says("确认")
    table.restart()
    await table.insists(table.event(table.last_event.kind, text="返回"))
    await table.says("重说")  # the reply to 返回 may have come too late
    await table.says("2")
    assert await table.says("确认") == "刚才已经上过茶了：龙井，靠窗"
    assert await kitchen.cups() == ["s-window"]
    assert (await table.session()).frames == []


async def test_already_done_without_words_of_its_own_says_so_and_ends(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("订包间", "明天", "王小明", "确认")
    session = await talk.session()
    del session.frames[0].answers["room"], session.frames[0].answers["name"]
    session.frames[0].open = None
    await talk.keep(session)
    reply = await talk.walk("返回", "明天", "李四", "确认")
    assert "刚才已经办好了" in reply
    assert "王小明" in reply
    assert (await talk.session()).frames == []


async def test_control_an_effect_named_by_run_and_key_alone_tells_a_lie(kitchen: Kitchen) -> None:
    """Without the digest of its arguments the second wish gets the result of the first as its own."""

    async def pour_naively(seat: str) -> str:
        alone = Effect("run", "pour", b"the same for all arguments")
        return await kitchen.pour("tea-1", seat, "citizen", alone)

    async def pour(seat: str) -> str:
        return await kitchen.pour("tea-1", seat, "citizen", Effect("run-2", "pour", seat.encode()))

    assert await pour_naively("s-window") == await pour_naively("s-yard")  # "上茶了：院子" would be a lie
    await pour("s-window")
    with pytest.raises(AlreadyDone):
        await pour("s-yard")
    assert await kitchen.cups() == ["s-window", "s-window"]


async def test_control_without_an_effect_a_repeated_run_pours_twice(kitchen: Kitchen) -> None:
    pour = partial(kitchen._pour, "tea-1", "s-window", "citizen")
    for _ in range(2):
        async with kitchen.db.transaction() as tx:
            await pour(tx)
    assert await kitchen.cups() == ["s-window", "s-window"]


async def test_a_lost_race_says_why_and_asks_again_and_the_next_try_is_won(
    talk: Talk, kitchen: Kitchen
) -> None:
    await talk.walk("喝茶", "1", "1")
    kitchen.taken.add("s-window")
    reply = await talk.says("确认")
    assert "“靠窗”刚被人坐了" in reply
    assert "1、里间" in reply
    assert list((await talk.session()).frames[0].answers) == ["tea"]
    assert "上茶了：龙井，里间" in await talk.walk("1", "确认")
    assert await kitchen.db.fetchval("SELECT count(*) FROM effects") == 1


async def test_two_citizens_want_the_last_seat_and_one_gets_it(talk: Talk, kitchen: Kitchen) -> None:
    one, two = talk.another("o-one"), talk.another("o-two")
    for citizen in (one, two):
        await citizen.walk("喝茶", "1", "1")
    kitchen.after = lambda: kitchen.taken.add("s-window")
    first = await one.says("确认")
    second = await two.says("确认")
    assert "上茶了" in first
    assert "刚被人坐了" in second


async def test_a_failing_handler_leaves_the_session_as_it_was_and_all_attempts_one_number(
    talk: Talk, kitchen: Kitchen
) -> None:
    await talk.says("喝茶")
    before = await talk.session()
    kitchen.broken = ValueError("secret")
    reply = await talk.says("茉莉")
    assert "系统繁忙（编号 " in reply
    assert "secret" not in reply
    assert await talk.repeats() == reply
    assert await talk.session() == before
    kitchen.broken = None
    assert "请选座位" in await talk.says("1")


async def test_a_handler_that_fails_after_it_changed_the_session_leaves_it_as_it_was(
    talk: Talk, kitchen: Kitchen
) -> None:
    """The dialogue was opened when its first loader failed: half a dialogue would be left open."""
    await talk.says("你好")
    before = await talk.session()
    kitchen.broken = ValueError()
    assert "系统繁忙（编号 " in await talk.says("喝茶")
    assert await talk.session() == before


async def test_a_store_gone_before_anything_happened_lets_the_same_attempt_run_again(
    talk: Talk, kitchen: Kitchen
) -> None:
    kitchen.broken = ValueError()
    # The run was given up: nobody waits for its lease.
    said = await asyncio.wait_for(talk.says("断线"), talk.durations.lease)
    assert said == "茶馆欢迎您。"


async def test_what_an_inner_dialogue_did_is_told_though_the_outer_one_fails(
    talk: Talk, kitchen: Kitchen
) -> None:
    await talk.walk("喝茶", "人工")
    kitchen.broken = ValueError()
    reply = await talk.says("水开了")
    assert "伙计听到了：水开了" in reply
    assert "系统繁忙" in reply
    assert "已经停下" in await talk.says("取消")
    assert (await talk.session()).frames == []


async def test_nobody_is_caught_between_a_failing_dialogue_and_one_upon_it(
    talk: Talk, kitchen: Kitchen
) -> None:
    await talk.walk("喝茶", "人工")
    kitchen.broken = ValueError()
    for _ in range(2):
        assert "已经停下" in await talk.says("取消")
    assert (await talk.session()).frames == []
