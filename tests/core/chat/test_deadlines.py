"""One timer ends every outcome that is not there in its time, none earlier, and leaves the others alone."""

import asyncio
from typing import Any

import pytest

from core.chat.deadlines import Deadlines
from core.chat.replies import Said
from core.chat.running import Outcome, OverdueError

SHORT_S = 0.05
SAID = Said(type="text", at=0, text="预约成功")


def now() -> float:
    return asyncio.get_running_loop().time()


def outcome() -> Outcome:
    return asyncio.get_running_loop().create_future()


async def ended(watched: Outcome) -> float:
    """Wait for an outcome to be overdue; when that was."""
    async with asyncio.timeout(15):
        with pytest.raises(OverdueError):
            await watched
    return now()


async def test_an_outcome_that_is_there_in_time_is_what_it_is() -> None:
    deadlines = Deadlines(60)
    watched = deadlines.watch(outcome(), now())
    watched.set_result(SAID)
    assert await watched is SAID


async def test_one_that_is_not_there_is_overdue_and_not_before_its_time() -> None:
    since = now()
    at = await ended(Deadlines(SHORT_S).watch(outcome(), since))
    assert at - since >= SHORT_S * 0.99


async def test_each_has_its_own_time() -> None:
    deadlines, start = Deadlines(SHORT_S), now()
    watched = [deadlines.watch(outcome(), start + 0.02 * number) for number in range(5)]
    for number, each in enumerate(watched):
        assert await ended(each) - start >= (SHORT_S + 0.02 * number) * 0.99


async def test_those_that_are_done_are_passed_over() -> None:
    deadlines, start = Deadlines(SHORT_S), now()
    watched = [deadlines.watch(outcome(), start) for _ in range(6)]
    failed = RuntimeError("of its own")
    watched[0].set_result(SAID)
    watched[2].set_exception(failed)
    watched[4].cancel()
    for number in (1, 3, 5):
        await ended(watched[number])
    assert watched[0].result() is SAID
    assert watched[2].exception() is failed
    assert watched[4].cancelled()


async def test_one_whose_time_is_over_already_ends_at_once() -> None:
    """It waited for an earlier message of its conversation before it ran."""
    deadlines = Deadlines(60)
    patient = deadlines.watch(outcome(), now())
    await ended(deadlines.watch(outcome(), now() - 61))
    assert not patient.done()


async def test_one_that_began_to_wait_earlier_does_not_end_with_those_watched_before_it() -> None:
    deadlines, start = Deadlines(SHORT_S), now()
    first = deadlines.watch(outcome(), start + 60)
    second = deadlines.watch(outcome(), start)
    third = deadlines.watch(outcome(), start + 60)
    assert await ended(second) - start >= SHORT_S * 0.99
    assert not first.done()
    assert not third.done()


async def test_it_goes_on_after_everything_it_watched_has_ended() -> None:
    deadlines = Deadlines(SHORT_S)
    for _ in range(3):
        done = deadlines.watch(outcome(), now())
        done.set_result(SAID)
        await ended(deadlines.watch(outcome(), now()))


async def test_a_thousand_that_are_answered_leave_one_timer_and_no_outcome_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    timers = 0
    call_at = loop.call_at

    def counted(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        nonlocal timers
        timers += 1
        return call_at(*args, **kwargs)

    monkeypatch.setattr(loop, "call_at", counted)
    deadlines = Deadlines(60)
    for _ in range(1000):
        deadlines.watch(outcome(), now()).set_result(SAID)
    assert timers == 1
    assert len(deadlines._watched) == 1
