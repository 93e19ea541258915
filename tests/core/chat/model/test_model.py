"""Every play keeps the laws of reception."""

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.model.plays import PLAYS
from tests.core.chat.model.world import World

pytestmark = pytest.mark.timed
# In these a process dies at the last attempt, or WeChat gives up on purpose.
NOTICED = {
    "everybody_dies_at_the_last_deadline",
    "killed_and_nobody_comes_back",
    "passed_though_it_is_owed",
    "the_retry_never_comes",
}


@pytest.mark.parametrize("name", PLAYS)
async def test_a_play_keeps_the_laws(db: Database, redis: Redis, redis_url: str, name: str) -> None:
    del redis  # empty now
    world = World(db, redis_url)
    try:
        await world.populate()
        wrong = await PLAYS[name](world)
        assert wrong + await world.judge(notices=["甲"] if name in NOTICED else []) == []
    finally:
        await world.end()
