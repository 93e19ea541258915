"""`schedule`: keeps the city's time: reminders, holds, new days, and what may be forgotten."""

from functools import partial

import structlog

from commands import days, parts, places
from commands.database import require_schema
from commands.gateway import Assemble
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.parts import alive, assembled, until_owner_gone
from commands.places import Places
from commands.recurring import keeping_time
from commands.surroundings import Surroundings
from core import log
from settings import Settings

_log = structlog.get_logger("schedule")


def schedule(settings: Settings, assemble: Assemble) -> int:
    """Do what recurs until asked to end. A second one stands by and takes over within seconds."""
    found = places.find(settings.stores)
    around = parts.surroundings(parts.beside(settings, found), found)
    log.configure()
    return Lifetime().run(_live(around, assemble, found))


async def _live(around: Surroundings, assemble: Assemble, found: Places) -> int:
    async with assembled(around, assemble) as gateway:
        await require_schema(gateway.db)
        opened = await days.open_new_days(gateway.db, around.clock)
        settle()
        async with (
            alive(gateway.db, parts.SCHEDULE),
            keeping_time(gateway, around.clock, partial(days.open_new_days, gateway.db, around.clock)),
        ):
            _log.info("ready", new_sessions=opened)
            await until_owner_gone(found)
    return 0
