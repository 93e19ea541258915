"""Whatever is owed is settled: paid with the reply that lies ready, run again, or explained."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from core.chat.durations import MOST_WAITING, Durations
from core.chat.events import Event, Kind
from core.chat.inbox import Done, Full, Passed, Run, Who
from core.clock import ManualClock
from core.delivery.owed import Owed
from core.delivery.sweeper import Sweeper
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.support.talk import Ground, Talk

NOT_PROCESSED = "刚才那条消息没有处理"
CALM = Durations(flood=0)
QUICK = replace(CALM, lease=0.1, renewal=0.03, passing=0.1, poll=0.01)


class House:
    """A tea house, what it owes, and a sweeper that looks at everything each time."""

    def __init__(self, talk: Talk, kitchen: Kitchen) -> None:
        self.talk = talk
        self.kitchen = kitchen
        self.db = talk.ground.db
        self.owed = Owed(self.db, talk.ground.seal)
        self.sweeper = Sweeper(self.owed, {"city": talk.dispatcher}, again_s=60)

    def is_calm(self) -> None:
        """Let everything take as long as in life, so that nothing dies or passes while a test looks on."""
        self.talk.durations = CALM
        self.talk.restart()
        self.sweeper = Sweeper(self.owed, {"city": self.talk.dispatcher}, again_s=60)

    def event(self, text: str = "喝茶") -> Event:
        return self.talk.event(Kind.TEXT, text=text)

    async def owes(self, event: Event) -> None:
        await self.owed.owe(event)

    async def sweep(self) -> int:
        await self.db.execute("UPDATE owed SET looked_at = now() - interval '1 hour'")
        looked_at = await self.sweeper.sweep()
        await self.talk.dispatcher.drain()
        return looked_at

    async def owing(self) -> list[str]:
        return [row["event"] for row in await self.db.fetch("SELECT event FROM owed ORDER BY event")]

    async def to_send(self) -> dict[str, str]:
        rows = await self.db.fetch("SELECT key, state FROM outbox ORDER BY id")
        return {row["key"].removeprefix("late:"): row["state"] for row in rows}

    async def wait_s(self, event: Event) -> float:
        """In how many seconds the late reply to a message is due."""
        return float(
            await self.db.fetchval(
                "SELECT extract(epoch FROM not_before - now())::float FROM outbox WHERE key = $1",
                f"late:{event.id}",
            )
        )

    async def forgets(self) -> None:
        """Let Redis lose everything it had."""
        await self.talk.ground.redis.client.flushall()


@pytest.fixture
async def house(any_redis: Redis, any_db: Database, seal: Seal, clock: ManualClock) -> House:
    kitchen = Kitchen(any_db)
    return House(Talk(Ground(any_redis, any_db, seal, clock), bot_with(kitchen), durations=QUICK), kitchen)


async def enters(house: House, event: Event, who: Who = Who.NEW) -> Run:
    """Enter until the message may run."""
    async with asyncio.timeout(15):
        while not isinstance(entered := await house.talk.inbox.enter(event.id, who), Run):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return entered


async def test_where_nothing_is_owed_nothing_is_done(house: House) -> None:
    assert await house.sweep() == 0


async def test_what_was_just_promised_is_left_alone(house: House) -> None:
    await house.owes(house.event())
    assert await house.sweeper.sweep() == 0


# --- what it finds of a message ---


async def test_a_message_whose_run_is_dead_is_run_again_and_its_reply_sent(house: House) -> None:
    event = house.event("喝茶")
    await enters(house, event)  # by a process that dies
    assert await house.talk.inbox.leave(event.id, 1)
    await house.owes(event)
    async with asyncio.timeout(15):
        while await house.owing():  # its lease has to end first
            await house.sweep()
    assert await house.to_send() == {event.id: "queued"}
    assert "请选茶" in await house.talk.hears_later()


async def test_a_run_under_way_is_waited_for(house: House) -> None:
    house.is_calm()
    event = house.event()
    run = await enters(house, event)
    await house.owes(event)
    for _ in range(3):
        assert await house.sweep() == 1
    assert (await house.owing(), await house.to_send()) == ([event.id], {})
    assert not (await house.talk.inbox.commit(run, b"session", b"reply")).stale, "it is still the current one"
    assert house.kitchen.loaded["tea"] == 0


async def test_a_reply_that_lies_ready_and_that_nobody_waits_for_is_sent(house: House) -> None:
    event = house.event("喝茶")
    await house.talk.delivers(event)
    assert await house.talk.inbox.leave(event.id, 1)
    await house.owes(event)
    assert await house.sweep() == 1
    assert (await house.owing(), await house.to_send()) == ([], {event.id: "queued"})
    assert "请选茶" in await house.talk.hears_later()
    assert house.kitchen.loaded["tea"] == 1, "it is not run again"


async def test_a_reply_that_an_attempt_was_answered_with_is_settled(house: House) -> None:
    house.is_calm()
    event = house.event("喝茶")
    await house.talk.delivers(event)
    await house.owes(event)
    await house.sweep()
    assert (await house.owing(), await house.to_send()) == ([], {})


async def test_a_dropped_reply_is_kept_back_as_long_as_a_retry_may_come(house: House) -> None:
    house.is_calm()
    event = house.event("喝茶")
    await house.talk.delivers(event)
    assert await house.talk.inbox.leave(event.id, 1)
    await house.owes(event)
    await house.sweep()
    assert 1 < await house.wait_s(event) <= CALM.passing


async def test_a_reply_that_went_out_as_an_answer_is_not_sent_too(house: House) -> None:
    event = house.event("喝茶")
    await house.talk.delivers(event)
    await house.talk.repeats()  # collected: from here on it goes this way
    await house.owes(event)
    await house.sweep()
    assert (await house.owing(), await house.to_send()) == ([], {})


async def test_a_message_redis_knows_nothing_of_is_explained_and_never_run(house: House) -> None:
    event = house.event("喝茶")
    await enters(house, event)
    await house.owes(event)
    await house.forgets()
    with capture_logs() as log:
        await house.sweep()
    assert await house.owing() == []
    assert NOT_PROCESSED in await house.talk.hears_later()
    assert house.kitchen.loaded["tea"] == 0
    assert [(line["event"], line["found"]) for line in log] == [("owed_message_lost", "Gone")]


async def test_a_message_a_later_one_went_past_is_explained_and_never_run(house: House) -> None:
    passed, later = house.event("喝茶"), house.event("帮助")
    await enters(house, passed)
    await house.owes(passed)
    await house.talk.inbox.enter(later.id)
    await enters(house, later, Who.AGAIN)
    await house.sweep()
    assert NOT_PROCESSED in await house.talk.hears_later()
    assert await house.owing() == []
    assert house.kitchen.loaded["tea"] == 0


async def test_an_attempt_that_told_so_already_needs_no_second_explanation(house: House) -> None:
    passed, later = house.event("喝茶"), house.event("帮助")
    await enters(house, passed)
    await house.talk.inbox.enter(later.id)
    await enters(house, later, Who.AGAIN)
    await house.owes(passed)
    assert await house.talk.inbox.hand_over(passed.id, last=True) == Passed(owed=True)
    await house.sweep()
    assert (await house.owing(), await house.to_send()) == ([], {})


async def test_a_reply_that_is_gone_is_explained(house: House) -> None:
    event = house.event("喝茶")
    await house.talk.delivers(event)
    assert await house.talk.inbox.leave(event.id, 1), "it was dropped before its answer"
    await house.talk.ground.redis.client.delete(f"bm:{{{event.conversation}}}:r:{event.id.split(':', 2)[2]}")
    assert await house.talk.inbox.enter(event.id) == Done(None)
    await house.owes(event)
    await house.sweep()
    assert NOT_PROCESSED in await house.talk.hears_later()


async def test_who_was_told_to_wait_is_owed_nothing(house: House) -> None:
    house.is_calm()
    await house.talk.inbox.enter(house.event().id)
    for _ in range(MOST_WAITING):
        await house.talk.inbox.enter(house.event().id)
    refused = house.event()
    assert await house.talk.inbox.enter(refused.id) == Full()
    await house.owes(refused)
    await house.sweep()
    assert (await house.owing(), await house.to_send()) == ([], {})


# --- what nobody can pay ---


async def test_a_row_nobody_can_open_is_dropped_and_the_others_are_not(house: House) -> None:
    broken, fine = house.event(), house.event()
    for event in (broken, fine):
        await house.owes(event)
    await house.db.execute(
        "UPDATE owed SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE event = $1", broken.id
    )
    with capture_logs() as log:
        assert await house.sweep() == 2
    assert (await house.owing(), list(await house.to_send())) == ([], [fine.id])
    dropped = [line for line in log if line["event"] == "owed_message_dropped"]
    assert [(line["event_id"], line["why"]) for line in dropped] == [(broken.id, "its row cannot be opened")]


async def test_a_message_of_an_account_that_is_gone_is_dropped_by_name(house: House) -> None:
    house.sweeper = Sweeper(house.owed, {"another": house.talk.dispatcher}, again_s=60)
    event = house.event()
    await house.owes(event)
    with capture_logs() as log:
        await house.sweep()
    assert await house.owing() == []
    assert [(line["log_level"], line["why"]) for line in log] == [
        ("error", "its account is not in the settings")
    ]


# --- many, and trouble ---


async def test_more_than_fit_into_one_look_are_all_looked_after(house: House) -> None:
    for _ in range(130):
        await house.owes(house.event())
    assert await house.sweep() == 130
    assert (await house.owing(), len(await house.to_send())) == ([], 130)


async def test_two_sweepers_say_each_thing_once(house: House) -> None:
    events = [house.event() for _ in range(30)]
    for event in events:
        await house.owes(event)
    other = Sweeper(house.owed, {"city": house.talk.dispatcher}, again_s=60)
    await house.db.execute("UPDATE owed SET looked_at = now() - interval '1 hour'")
    counts = await asyncio.gather(house.sweeper.sweep(), other.sweep())
    assert sum(counts) == 30
    assert sorted(await house.to_send()) == sorted(event.id for event in events)


async def test_a_store_that_goes_away_in_the_middle_loses_no_debt(house: House) -> None:
    events = [house.event() for _ in range(5)]
    for event in events:
        await house.owes(event)
    dispatcher = house.talk.dispatcher
    look_after, calls = dispatcher.look_after, 0

    async def third_time_unlucky(event: Event) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StoreGoneError("Redis")
        await look_after(event)

    dispatcher.look_after = third_time_unlucky  # type: ignore[method-assign]
    with pytest.raises(StoreGoneError):
        await house.sweep()
    assert len(await house.owing()) == 3
    await house.sweep()
    assert (await house.owing(), sorted(await house.to_send())) == ([], sorted(event.id for event in events))
