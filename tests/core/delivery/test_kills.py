"""Workers are killed at random while the platform fails now and then: nothing is told twice or denied."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer

from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.program import free_port
from tests.support.sending_trial import WORKERS, Trial, platform

Stores = tuple[str, str]


@pytest.fixture
def stores(redis_url: str, db_url: str) -> Stores:
    return redis_url, db_url


@asynccontextmanager
async def trial(
    redis: Redis, db: Database, stores: Stores, seed: int, mistake: str = ""
) -> AsyncIterator[Trial]:
    """Workers on their way, faults armed."""
    wechat, app = platform(free_port())
    server = TestServer(app)
    await server.start_server()
    found = Trial(
        redis, db, stores, wechat, str(server.make_url("")).rstrip("/"), random.Random(seed), mistake
    )
    try:
        await found.settle()
        found.arm()
        for _ in range(WORKERS):
            await found.start()
        yield found
    finally:
        found.stop()
        await server.close()


async def test_twenty_kills(redis: Redis, db: Database, stores: Stores) -> None:
    async with trial(redis, db, stores, 20261123) as found:
        await found.kill_some(20)
        await found.end()
        await found.judge()


@pytest.mark.parametrize(
    ("mistake", "said"),
    [("sends again", "shown 2 times"), ("books as failed", "received and booked as failed")],
)
async def test_control_a_mistake_is_seen(
    redis: Redis, db: Database, stores: Stores, mistake: str, said: str
) -> None:
    async with trial(redis, db, stores, 20261123, mistake) as found:
        await found.kill_some(6)
        await found.end()
        with pytest.raises(AssertionError, match=said):
            await found.judge()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(25))
async def test_five_hundred_kills(redis: Redis, db: Database, stores: Stores, seed: int) -> None:
    async with trial(redis, db, stores, seed) as found:
        await found.kill_some(20)
        await found.end()
        await found.judge()
