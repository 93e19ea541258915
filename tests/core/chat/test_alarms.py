"""Danger to life is answered whatever else is out of order: stores, order, floods (domain-rules R7)."""

import asyncio
from dataclasses import replace

import pytest

from core.chat.durations import MOST_AT_ONCE, MOST_WAITING, Durations
from core.chat.events import Event, Kind
from core.chat.inbox import Entered, Inbox, Over, Who, Window
from core.chat.replies import Said
from core.errors import NotInTimeError, StoreGoneError
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.support.talk import Ground, Talk

QUICK = Durations(flood=0).scaled(0.2)
CALL = "请立即拨打 120"
HOTLINE = "12356"
DANGER = [("我胸口疼", CALL), ("救命", CALL), ("我不想活了", HOTLINE)]


class StoppedInbox(Inbox):
    """Redis does not answer while it is stopped; `entries` counts who asked."""

    stopped = True
    entries = 0

    async def enter(
        self, event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
    ) -> Entered:
        self.entries += 1
        if self.stopped:
            raise StoreGoneError("Redis")
        return await super().enter(event_id, who, window, number)


def stopped(ground: Ground, kitchen: Kitchen) -> tuple[Talk, StoppedInbox]:
    talk = Talk(ground, bot_with(kitchen), durations=QUICK, inbox_type=StoppedInbox)
    assert isinstance(talk.inbox, StoppedInbox)
    return talk, talk.inbox


async def settled(talk: Talk, event: Event) -> Over:
    await talk.dispatcher.drain()
    over = await talk.inbox.enter(event.id, Who.SWEEP)
    assert isinstance(over, Over)
    return over


@pytest.mark.parametrize(("words", "answer"), DANGER)
async def test_with_redis_stopped_an_emergency_was_told_that_we_are_repairing(
    ground: Ground, kitchen: Kitchen, words: str, answer: str
) -> None:
    talk, inbox = stopped(ground, kitchen)
    event = talk.event(Kind.TEXT, text=words)
    said = [await talk.attempt(event) for _ in range(3)]
    assert said[0] is not None
    assert answer in said[0].text
    assert said == [said[0]] * 3, "every attempt hears the same, and none is put off"
    await talk.dispatcher.drain()
    assert inbox.entries == 2 * 3, "one look each, and one to settle the turn: nobody waits for Redis"


async def test_control_with_redis_stopped_others_are_put_off_and_told_whom_to_call(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk, _ = stopped(ground, kitchen)
    event = talk.event(Kind.TEXT, text="喝茶")
    with pytest.raises(NotInTimeError):
        await talk.attempt(event)
    talk.later(seconds=30)
    said = await talk.attempt(event)
    assert said is not None
    assert "急事拨打 12345，救命拨打 120" in said.text


async def test_an_emergency_spoken_while_redis_is_stopped_is_heard_too(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk, _ = stopped(ground, kitchen)
    assert CALL in await talk.speaks("我胸口疼。")


async def test_when_redis_is_back_further_attempts_hear_the_same_and_the_dialogue_is_over(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk, inbox = stopped(ground, kitchen)
    inbox.stopped = False
    await talk.says("喝茶")
    inbox.stopped = True
    event = talk.event(Kind.TEXT, text="我胸口疼")
    said = await talk.attempt(event)
    inbox.stopped = False
    talk.later(seconds=1)
    assert await talk.attempt(event) == said
    assert (await settled(talk, event)).way == "passive"
    assert (await talk.session()).frames == []


async def test_when_redis_was_away_for_a_moment_the_turn_is_made_up_for(
    ground: Ground, kitchen: Kitchen
) -> None:
    class BlinkingInbox(Inbox):
        blinks = False

        async def enter(
            self, event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
        ) -> Entered:
            if self.blinks:
                self.blinks = False
                raise StoreGoneError("Redis")
            return await super().enter(event_id, who, window, number)

    talk = Talk(ground, bot_with(kitchen), durations=QUICK, inbox_type=BlinkingInbox)
    await talk.says("喝茶")
    assert isinstance(talk.inbox, BlinkingInbox)
    talk.inbox.blinks = True
    event = talk.event(Kind.TEXT, text="我胸口疼")
    said = await talk.attempt(event)
    assert (await settled(talk, event)).way == "passive", "it has been said, and is not sent once more"
    assert (await talk.session()).frames == []
    assert await talk.attempt(event) == said
    assert "没有要选的" in await talk.says("1")


async def test_an_emergency_whose_run_cannot_be_stored_is_answered(ground: Ground, kitchen: Kitchen) -> None:
    class LosingInbox(Inbox):
        async def commit(self, *_: object, **__: object) -> None:  # type: ignore[override]
            raise StoreGoneError("Redis")

    talk = Talk(ground, bot_with(kitchen), durations=QUICK, inbox_type=LosingInbox)
    assert CALL in await talk.says("我胸口疼")
    await talk.dispatcher.drain()


def _held_up(kitchen: Kitchen) -> tuple[asyncio.Event, asyncio.Event]:
    """Let a store hold up the next message: told when it is reached, and when it may go on."""
    reached, opened = asyncio.Event(), asyncio.Event()

    async def held() -> None:
        reached.set()
        await opened.wait()

    kitchen.on_load = held
    return reached, opened


async def test_an_emergency_waited_behind_a_message_that_a_store_holds_up(
    talk: Talk, kitchen: Kitchen
) -> None:
    reached, opened = _held_up(kitchen)
    before = asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="喝茶")))
    await reached.wait()
    event = talk.event(Kind.TEXT, text="我胸口疼")
    said = await talk.attempt(event)
    assert said is not None
    assert CALL in said.text
    assert not before.done(), "nobody waited"
    opened.set()
    assert await before is not None
    assert (await settled(talk, event)).way == "passive"
    assert (await talk.session()).frames == [], "the dialogue that was opened meanwhile is over"
    assert await talk.attempt(event) == said


async def test_more_messages_than_may_wait_hid_an_emergency(talk: Talk, kitchen: Kitchen) -> None:
    reached, opened = _held_up(kitchen)
    first = asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="喝茶")))
    await reached.wait()
    waiting = [
        asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="你好"))) for _ in range(MOST_WAITING)
    ]
    order = f"bm:{{{talk.conversation}}}:o"
    while await talk.ground.redis.client.llen(order) <= MOST_WAITING:  # noqa: ASYNC110 - Redis tells nobody
        await asyncio.sleep(0.005)
    assert "发得有点快" in await talk.says("人呢"), "control"
    assert CALL in await talk.says("我胸口疼")
    opened.set()
    await asyncio.gather(first, *waiting)


async def test_a_flood_swallowed_cries_for_help(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations())
    for _ in range(MOST_AT_ONCE):
        assert await talk.says("你好")
    assert "太快" in await talk.says("你好")
    assert await talk.says("你好") == "", "control: the flood goes on in silence"
    for words, answer in DANGER:
        event = talk.event(Kind.TEXT, text=words)
        said = await talk.attempt(event)
        assert said is not None
        assert answer in said.text
        talk.later(seconds=5)
        assert await talk.attempt(event) == said, "its other attempts hear the same"


async def test_a_cry_for_help_that_begins_a_flood_is_no_reason_to_ask_for_patience(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=Durations())
    for _ in range(MOST_AT_ONCE + 2):
        assert CALL in await talk.says("救命")


async def test_a_passed_emergency_was_asked_to_be_sent_again(ground: Ground, kitchen: Kitchen) -> None:
    talk = Talk(ground, bot_with(kitchen), durations=replace(Durations().scaled(0.05), flood=0))
    dead = talk.event(Kind.TEXT, text="我胸口疼")
    await talk.inbox.enter(dead.id)  # a process that dies
    assert "茶馆欢迎您" in await talk.insists(talk.event(Kind.TEXT, text="你好"))
    assert CALL in await talk.insists(dead)


async def test_a_push_that_may_do_nothing_is_answered_if_it_cries_for_help(talk: Talk) -> None:
    """In plain mode nothing vouches for a body while Redis is gone: no turn, but the text harms nobody."""
    gone, now = StoreGoneError("Redis"), asyncio.get_running_loop().time()

    def given_up(words: str) -> Said:
        return talk.dispatcher.give_up(talk.event(Kind.TEXT, text=words), now, gone)

    assert CALL in given_up("我胸口疼").text
    with pytest.raises(NotInTimeError):
        given_up("喝茶")
