"""Sockets and the applications behind them: opened before anything is started, drained before it stops."""

import errno
import socket

from aiohttp import web

from core.errors import BootError
from webhooks.access import quiet_server_logger
from webhooks.routes import Doors

_BACKLOG = 1024
App = web.Application | Doors


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Take a port now, so that a taken one is known before anything else is started."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as unknown:
        raise BootError(
            f"{setting}: {host!r} is no address of this machine ({unknown.strerror})"
        ) from unknown
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setblocking(False)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as refused:
        opened.close()
        if refused.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} on {host} is in use: end the program that uses it, or change {setting}"
            ) from refused
        raise BootError(f"{setting}: cannot listen on {host}, port {port}: {refused.strerror}") from refused
    return opened


class PortTakenError(BootError):
    """Another program listens there already."""


async def serve(app: App, opened: socket.socket, *, drain_s: float) -> web.BaseRunner:
    """Answer on a socket; `cleanup()` closes it and lets requests under way finish within `drain_s`."""
    quiet_server_logger()
    runner: web.BaseRunner
    if isinstance(app, Doors):
        server = web.Server(app.answer, access_log=None)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=drain_s)
    else:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=drain_s)
    await runner.setup()
    await web.SockSite(runner, opened, backlog=_BACKLOG).start()
    return runner
