"""The parts a city's gateway can be taken apart into, and how each says that it lives."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import structlog

from commands import invented, places
from commands.database import require_schema
from commands.gateway import SCHEMA, Assemble, Gateway
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.places import Places
from commands.surroundings import Surroundings
from core import log
from core.clock import SystemClock
from core.errors import StoreGoneError
from core.schedule.leases import Leases
from core.stores import keys
from core.stores.database import Database
from settings import Settings, require_credentials

WORK = "work:"  # the lease of each process of `work`, and of `schedule`, begins so
SCHEDULE = "schedule:"
Doing = Callable[[Gateway, Surroundings], AbstractAsyncContextManager[None]]

_log = structlog.get_logger("parts")


def beside(settings: Settings, found: Places) -> Settings:
    """The settings of a part: beside a `run` those that `run` uses, else with everything WeChat knows."""
    if found.owner is not None:
        return invented.as_run(settings)
    require_credentials(settings)
    return settings


def surroundings(settings: Settings, found: Places) -> Surroundings:
    """What a part on given stores (or on those of a running `run`) works with."""
    return Surroundings(
        settings=settings,
        redis_url=found.redis_url,
        database_url=found.database_url,
        seal=keys.load(places.key_ring(settings.stores)),
        clock=SystemClock(),
    )


def stand_alone(settings: Settings, assemble: Assemble, part: str, doing: Doing) -> int:
    """Be one part until asked to end, or until the `run` that keeps the stores has ended."""
    found = places.find(settings.stores)
    around = surroundings(beside(settings, found), found)
    log.configure()
    return Lifetime().run(_standing(around, assemble, found, part, doing))


async def _standing(around: Surroundings, assemble: Assemble, found: Places, part: str, doing: Doing) -> int:
    async with assembled(around, assemble) as gateway:
        await require_schema(gateway.db)
        settle()
        async with alive(gateway.db, part), doing(gateway, around):
            _log.info("ready", part=part.rstrip(":"), accounts=",".join(around.settings.accounts))
            await until_owner_gone(found)
    return 0


@asynccontextmanager
async def assembled(around: Surroundings, assemble: Assemble) -> AsyncIterator[Gateway]:
    """The gateway put together, and given back at the end."""
    gateway = await assemble(around)
    try:
        gateway.health.require(SCHEMA)
        yield gateway
    finally:
        await gateway.close()


@asynccontextmanager
async def alive(db: Database, part: str) -> AsyncIterator[None]:
    """Say, as long as this lasts, that a process does this part; the others leave it to it."""
    leases = Leases(db)
    try:
        async with leases.holding(f"{part}{leases.holder}"):
            yield
    finally:
        await give_back(leases)


async def give_back(leases: Leases) -> None:
    """Let others have what this process held; with the store gone it lapses by itself."""
    with suppress(StoreGoneError):
        await leases.release()


async def until_owner_gone(found: Places) -> None:
    """Stay as long as whoever keeps the stores; for ever, if they are nobody's."""
    if found.owner is None:
        await asyncio.Event().wait()
    else:
        await found.owner.owner_gone()
        _log.info("ending", why="the `make run` that keeps the stores has ended")
