"""Whatever happens to processes, connections and stores, in whatever order: the laws of reception hold.

Time is real here, so that nothing can be replayed step by step; what happened to a message is told instead.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.chat.model.mutants import MUTANTS
from tests.core.chat.model.world import Message, World
from tests.support.breakable import Breakable, BreakableRedis, breakable_stores
from tests.support.stores import scratch_folder

pytestmark = pytest.mark.timed
Story = Coroutine[Any, Any, None]
CITIZENS = 24
PROCESSES = 3
ATTEMPTS = ((0, 1, 2), (1, 2, 0), (2, 0, 1), (None, 1, 2), (0, None, 2), (1, 2, None), (0, None, None))
TAKES = (0.0, 0.0, 0.1, 0.5, 2.0, 4.4, 5.5, 9.0, 13.0, 20.0)
LATE_BY = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 1.0, 1.0), (0.3, 0.0, 2.0))
TROUBLES = ("kill", "kill", "freeze", "no database", "no platform")


def a_message(chance: random.Random, name: str) -> Message:
    again = ((chance.choice((0.2, 3.0, 5.1)), chance.randrange(PROCESSES)),) if chance.random() < 0.2 else ()
    return Message(
        name,
        attempts=chance.choice(ATTEMPTS),
        takes=chance.choice(TAKES),
        fails=chance.random() < 0.1,
        again=again,
        late_by=chance.choice(LATE_BY),
    )


async def citizen(world: World, chance: random.Random, name: str) -> None:
    """Write one message after another, without waiting for replies."""
    said = []
    for number in range(chance.randint(1, 4)):
        await world.pause(chance.choice((0.3, 1.0, 6.0, 12.0)))
        said.append(asyncio.create_task(world.says(name, a_message(chance, f"{name}之{number}"))))
    await asyncio.gather(*said)


async def trouble(world: World, chance: random.Random) -> None:
    """Let one thing go wrong; a killed process is followed by a new one, a store comes back."""
    await world.pause(chance.uniform(0.5, 25.0))
    index = chance.randrange(PROCESSES)
    process, what = world.processes[index], chance.choice(TROUBLES)
    world.excuse()
    world.tell(f"{what}: process {index}")
    if what == "kill" and not process.mortal.dead:
        world.kill(index)
        await world.replace(index)
    elif what == "freeze":
        process.freeze()
    elif what == "no database":
        process.mortal.gone.add("PostgreSQL")
        await world.pause(3.0)
        process.mortal.gone.clear()
        world.excuse()
    elif what == "no platform":
        world.platform_gone = True
        await world.pause(5.0)
        world.platform_gone = False


async def wiping(world: World) -> None:
    await world.pause(9.0)
    world.wiped = True
    world.excuse()
    world.tell("wipe")
    await world.processes[0].redis.client.flushall()


async def restarts(world: World, store: Breakable, name: str) -> None:
    """Take a store away twice, as a host that is updated does, and bring it back with what it knew."""
    for pause in (8.0, 9.0):
        await world.pause(pause)
        world.tell(f"{name} is killed")
        store.kill()
        await world.pause(3.0)
        store.start()
        world.tell(f"{name} is back")


async def power_cut(world: World, store: BreakableRedis) -> None:
    """End Redis, and let it forget the last second: one between two attempts of some messages."""
    await world.pause(9.0)
    written = store.written()
    await world.pause(1.0)
    world.wiped = True
    world.excuse()
    world.tell("Redis is killed")
    store.kill()
    assert store.written() > written, "nothing is forgotten"
    store.forget(written)
    await world.pause(1.0)
    store.start()
    world.tell("Redis is back, and has forgotten its last second")


async def lived(world: World, seed: int, *, wiped: bool = False, more: Sequence[Story] = ()) -> list[str]:
    """Let everybody talk while everything goes wrong, and judge."""
    world.stormy = True
    chance = random.Random(seed)
    chances = [random.Random(chance.random()) for _ in range(CITIZENS + 6)]
    try:
        await world.populate(PROCESSES)
        await asyncio.gather(
            *(citizen(world, each, f"民{number}") for number, each in enumerate(chances[:CITIZENS])),
            *(trouble(world, each) for each in chances[CITIZENS:]),
            *([wiping(world)] if wiped else []),
            *more,
        )
        # WeChat's own notice is an explanation here: most messages lose an attempt.
        broken = await world.judge(notices=[each.message.name for each in world.tales.values()])
        return broken and [*broken, "", *world.told]
    finally:
        await world.end()


@pytest.mark.parametrize("seed", range(4))
async def test_the_laws_hold_whatever_happens(db: Database, redis: Redis, redis_url: str, seed: int) -> None:
    del redis  # empty now
    assert "\n".join(await lived(World(db, redis_url), seed, wiped=seed % 3 == 2)) == ""


@pytest.mark.parametrize("seed", [50, 51])
async def test_the_laws_hold_while_stores_restart(tmp_path: Path, seed: int) -> None:
    with scratch_folder(tmp_path / "stores") as data, breakable_stores(data) as (redis, postgres):
        db = await Database.open(postgres.url)
        try:
            world = World(db, redis.url)
            more = [restarts(world, redis, "Redis"), restarts(world, postgres, "PostgreSQL")]
            assert "\n".join(await lived(world, seed, more=more)) == ""
        finally:
            await db.close()


async def one_last_second_lost(folder: Path, seed: int) -> list[str]:
    with scratch_folder(folder) as data, breakable_stores(data) as (redis, postgres):
        db = await Database.open(postgres.url)
        try:
            world = World(db, redis.url)
            return await lived(world, seed, more=[power_cut(world, redis)])
        finally:
            await db.close()


async def test_no_effect_happens_twice_when_redis_forgets_a_second(tmp_path: Path) -> None:
    assert "\n".join(await one_last_second_lost(tmp_path / "stores", 60)) == ""


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(61, 81))
async def test_not_for_a_long_time_either(tmp_path: Path, seed: int) -> None:
    assert "\n".join(await one_last_second_lost(tmp_path / "stores", seed)) == ""


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
async def test_the_laws_hold_for_a_long_time(db: Database, redis: Redis, redis_url: str, seed: int) -> None:
    del redis  # empty now
    assert "\n".join(await lived(World(db, redis_url), seed, wiped=seed % 3 == 2)) == ""


async def test_control_without_an_order_they_do_not_hold(db: Database, redis: Redis, redis_url: str) -> None:
    """The same lives, where a message runs whoever is before it."""
    del redis
    world = World(db, redis_url, patience=1.0)
    world.mutate = next(mutant.apply for mutant in MUTANTS if mutant.rule == "arrival order")
    assert await lived(world, 0, wiped=False) != []
