"""Towns to test in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from simulator.wechat import Rules
from simulator.windows import Limits
from tests.simulator.town import MovableClock, Town, start_bot, start_town

MakeTown = Callable[..., Awaitable[Town]]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def make_town(clock: MovableClock) -> AsyncIterator[MakeTown]:
    """Builds towns; `retry_s` is long unless waiting is the matter, so a slow machine changes nothing."""
    towns: list[Town] = []

    async def make(
        mode: str = "safe",
        *,
        retry_s: float = 20.0,
        store: Path | None = None,
        limits: Limits | None = None,
        rules: Rules | None = None,
    ) -> Town:
        bot = await start_bot(mode)
        town = await start_town(bot, clock, retry_s=retry_s, store=store, limits=limits, rules=rules)
        towns.append(town)
        return town

    yield make
    for town in towns:
        await town.client.close()
        await town.bot.server.close()


@pytest.fixture
async def town(make_town: MakeTown) -> Town:
    """The usual town: one account in safe mode."""
    return await make_town()
