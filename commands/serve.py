"""`serve`: the gateway on stores of your own (or on those of a running `run`), for real accounts."""

import asyncio
import os
import socket
from collections.abc import MutableMapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import structlog

from commands import days, parts, places
from commands.database import require_schema
from commands.fleet import Fleet, Member
from commands.gateway import ADMIN_HOST, SCHEMA, Assemble, Gateway
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.parts import assembled, until_owner_gone
from commands.places import Places
from commands.recurring import recurring
from commands.surroundings import Surroundings
from core import log
from core.errors import BootError
from settings import Server, Settings, address, require_credentials
from webhooks.serving import listen, reserve, share

DRAIN_S = 6.0  # WeChat waits 5 s for an answer; who asked before the end still gets it
_LAST_PORT = 65_535
_log = structlog.get_logger("serve")
Sockets = tuple[socket.socket, socket.socket]  # for citizens, for operators


def serve(settings: Settings, assemble: Assemble, *, processes: int = 1, member: Member | None = None) -> int:
    """Answer WeChat until asked to end; what is under way is finished first."""
    require_credentials(settings)
    if processes > 1 and member is None:
        return _by_many(settings, processes)
    with ExitStack() as stack:
        server = settings.server
        take = share if member else listen
        admin_port = health_ports(server, processes)[member.number - 1] if member else server.admin_port
        public = stack.enter_context(take(server.host, server.port, "server.port"))
        admin = stack.enter_context(listen(ADMIN_HOST, admin_port, "server.admin_port"))
        found = places.find(settings.stores)
        around = parts.surroundings(settings, found)
        log.configure()
        if member is None:
            return Lifetime().run(_live(around, assemble, (public, admin), found))
        _name_in_log(member)
        lifetime = Lifetime(insists=member.orphaned)
        return lifetime.run(_live_as(member, around, assemble, (public, admin), processes))


async def _live(around: Surroundings, assemble: Assemble, sockets: Sockets, found: Places) -> int:
    async with assembled(around, assemble) as gateway:
        await gateway.serve(*sockets, drain_s=DRAIN_S)
        opened = await _prepare(gateway, around)
        _log.info(
            "ready",
            url=around.settings.server.url,
            accounts=",".join(around.settings.accounts),
            new_sessions=opened,
        )
        async with recurring(gateway, partial(days.open_new_days, gateway.db, around.clock)):
            await until_owner_gone(found)
    return 0


async def _live_as(
    member: Member, around: Surroundings, assemble: Assemble, sockets: Sockets, processes: int
) -> int:
    """Be one of several: let nobody in before all is in place, because the others are there to answer."""
    pages = health_pages(around.settings.server, processes)
    async with assembled(around, assemble) as gateway:
        gateway.health.link({f"进程 {number}": page for number, page in enumerate(pages, start=1)})
        opened = await _prepare(gateway, around)
        await gateway.serve(*sockets, drain_s=DRAIN_S)
        _log.info("process_ready", pid=os.getpid(), health=pages[member.number - 1], new_sessions=opened)
        member.ready()
        async with recurring(gateway, partial(days.open_new_days, gateway.db, around.clock)):
            await asyncio.Event().wait()
    return 0


def _by_many(settings: Settings, processes: int) -> int:
    """Take the ports, start the processes and keep them; who has them is told before anything is started."""
    server = settings.server
    ports = health_ports(server, processes)
    with ExitStack() as stack:
        stack.enter_context(reserve(server.host, server.port, "server.port"))
        with ExitStack() as free:
            for port in ports:
                free.enter_context(listen(ADMIN_HOST, port, "server.admin_port"))
        found = places.find(settings.stores)
        log.configure()
        fleet = Fleet(processes)
        told = {
            "url": server.url,
            "accounts": ",".join(settings.accounts),
            "health": ",".join(health_pages(server, processes)),
        }
        return Lifetime(at_once=fleet.kill).run(fleet.live(until_owner_gone(found), told))


def health_ports(server: Server, processes: int) -> range:
    """The port of each process's health page and figures: `admin_port` and those after it."""
    ports = range(server.admin_port, server.admin_port + processes)
    if server.port in ports:
        raise BootError(
            f"server.port {server.port} is one of {ports[0]} to {ports[-1]}, which the health pages of "
            f"{processes} processes take: change server.admin_port"
        )
    if ports[-1] > _LAST_PORT:
        raise BootError(f"server.admin_port: {processes} processes need as many ports from {ports[0]} on")
    return ports


def health_pages(server: Server, processes: int) -> list[str]:
    """The address of each process's health page."""
    return [f"{address(ADMIN_HOST, port)}/" for port in health_ports(server, processes)]


def _name_in_log(member: Member) -> None:
    """Let every line of ours say which process it comes from."""

    def numbered(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        line.setdefault("process", member.number)
        return line

    structlog.configure(processors=[numbered, *structlog.get_config()["processors"]])


async def _prepare(gateway: Gateway, around: Surroundings) -> int:
    """Look at the schema and open the days that are not open; how many sessions are new."""
    await require_schema(gateway.db)
    opened = await days.open_new_days(gateway.db, around.clock)
    gateway.health.done(SCHEMA, "已是最新")
    settle()
    return opened
