"""What a push says of itself when it is over: the status that ended it, and how long it took."""

import asyncio
import inspect

import pytest
from aiohttp import web

from settings import Simulator
from simulator.app import build
from simulator.wechat import Rules
from tests.simulator.conftest import MakeTown
from tests.simulator.town import Pushed, Town

SILENCE = 0
RETRY_S = 0.5
SLOW_S = 0.3
ROUNDING_MS = 1


def answers(town: Town, *statuses: int) -> asyncio.Event:
    """Let the bot answer each attempt with its status, or stay silent until the event is set."""
    wake, left = asyncio.Event(), list(statuses)

    async def answer(_pushed: Pushed) -> web.StreamResponse:
        status = left.pop(0)
        if status == SILENCE:
            await wake.wait()
        return web.Response(status=status or 200)

    town.bot.answer = answer
    return wake


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ((503, SILENCE, SILENCE), SILENCE),
        ((500, 404, 503), 503),
        ((SILENCE, SILENCE, 500), 500),
        ((503, SILENCE, 200), 200),
    ],
)
async def test_the_status_is_that_of_the_attempt_that_ended_the_push(
    make_town: MakeTown, statuses: tuple[int, ...], told: int
) -> None:
    town = await make_town(retry_s=RETRY_S)
    wake = answers(town, *statuses)

    result = await town.say("挂号")

    wake.set()
    assert (result["attempts"], result["status"]) == (len(statuses), told)


async def test_a_push_answered_at_once_takes_no_longer_than_whoever_asked_for_it_waited(town: Town) -> None:
    loop = asyncio.get_running_loop()
    for said in ("挂号", "1"):  # the first one makes the connections
        asked = loop.time()
        result = await town.say(said)
        waited_ms = (loop.time() - asked) * 1000
        assert 0 <= result["ms"] <= waited_ms + ROUNDING_MS


async def test_the_time_of_a_push_has_the_bot_s_own_time_in_it(town: Town) -> None:
    loop = asyncio.get_running_loop()
    thought_s = 0.0

    async def answer(pushed: Pushed) -> web.StreamResponse:
        nonlocal thought_s
        await asyncio.sleep(SLOW_S)
        thought_s = loop.time() - pushed.at
        return web.Response(text="success")

    town.bot.answer = answer
    asked = loop.time()
    result = await town.say("挂号")
    waited_s = loop.time() - asked

    assert thought_s * 1000 - ROUNDING_MS <= result["ms"] <= waited_s * 1000 + ROUNDING_MS


def test_unless_told_otherwise_the_next_attempt_comes_five_seconds_after_the_last() -> None:
    # How an attempt waits for this time is tested in tenths of it, in test_pushes.py.
    assert inspect.signature(build).parameters["retry_s"].default is None, "whatever the rules say"
    assert (Rules().retry_s, Simulator().retry_s) == (5.0, 5.0)
