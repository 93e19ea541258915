"""A handler that never ends costs its citizen one message, not the conversation."""

import asyncio
from dataclasses import replace

from core.chat.durations import Durations
from core.chat.events import Kind
from tests.core.chat.teahouse import Kitchen
from tests.support.talk import Talk

# Only the handler's own time is short: nothing else here may depend on how busy this machine is.
QUICK = replace(Durations(), run=0.3, renewal=0.05)


class Never:
    """A loader that waits for what does not come."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


async def test_a_hanging_handler_is_ended_with_a_number_and_the_conversation_goes_on(
    talk: Talk, kitchen: Kitchen
) -> None:
    talk.durations = QUICK
    talk.restart()
    kitchen.on_load = Never()
    assert "系统繁忙（编号" in await talk.insists(talk.event(Kind.TEXT, text="喝茶"))
    kitchen.on_load = None
    assert "请选茶" in await talk.says("喝茶")


async def test_draining_does_not_wait_for_ever(talk: Talk, kitchen: Kitchen) -> None:
    talk.durations = QUICK
    talk.restart()
    kitchen.on_load = hanging = Never()
    attempt = asyncio.create_task(talk.attempt(talk.event(Kind.TEXT, text="喝茶")))
    await hanging.reached.wait()
    await asyncio.wait_for(talk.dispatcher.drain(), 60)
    said = await attempt
    assert said is not None
    assert "系统繁忙" in said.text


async def test_a_run_that_is_cancelled_by_the_end_of_the_process_commits_nothing(
    talk: Talk, kitchen: Kitchen
) -> None:
    kitchen.on_load = hanging = Never()
    event = talk.event(Kind.TEXT, text="喝茶")
    attempt = asyncio.create_task(talk.attempt(event))
    await hanging.reached.wait()
    under_way = talk.dispatcher._running._under_way[event.id]
    under_way.task.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    kitchen.on_load = None
    await talk.inbox.release(under_way.run)
    talk.restart()
    assert "请选茶" in await talk.insists(event)
