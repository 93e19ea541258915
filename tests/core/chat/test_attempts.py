"""Which attempt of WeChat's it is decides how long it may be held."""

import asyncio
from datetime import datetime, timedelta

import pytest

from core.chat.attempts import Attempt
from core.chat.durations import Durations
from core.chat.events import Event, Kind
from core.chat.inbox import Who
from core.clock import ManualClock

DURATIONS = Durations()


def event(at: datetime) -> Event:
    return Event(id="city:0:m:1:2", account="city", openid="o", kind=Kind.TEXT, at=at, text="挂号")


@pytest.fixture
async def attempt(clock: ManualClock) -> Attempt:
    """One of a message that was written just now, its first byte here."""
    return Attempt(event(clock.now()), asyncio.get_running_loop().time(), DURATIONS, clock)


def held_s(attempt: Attempt) -> float:
    return attempt.limit - attempt.arrived


async def test_the_first_two_are_held_until_wechat_drops_them(attempt: Attempt) -> None:
    assert not attempt.is_last, "before it is known which one it is"
    attempt.is_numbered(2, 5_000)
    assert not attempt.is_last
    assert held_s(attempt) == pytest.approx(DURATIONS.dropped)


async def test_the_third_is_answered_in_time(attempt: Attempt) -> None:
    attempt.is_numbered(3, 0)
    assert attempt.is_last
    assert held_s(attempt) == pytest.approx(DURATIONS.deadline)


@pytest.mark.parametrize(("age_ms", "last"), [(8_999, False), (9_000, True), (60_000, True)])
async def test_one_nine_seconds_after_the_first_is_the_last_whatever_its_number(
    attempt: Attempt, age_ms: int, last: bool
) -> None:
    """The second never reached us."""
    attempt.is_numbered(2, age_ms)
    assert attempt.is_last is last


@pytest.mark.parametrize(("age_s", "last"), [(8, False), (12, True)])
async def test_while_redis_is_gone_the_message_itself_says_how_old_it_is(
    clock: ManualClock, age_s: float, last: bool
) -> None:
    now = asyncio.get_running_loop().time()
    attempt = Attempt(event(clock.now() - timedelta(seconds=age_s)), now, DURATIONS, clock)
    assert attempt.is_last is last


async def test_it_does_not_become_the_last_by_being_held(clock: ManualClock) -> None:
    """How old the message was when the attempt came counts, not how long the attempt waits here."""
    arrived = asyncio.get_running_loop().time() - 4.0
    written = clock.now() - timedelta(seconds=12)
    assert not Attempt(event(written), arrived, DURATIONS, clock).is_last
    control = Attempt(event(written), arrived + 4.0, DURATIONS, clock)
    assert control.is_last


async def test_a_clock_that_is_behind_wechats_makes_nothing_last(clock: ManualClock) -> None:
    now = asyncio.get_running_loop().time()
    assert not Attempt(event(clock.now() + timedelta(minutes=4)), now, DURATIONS, clock).is_last


async def test_what_it_learnt_first_of_itself_stays(attempt: Attempt) -> None:
    """Looking again later finds more attempts and a greater age: those are not its own."""
    attempt.is_numbered(1, 0)
    attempt.is_numbered(3, 11_000)
    assert attempt.number == 1
    assert not attempt.is_last


async def test_it_is_new_once_and_one_that_only_waits_stays_so(attempt: Attempt) -> None:
    roles = [attempt.who]
    attempt.is_numbered(1, 0)
    roles.append(attempt.who)
    attempt.only_holds = True
    assert [*roles, attempt.who] == [Who.NEW, Who.AGAIN, Who.HOLD]


async def test_its_time_is_counted_from_its_first_byte(clock: ManualClock) -> None:
    now = asyncio.get_running_loop().time()
    attempt = Attempt(event(clock.now()), now - 60, DURATIONS, clock)
    assert attempt.left(DURATIONS.deadline) < -55
    fresh = Attempt(event(clock.now()), now + 60, DURATIONS, clock)
    assert fresh.left(DURATIONS.deadline) > DURATIONS.deadline


def test_a_handler_has_about_fourteen_seconds_and_no_attempt_outlives_it() -> None:
    """The third attempt comes some ten seconds after the first (wechat-facts 1.4), answered at 14.5."""
    assert DURATIONS.run == 14.0
    assert DURATIONS.run < 2 * DURATIONS.attempt + DURATIONS.deadline
    assert DURATIONS.deadline < DURATIONS.attempt < DURATIONS.dropped
