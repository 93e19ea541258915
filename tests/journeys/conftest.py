"""A running city for every journey."""

from collections.abc import AsyncIterator

import pytest

from core.clock import SystemClock
from core.seal import Seal
from core.stores.redis import Redis
from tests.support.city import City, Place, running_city


@pytest.fixture
async def city(redis: Redis, redis_url: str, db_url: str, seal: Seal) -> AsyncIterator[City]:
    """Gateway, demo city and simulator, today."""
    del redis  # empties it
    async with running_city(Place(redis_url, db_url, seal, SystemClock())) as opened:
        yield opened
