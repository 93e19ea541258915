"""A store that is gone or hangs costs an attempt no more than its time (design 4, "Failure")."""

import asyncio

import pytest

from core.chat.durations import Durations
from core.chat.events import Kind
from core.chat.inbox import Entered, Inbox, Over, Wait, Who, Window
from core.errors import NotInTimeError, StoreGoneError
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.support.talk import Ground, Talk

QUICK = Durations(flood=0).scaled(0.2)
NOT_NOW = "系统正在抢修"
ATTEMPTS = 3


class HangingInbox(Inbox):
    """Redis answers so many entries as one that is there, refuses so many, and then hangs."""

    answers = refuses = 0

    async def enter(
        self, event_id: str, who: Who = Who.NEW, window: Window = Window.NONE, number: int = 0
    ) -> Entered:
        if self.answers:
            self.answers -= 1
            return await super().enter(event_id, who, window, number)
        if self.refuses:
            self.refuses -= 1
            raise StoreGoneError("Redis")
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")


def hanging_after(ground: Ground, kitchen: Kitchen, *, answers: int = 0, refuses: int = 0) -> Talk:
    talk = Talk(ground, bot_with(kitchen), durations=QUICK, inbox_type=HangingInbox)
    assert isinstance(talk.inbox, HangingInbox)
    talk.inbox.answers, talk.inbox.refuses = answers, refuses
    return talk


async def test_a_store_that_is_gone_is_asked_again_in_measure_until_the_sentence(
    talk: Talk, kitchen: Kitchen
) -> None:
    talk.durations = QUICK
    talk.restart()
    kitchen.broken = StoreGoneError("PostgreSQL")
    await talk.ground.db.close()  # nor can anything be promised
    event = talk.event(Kind.TEXT, text="喝茶")
    with pytest.raises(NotInTimeError):
        await talk.attempt(event)
    await talk.inbox.hand_over(event.id, last=False)  # as if the database had been there for a moment
    assert NOT_NOW in await talk.insists(event)
    assert 1 < kitchen.loaded["tea"] <= ATTEMPTS * (QUICK.dropped / QUICK.retry + 1)
    await talk.dispatcher.drain()
    over = await talk.inbox.enter(event.id, Who.SWEEP)
    assert isinstance(over, Over), "nobody waits for it any more"
    assert over.way == "passive", "it has been said, and is not sent once more"
    kitchen.broken = None
    assert "请选茶" in await talk.says("喝茶")


async def test_the_last_attempt_is_answered_in_time_by_a_redis_that_hangs(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk = hanging_after(ground, kitchen, refuses=1)
    event = talk.event(Kind.TEXT, text="喝茶")
    talk.later(seconds=30)  # since it was written
    async with asyncio.timeout(QUICK.attempt):
        said = await talk.attempt(event)
    assert said is not None
    assert NOT_NOW in said.text


async def test_of_a_message_that_was_let_in_an_answer_is_promised_though_redis_hangs_now(
    ground: Ground, kitchen: Kitchen
) -> None:
    talk = hanging_after(ground, kitchen, answers=2)
    event = talk.event(Kind.TEXT, text="喝茶")
    elsewhere = Inbox(ground.redis, Durations())
    await elsewhere.enter(event.id)  # another process runs it, for a long time
    talk.later(seconds=30)  # since it was written
    async with asyncio.timeout(QUICK.attempt):
        assert await talk.attempt(event) is None
    assert await ground.db.fetchval("SELECT count(*) FROM owed WHERE event = $1", event.id) == 1
    assert isinstance(await elsewhere.enter(event.id, Who.SWEEP), Wait)
