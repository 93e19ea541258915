"""Runs outlive who waits for them, keep their lease, end when they take too long, and wake who waits."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from core.chat.durations import Durations
from core.chat.events import Event, Kind
from core.chat.inbox import Inbox, Run, Wait, Who
from core.chat.replies import Said
from core.chat.running import LookAgainError, OverdueError, Running
from core.clock import CITY_ZONE
from core.errors import StoreGoneError
from core.stores.redis import Redis
from tests.support.waiting import until

SAID = Said(type="text", at=0, text="预约成功")
HERE, THERE = f"city:{'0' * 32}", f"city:{'f' * 32}"
CALM = Durations(flood=0)
_numbers = itertools.count(1)


def message(conversation: str = HERE) -> Event:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=CITY_ZONE)
    return Event(
        id=f"{conversation}:m:{next(_numbers)}:1",
        account="city",
        openid="o",
        kind=Kind.TEXT,
        at=at,
        text="挂号",
    )


def name_of(event: Event) -> str:
    return event.id.split(":", 2)[2]


@dataclass
class Counter:
    """A handler that works until it may end."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0
    fails_with: Exception | None = None
    when_cancelled: Callable[[Event], Said] | None = None

    async def __call__(self, event: Event, _run: Run) -> Said:
        self.begun += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            if self.when_cancelled is None:
                raise
            return self.when_cancelled(event)
        if self.fails_with is not None:
            raise self.fails_with
        return SAID


@dataclass
class House:
    inbox: Inbox
    work: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.running = Running(self.inbox, self.work)

    async def starts(self, event: Event) -> "asyncio.Future[Said]":
        run = await self.inbox.enter(event.id)
        assert isinstance(run, Run)
        outcome = self.running.start(event, run)
        await until(lambda: self.work.begun, "the run begins")
        return outcome


def house(redis: Redis, durations: Durations = CALM) -> House:
    return House(Inbox(redis, durations))


def later() -> float:
    """A limit nobody reaches (the loop's time)."""
    return asyncio.get_running_loop().time() + 60


# --- its outcome ---


async def test_the_outcome_is_the_reply(redis: Redis) -> None:
    here = house(redis)
    outcome = await here.starts(message())
    here.work.may_end.set()
    assert await outcome is SAID
    await here.running.drain()


@pytest.mark.parametrize(
    ("failure", "logged"),
    [(ZeroDivisionError(), ["run_failed"]), (StoreGoneError("PostgreSQL"), []), (LookAgainError(), [])],
)
async def test_the_outcome_is_why_there_is_no_reply(
    redis: Redis, failure: Exception, logged: list[str]
) -> None:
    here = house(redis)
    here.work.fails_with = failure
    outcome = await here.starts(message())
    with capture_logs() as log:
        here.work.may_end.set()
        with pytest.raises(type(failure)):
            await outcome
    assert [line["event"] for line in log] == logged
    await here.running.drain()


async def test_a_run_goes_on_when_nobody_waits_for_it_any_more(redis: Redis) -> None:
    here = house(redis)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    outcome = await here.starts(message())
    outcome.cancel()
    draining = asyncio.create_task(here.running.drain())
    here.work.may_end.set()
    await asyncio.wait_for(draining, 15)
    assert complaints == []


async def test_a_run_that_fails_after_everybody_left_harms_nobody(redis: Redis) -> None:
    here = house(redis)
    here.work.fails_with = RuntimeError("too late to matter")
    (await here.starts(message())).cancel()
    here.work.may_end.set()
    with capture_logs() as log:
        await asyncio.wait_for(here.running.drain(), 15)
        await until(lambda: log, "the failure is a line in the log")
    assert [(line["event"], line["error"]) for line in log] == [("run_failed", "RuntimeError")]


async def test_the_end_of_the_process_cancels_the_outcome_too(redis: Redis) -> None:
    here, event = house(redis), message()
    outcome = await here.starts(event)
    here.running._under_way[event.id].task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outcome
    assert outcome.cancelled()


# --- its lease and its time ---


async def is_renewed(redis: Redis, event: Event, times: int = 3) -> None:
    """Wait until the lease of a run has been made longer so often."""
    ends: set[bytes] = set()
    async with asyncio.timeout(15):
        while len(ends) <= times:
            ends.add(await redis.client.hget(f"bm:{{{event.conversation}}}:c:{name_of(event)}", "lease"))  # type: ignore[arg-type] # answers are bytes
            await asyncio.sleep(0.01)


async def test_its_lease_is_kept_alive(redis: Redis) -> None:
    here = house(redis, replace(CALM, renewal=0.02))
    await here.starts(event := message())
    await is_renewed(redis, event)
    here.work.may_end.set()
    await here.running.drain()


async def test_control_a_lease_nobody_renews_ends(redis: Redis) -> None:
    here, event = house(redis, replace(CALM, lease=0.1, renewal=60)), message()
    await here.starts(event)
    async with asyncio.timeout(15):
        while not isinstance(await here.inbox.enter(event.id, Who.AGAIN), Run):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    here.work.may_end.set()
    await here.running.drain()


async def test_after_a_pause_leases_are_kept_again(redis: Redis) -> None:
    here = house(redis, replace(CALM, renewal=0.02))
    here.work.may_end.set()
    await (await here.starts(message()))
    await until(lambda: here.running._renewing and here.running._renewing.done(), "nothing is to be kept")
    here.work.may_end.clear()
    here.work.begun = 0
    await here.starts(event := message(THERE))
    await is_renewed(redis, event)
    here.work.may_end.set()
    await here.running.drain()


async def test_redis_that_is_gone_for_a_moment_ends_no_run(redis: Redis) -> None:
    here, missed = house(redis, replace(CALM, renewal=0.02)), 0

    async def gone(run: Run) -> bool:
        nonlocal missed
        missed += 1
        raise StoreGoneError("Redis")

    here.inbox.renew = gone  # type: ignore[method-assign]
    with capture_logs() as log:
        outcome = await here.starts(message())
        await until(lambda: missed > 2, "it goes on trying")
        here.work.may_end.set()
        assert await outcome is SAID
    assert {line["event"] for line in log} == {"lease_not_renewed"}
    await here.running.drain()


async def test_a_run_that_takes_too_long_is_told_to_end_and_may_still_say_so(redis: Redis) -> None:
    here, event = house(redis, replace(CALM, renewal=0.02, run=0.1)), message()
    told: list[bool] = []

    def explain(ended: Event) -> Said:
        told.append(here.running.told_to_end(ended.id))
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling(), "time-outs inside it work again"
        return Said(type="text", at=0, text="系统繁忙")

    here.work.when_cancelled = explain
    outcome = await here.starts(event)
    assert (await asyncio.wait_for(outcome, 15)).text == "系统繁忙"
    assert told == [True]


async def test_a_run_that_swallows_what_it_is_told_is_told_again(redis: Redis) -> None:
    here, event = house(redis, replace(CALM, renewal=0.02, run=0.1)), message()
    ignored: list[int] = []

    async def deaf_at_first(_event: Event, _run: Run) -> Said:
        here.work.begun += 1
        while len(ignored) < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ignored.append(1)
        await asyncio.Event().wait()
        return SAID

    here.running._work = deaf_at_first
    outcome = await here.starts(event)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(outcome, 15)
    assert not here.running._under_way


async def test_a_deaf_run_keeps_its_conversation_no_longer_than_a_dead_one(redis: Redis) -> None:
    here = house(redis, replace(CALM, lease=0.3, renewal=0.02, run=0.1))
    event, listens = message(), asyncio.Event()

    async def deaf(_event: Event, _run: Run) -> Said:
        here.work.begun += 1
        while not listens.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await listens.wait()
        return SAID

    here.running._work = deaf
    await here.starts(event)
    async with asyncio.timeout(15):
        while isinstance(await here.inbox.enter(event.id, Who.AGAIN), Wait):
            pass
    listens.set()
    await here.running.drain()


async def test_the_end_of_the_process_is_no_slowness(redis: Redis) -> None:
    here, event = house(redis), message()
    told: list[bool] = []

    def explain(ended: Event) -> Said:
        told.append(here.running.told_to_end(ended.id))
        raise asyncio.CancelledError

    here.work.when_cancelled = explain
    outcome = await here.starts(event)
    here.running._under_way[event.id].task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outcome
    assert told == [False]
    assert not here.running.told_to_end("city:0:m:of:nobody")


# --- waiting for it ---


async def test_the_end_of_a_run_wakes_who_waits_in_its_conversation_at_once(redis: Redis) -> None:
    here = house(redis, replace(CALM, poll=60))
    await here.starts(message(HERE))
    waiting = [asyncio.create_task(here.running.end_of(HERE, later())) for _ in range(3)]
    other = asyncio.create_task(here.running.end_of(THERE, later()))
    await until(lambda: len(here.running._waiting[HERE]) == 3 and here.running._waiting[THERE], "all wait")
    here.work.may_end.set()
    await asyncio.wait_for(asyncio.gather(*waiting), 15)
    assert not other.done()
    other.cancel()
    await asyncio.gather(other, return_exceptions=True)
    assert not here.running._waiting, "nothing is kept of who waited"
    await here.running.drain()


async def test_a_run_elsewhere_is_looked_for_now_and_then(redis: Redis) -> None:
    here = house(redis, replace(CALM, poll=0.02))
    await asyncio.wait_for(here.running.end_of(HERE, later()), 15)
    assert not here.running._waiting


async def test_nobody_waits_beyond_their_time(redis: Redis) -> None:
    here = house(redis, replace(CALM, poll=60))
    loop = asyncio.get_running_loop()
    until_then = loop.time() + 0.1
    await asyncio.wait_for(here.running.end_of(HERE, until_then), 15)
    assert loop.time() >= until_then - 0.01, "woken once more as its time ends"
    with pytest.raises(OverdueError):
        await here.running.end_of(HERE, loop.time() - 0.001)


async def test_draining_waits_for_every_run(redis: Redis) -> None:
    here = house(redis)
    outcomes = [await here.starts(message(f"city:{number:032x}")) for number in range(5)]
    draining = asyncio.create_task(here.running.drain())
    done, _ = await asyncio.wait([draining], timeout=0.05)
    assert not done, "runs are under way"
    here.work.may_end.set()
    await asyncio.wait_for(draining, 15)
    assert [await outcome for outcome in outcomes] == [SAID] * 5
    assert not here.running._under_way
