"""`serve`: the gateway on stores of your own (or on those of a running `run`), for real accounts."""

import asyncio
import socket
from contextlib import AsyncExitStack, ExitStack

import structlog

from commands import days, places
from commands.database import require_schema
from commands.gateway import ADMIN_HOST, SCHEMA, Assemble, Surroundings
from commands.jobs import Jobs, expire_holds, purge_effects
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.places import Places
from core import log
from core.clock import SystemClock
from core.stores import keys
from settings import Settings, require_credentials
from webhooks.serving import listen

DRAIN_S = 6.0  # WeChat waits 5 s for an answer; who asked before the end still gets it
_log = structlog.get_logger("serve")


def serve(settings: Settings, assemble: Assemble) -> int:
    """Answer WeChat until asked to end; what is under way is finished first."""
    require_credentials(settings)
    with ExitStack() as stack:
        server = settings.server
        public = stack.enter_context(listen(server.host, server.port, "server.port"))
        admin = stack.enter_context(listen(ADMIN_HOST, server.admin_port, "server.admin_port"))
        found = places.find(settings.stores)
        around = Surroundings(
            settings=settings,
            redis_url=found.redis_url,
            database_url=found.database_url,
            seal=keys.load(places.key_ring(settings.stores)),
            clock=SystemClock(),
        )
        log.configure()
        return Lifetime().run(_live(around, assemble, (public, admin), found))


async def _live(
    around: Surroundings, assemble: Assemble, sockets: tuple[socket.socket, socket.socket], found: Places
) -> int:
    async with AsyncExitStack() as stack:
        gateway = await assemble(around)
        stack.push_async_callback(gateway.close)
        gateway.health.require(SCHEMA)
        await gateway.serve(*sockets, drain_s=DRAIN_S)
        await require_schema(gateway.db)
        opened = await days.open_new_days(gateway.db, around.clock)
        gateway.health.done(SCHEMA, "已是最新")
        settle()
        _log.info(
            "ready",
            url=around.settings.server.url,
            accounts=",".join(around.settings.accounts),
            new_sessions=opened,
        )
        jobs = Jobs()
        days.keep_open(jobs, lambda: days.open_new_days(gateway.db, around.clock))
        expire_holds(jobs, gateway.hospital)
        purge_effects(jobs, gateway.db, around.clock)
        jobs.start()
        stack.callback(jobs.stop)
        if found.owner is None:
            await asyncio.Event().wait()
        else:
            await found.owner.owner_gone()
            _log.info("ending", why="the `make run` that keeps the stores has ended")
    return 0
