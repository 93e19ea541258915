"""A notice to many is under way, and an urgent message does not wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

from core.delivery.lanes import SUB_BATCH
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, Phone
from tests.support.waiting import until

MANY = 200
TAKES_S = 0.4  # until WeChat answers
URGENT = "[T-storm]"


async def answers() -> None:
    await asyncio.sleep(TAKES_S)


@asynccontextmanager
async def under_way(bureau: Bureau, sending: Awaitable[object]) -> AsyncIterator[None]:
    """A notice to many of which some have left."""
    for number in range(MANY):
        bureau.post.phones[f"city:{number:032x}"] = Phone("city", f"o-{number}")
    bureau.post.phones[HERE] = Phone("city", "o-here")
    await bureau.job()
    bureau.post.on_send = answers
    task = asyncio.ensure_future(sending)
    try:
        await until(lambda: bureau.post.asked > SUB_BATCH, "the notice is under way")
        yield
    finally:
        bureau.post.on_send = None
        bureau.out.end()
        with suppress(asyncio.CancelledError):
            await task


async def begun_before_the_urgent_one(bureau: Bureau) -> int:
    """How many others were begun between its commit and its arrival."""
    await bureau.queue(bureau.notice("storm"))
    asked = bureau.post.asked
    await until(lambda: URGENT in bureau.heard, "it arrives")
    return bureau.post.asked - asked - 1


async def test_an_urgent_message_leaves_before_the_sub_batch_after_next(bureau: Bureau) -> None:
    async with under_way(bureau, bureau.out.run()):
        begun = await begun_before_the_urgent_one(bureau)
    assert begun <= 2 * SUB_BATCH


async def test_control_lanes_that_take_turns_let_it_wait(bureau: Bureau) -> None:
    async def in_turns() -> None:
        for _ in range(2):
            await bureau.out.send_due()

    async with under_way(bureau, in_turns()):
        begun = await begun_before_the_urgent_one(bureau)
    assert begun > 2 * SUB_BATCH
