"""`work`: sends what the city starts itself, lane by lane; any number of them, on any number of machines."""

import structlog

from commands import parts, places
from commands.database import require_schema
from commands.gateway import Assemble
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.parts import alive, assembled, until_owner_gone
from commands.places import Places
from commands.recurring import sending
from commands.surroundings import Surroundings
from core import log
from settings import Settings

_log = structlog.get_logger("work")


def work(settings: Settings, assemble: Assemble) -> int:
    """Send until asked to end; the requests that are under way then come to their end."""
    found = places.find(settings.stores)
    around = parts.surroundings(parts.beside(settings, found), found)
    log.configure()
    return Lifetime().run(_live(around, assemble, found))


async def _live(around: Surroundings, assemble: Assemble, found: Places) -> int:
    async with assembled(around, assemble) as gateway:
        await require_schema(gateway.db)
        settle()
        async with alive(gateway.db, parts.WORK), sending(gateway.reception.outgoing):
            _log.info("ready", accounts=",".join(around.settings.accounts))
            await until_owner_gone(found)
    return 0
