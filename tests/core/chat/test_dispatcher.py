"""From event to reply: order, one run, one reply, whatever becomes of the process."""

import asyncio
from typing import cast

import msgspec
import pytest
from structlog.testing import capture_logs

from core.chat.durations import MOST_AT_ONCE, Durations
from core.chat.events import Kind
from core.chat.inbox import Inbox
from core.seal import Seal
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.support.talk import Ground, Talk


class Gate:
    """Holds a loader until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.open.wait()


async def test_two_quick_messages_are_both_answered_in_their_order(talk: Talk) -> None:
    first, second = talk.event(Kind.TEXT, text="喝茶"), talk.event(Kind.TEXT, text="1")
    one, two = await asyncio.gather(talk.attempt(first), talk.attempt(second))
    assert one is not None
    assert two is not None
    assert "请选茶" in one.text
    assert "请选座位" in two.text


async def test_control_without_the_order_the_second_message_overtakes(talk: Talk, kitchen: Kitchen) -> None:
    """Entered under another conversation's name, the quick second message knows nothing of the first."""
    kitchen.on_load = gate = Gate()
    first = asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="喝茶")))
    await gate.reached.wait()
    said = await talk.another("o-other").attempt(talk.another("o-other").event(Kind.TEXT, text="1"))
    assert said is not None
    assert "没有要选的" in said.text
    gate.open.set()
    assert await first is not None


async def test_an_attempt_that_finds_its_message_running_waits_for_the_same_reply(
    talk: Talk, kitchen: Kitchen
) -> None:
    kitchen.on_load = gate = Gate()
    event = talk.event(Kind.TEXT, text="喝茶")
    attempts = [asyncio.create_task(talk.attempt(event)) for _ in range(3)]
    await gate.reached.wait()
    gate.open.set()
    one, two, three = await asyncio.gather(*attempts)
    assert one is not None
    assert one == two == three
    assert kitchen.loaded["tea"] == 1


async def test_a_replay_gets_the_stored_reply_and_later_nothing(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations(reply=0.3))
    first = await talk.says("喝茶")
    said = talk.said
    talk.later(seconds=30)
    assert await talk.repeats() == first
    assert talk.said == said  # CreateTime included
    async with asyncio.timeout(5):
        while await talk.attempt(talk.last_event) is not None:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.02)
    assert kitchen.loaded["tea"] == 1


async def test_an_attempt_that_hangs_up_leaves_the_run_to_finish(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.on_load = gate = Gate()
    event = talk.event(Kind.TEXT, text="喝茶")
    attempt = asyncio.create_task(talk.attempt(event))
    await gate.reached.wait()
    attempt.cancel()
    gate.open.set()
    said = await talk.attempt(event)
    assert said is not None
    assert "请选茶" in said.text
    assert kitchen.loaded["tea"] == 1


async def test_a_dead_run_is_entered_again_by_who_waits_for_it(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations().scaled(0.1))
    event = talk.event(Kind.TEXT, text="喝茶")
    await Inbox(ground.redis, talk.durations).enter(event.id)  # another process takes it, and is no more
    assert "请选茶" in await talk.insists(event)


async def test_a_stale_run_gives_the_reply_of_the_one_that_overtook_it(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.on_load = gate = Gate()
    event = talk.event(Kind.TEXT, text="喝茶")
    stalled = asyncio.create_task(talk.attempt(event))
    await gate.reached.wait()
    run = talk.dispatcher._running._under_way[event.id].run
    await talk.inbox.release(run)
    kitchen.on_load = None
    other = Talk(talk.ground, bot_with(Kitchen(talk.ground.db)))
    overtaking = await other.attempt(event)
    talk.later(seconds=2)
    gate.open.set()
    assert overtaking is not None
    assert await stalled == overtaking


async def test_the_sixth_waiting_message_is_asked_for_patience(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.on_load = gate = Gate()
    running = asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="喝茶")))
    await gate.reached.wait()
    waiting = []
    for _ in range(5):
        event = talk.event(Kind.TEXT, text="你好")
        waiting.append(asyncio.create_task(talk.attempt(event)))
    while await talk.ground.redis.client.llen(f"bm:{{{talk.conversation}}}:o") < 6:  # noqa: ASYNC110 - Redis tells nobody
        await asyncio.sleep(0.005)
    assert "发得有点快" in await talk.says("人呢")
    gate.open.set()
    assert all("茶馆欢迎您" in said.text for said in await asyncio.gather(*waiting) if said)
    assert await running is not None


async def test_a_passed_message_is_asked_to_be_sent_again(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations().scaled(0.05))
    dead = talk.event(Kind.TEXT, text="喝茶")
    await talk.inbox.enter(dead.id)
    assert "茶馆欢迎您" in await talk.insists(talk.event(Kind.TEXT, text="你好"))
    assert "请再发一次" in await talk.insists(dead)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.WHEREABOUTS,
        Kind.VIEW,
        Kind.VIEW_MINIPROGRAM,
        Kind.TEMPLATE_RECEIPT,
        Kind.MASS_RECEIPT,
        Kind.SUBSCRIPTION_RECEIPT,
    ],
)
async def test_what_nobody_wrote_gets_no_reply_and_leaves_nothing_in_redis(talk: Talk, kind: Kind) -> None:
    assert await talk.sends(kind) == ""
    assert await talk.ground.redis.client.keys(f"*{talk.conversation}*") == []
    assert await talk.says("你好")
    assert await talk.ground.redis.client.keys(f"*{talk.conversation}*"), "control: words do leave something"


async def test_an_unreadable_session_begins_anew_and_is_logged(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    key = f"bm:{{{talk.conversation}}}:s"
    lost = Seal({9: b"9" * 32}, current=9, index_key=b"i" * 32)
    foreign = talk.ground.seal.seal(b"\xc1 another program", f"session:{talk.conversation}")
    older = talk.ground.seal.seal(b"\x93\xa0\x90\xa1x", f"session:{talk.conversation}")
    for broken in (lost.seal(b"x", "y"), foreign, older, b"\x02short"):
        await talk.ground.redis.client.hset(key, "sealed", broken)
        with capture_logs() as logs:
            assert "没有要选的" in await talk.says("1")
        assert "session_unreadable" in [entry["event"] for entry in logs]
        assert "请选茶" in await talk.says("喝茶")


async def test_a_session_of_a_newer_program_with_more_in_it_is_read(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    session = await talk.session()
    longer = msgspec.msgpack.encode([*msgspec.msgpack.decode(msgspec.msgpack.encode(session)), "new"])
    sealed = talk.ground.seal.seal(longer, f"session:{talk.conversation}")
    await talk.ground.redis.client.hset(f"bm:{{{talk.conversation}}}:s", "sealed", sealed)
    assert "要上茶吗" in await talk.says("1")


async def test_nothing_personal_lies_in_redis(talk: Talk) -> None:
    await talk.walk("订包间", "明天", "王小明")
    client = talk.ground.redis.client
    for key in await client.keys("*"):
        kind = await client.type(key)
        whole: list[object] = [key]
        if kind == b"hash":
            whole += [part for pair in (await client.hgetall(key)).items() for part in pair]
        elif kind == b"list":
            whole += await client.lrange(key, 0, -1)
        else:
            whole.append(await client.get(key))
        for value in whole:
            for secret in ("王小明", "o-grandma", "贵姓", "teahouse", "citizen-of"):
                assert secret.encode() not in cast("bytes", value)


async def test_a_failure_is_logged_with_its_number_and_without_the_message(
    talk: Talk, kitchen: Kitchen
) -> None:
    kitchen.broken = ValueError("inner")
    with capture_logs() as logs:
        reply = await talk.says("喝茶龙井王小明")
    (entry,) = [entry for entry in logs if entry["event"] == "handler_failed"]
    assert entry["number"] in reply
    assert "王小明" not in str({key: value for key, value in entry.items() if key != "exc_info"})


async def test_all_runs_are_finished_before_the_gateway_stops(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.on_load = gate = Gate()
    attempt = asyncio.create_task(talk.says("喝茶"))
    await gate.reached.wait()
    draining = asyncio.create_task(talk.dispatcher.drain())
    gate.open.set()
    await draining
    assert "请选茶" in await attempt


async def test_a_long_run_keeps_its_lease(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations(lease=0.5, renewal=0.05))
    kitchen.on_load = gate = Gate()
    event = talk.event(Kind.TEXT, text="喝茶")
    first = asyncio.create_task(talk.attempt(event))
    await gate.reached.wait()
    await asyncio.sleep(0.8)  # longer than the lease: time itself is what is tested
    other = asyncio.create_task(Talk(ground, bot_with(kitchen)).attempt(event))
    gate.open.set()
    assert await first == await other
    assert kitchen.loaded["tea"] == 1


async def test_who_floods_is_asked_once_to_slow_down_and_then_left_alone(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations())
    said = [await talk.attempt(talk.event(Kind.TEXT, text="帮帮我")) for _ in range(MOST_AT_ONCE + 4)]
    assert all(said[:MOST_AT_ONCE])
    first, *others = said[MOST_AT_ONCE:]
    assert first is not None
    assert "太快" in first.text
    assert others == [None] * 3
