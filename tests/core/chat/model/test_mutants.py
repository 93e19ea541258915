"""Every mistake in reception is noticed: the model can fail."""

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.model.mutants import MUTANTS, Mutant
from tests.core.chat.model.plays import PLAYS
from tests.core.chat.model.world import World

pytestmark = pytest.mark.timed


async def _played(world: World, play: str) -> list[str]:
    try:
        await world.populate()
        wrong = await PLAYS[play](world)
        return wrong + await world.judge(notices=["甲"])
    finally:
        await world.end()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
async def test_a_mistake_is_noticed(db: Database, redis: Redis, redis_url: str, mutant: Mutant) -> None:
    del redis  # empty now
    world = World(db, redis_url, patience=mutant.patience)
    world.mutate = mutant.apply
    assert await _played(world, mutant.play) != []


NEEDS_PATIENCE = [each for each in MUTANTS if each.patience > Mutant.patience]


@pytest.mark.parametrize("mutant", NEEDS_PATIENCE, ids=lambda mutant: mutant.play)
async def test_control_without_the_mistake_nothing_is(
    db: Database, redis: Redis, redis_url: str, mutant: Mutant
) -> None:
    """Red there is the mistake, not the waiting; test_model plays all of them without any mistake."""
    del redis
    assert await _played(World(db, redis_url, patience=mutant.patience), mutant.play) == []
