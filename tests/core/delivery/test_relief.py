"""A gateway sends what cannot wait, and leaves the rest to workers as long as one lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.delivery import outgoing
from core.delivery.outgoing import Relieved
from core.schedule.leases import Leases
from tests.core.delivery.bureau import Bureau
from tests.support.waiting import until


class Shift:
    """Whether others work now, and how often a gateway has asked."""

    def __init__(self, *, others: bool) -> None:
        self.others = others
        self.asked = 0

    async def __call__(self) -> bool:
        self.asked += 1
        return self.others


@asynccontextmanager
async def gateway(bureau: Bureau, relieved: Relieved | None) -> AsyncIterator[None]:
    """A gateway that sends while this lasts."""
    task = asyncio.create_task(bureau.out.run(relieved))
    try:
        yield
    finally:
        bureau.out.end()
        await task


async def state_of(bureau: Bureau, kind: str) -> str:
    return str(await bureau.db.fetchval("SELECT state FROM outbox WHERE kind = $1", kind))


async def test_beside_a_worker_only_what_cannot_wait_leaves_a_gateway(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "_RELIEF_S", 0.0)
    shift = Shift(others=True)
    await bureau.opens()
    await bureau.queue(bureau.notice("note"))
    await bureau.queue(bureau.notice("storm"))
    async with gateway(bureau, shift):
        await until(lambda: shift.asked > 5, "the other lanes have been looked at")
        await until(lambda: len(bureau.heard) == 1, "what is urgent has left")
        assert (await state_of(bureau, "note"), await state_of(bureau, "storm")) == ("queued", "accepted")
        shift.others = False
        await until(lambda: len(bureau.heard) == 2, "with nobody else there the other left, too")


async def test_control_who_is_never_relieved_sends_everything(bureau: Bureau) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice("note"))
    async with gateway(bureau, None):
        await until(lambda: len(bureau.heard) == 1, "nobody else does it")


async def test_a_worker_is_seen_by_its_lease(bureau: Bureau) -> None:
    gateways, worker = Leases(bureau.db), Leases(bureau.db)
    assert not await gateways.any_held("work:")
    async with worker.holding("work:one"):
        assert await gateways.any_held("work:")
        assert not await gateways.take("fire", unless="work:"), "it leaves that to it"
    await worker.release()
    assert not await gateways.any_held("work:")
    assert await gateways.take("fire", unless="work:")
