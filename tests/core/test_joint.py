"""Work that several need at once: done once, and stopped by nobody who only waits."""

import asyncio

import pytest

from core.joint import Joint


class Well:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.water = asyncio.Event()

    async def drawn(self) -> int:
        self.begun += 1
        await self.water.wait()
        if self.begun == 1:
            raise LookupError("dry")
        return self.begun


async def test_all_who_ask_meanwhile_get_one_outcome_and_the_next_begins_anew() -> None:
    well = Well()
    joint = Joint(well.drawn)
    asking = [asyncio.create_task(joint.outcome()) for _ in range(5)]
    await asyncio.sleep(0)
    well.water.set()
    assert all(
        isinstance(each, LookupError) for each in await asyncio.gather(*asking, return_exceptions=True)
    )
    assert well.begun == 1
    assert await joint.outcome() == 2


async def test_who_gives_up_stops_it_for_nobody() -> None:
    well = Well()
    well.begun = 1
    joint = Joint(well.drawn)
    impatient, patient = (asyncio.create_task(joint.outcome()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    well.water.set()
    assert await patient == 2


async def test_cancelling_stops_it_for_all() -> None:
    joint = Joint(Well().drawn)
    waiting = asyncio.create_task(joint.outcome())
    await asyncio.sleep(0)
    joint.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
