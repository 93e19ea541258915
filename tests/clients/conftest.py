"""A platform to send through, and gateways of ours that do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import pytest

from core.clock import CITY_ZONE, ManualClock
from core.seal import Seal
from core.stores.redis import Redis
from simulator.windows import Limits
from tests.clients.platform import Gateway, Weixin

MakeGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def weixin() -> AsyncIterator[Weixin]:
    """The platform with its usual windows."""
    async for platform in _running(None):
        yield platform


@pytest.fixture
async def patient_weixin() -> AsyncIterator[Weixin]:
    """The platform with room for a thousand messages in each window."""
    async for platform in _running(Limits(per_message=1_000)):
        yield platform


async def _running(limits: Limits | None) -> AsyncIterator[Weixin]:
    platform = Weixin()
    async with platform.server(limits) as server:
        platform.url = str(server.make_url("")).rstrip("/")
        yield platform


@pytest.fixture
def our_clock() -> ManualClock:
    """Our own clock; it shows what the platform's shows until a test moves one of them."""
    return ManualClock(Weixin().clock.now.astimezone(CITY_ZONE))


@pytest.fixture
async def make_gateway(
    redis: Redis, redis_url: str, seal: Seal, our_clock: ManualClock
) -> AsyncIterator[MakeGateway]:
    """Make processes of ours, each with connections of its own; `url=""` is one without Redis."""
    async with AsyncExitStack() as stack:

        async def make(url: str = redis_url) -> Gateway:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            own = await Redis.open(url, timeout_s=0.3) if url else None
            if own is not None:
                stack.push_async_callback(own.close)
            return Gateway(http, our_clock, own, seal)

        yield make


@pytest.fixture
async def gateway(make_gateway: MakeGateway) -> Gateway:
    return await make_gateway()
