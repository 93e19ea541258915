"""Every rule of the door is kept, and whoever breaks one is noticed: a talk for each, with its mistake."""

import pytest

from core.stores.redis import Redis
from tests.webhooks.house import House, Mutant
from tests.webhooks.mutants_events import IDS, UNDERSTANDING
from tests.webhooks.mutants_reading import ANSWERING, BINDING, READING
from tests.webhooks.mutants_signing import FRESH, KEYS, MODES_AND_SIGNATURES

MUTANTS = MODES_AND_SIGNATURES + KEYS + FRESH + BINDING + READING + UNDERSTANDING + IDS + ANSWERING


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
async def test_a_rule_is_kept_and_its_mistake_is_noticed(redis: Redis, mutant: Mutant) -> None:
    async with House(None, redis).opened() as house:
        assert await mutant.talk(house) == mutant.right
    await redis.client.flushall()
    async with House(mutant.edit, redis).opened() as house:
        assert await mutant.talk(house) == mutant.wrong
    assert mutant.right != mutant.wrong
