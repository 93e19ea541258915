"""Every mistake in reception is noticed: the model can fail."""

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.model.mutants import MUTANTS, Mutant
from tests.core.chat.model.plays import PLAYS
from tests.core.chat.model.world import World


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
async def test_a_mistake_is_noticed(db: Database, redis: Redis, redis_url: str, mutant: Mutant) -> None:
    del redis  # empty now
    world = World(db, redis_url, patience=1.5)
    world.mutate = mutant.apply
    try:
        await world.populate()
        wrong = await PLAYS[mutant.play](world)
        wrong += await world.judge(notices=["甲"])
        assert wrong != []
    finally:
        await world.end()
