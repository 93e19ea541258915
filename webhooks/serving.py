"""Sockets and the applications behind them: opened before anything is started, drained before it stops."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from core.errors import BootError
from webhooks.access import quiet_server_logger
from webhooks.routes import Doors

_BACKLOG = 1024
App = web.Application | Doors


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Take a port now, so that a taken one is known before anything else is started."""
    with _taking(host, port, setting) as (opened, address):
        opened.bind(address)
        opened.listen(_BACKLOG)
    return opened


def reserve(host: str, port: int, setting: str) -> socket.socket:
    """Keep a port for processes of ours that will `share` it; nobody is let in by this socket itself."""
    with _taking(host, port, setting) as (opened, address):
        # Shared only once it is ours: else we would join another program that shares this port, unnoticed.
        opened.bind(address)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Otherwise who binds as `listen` does could have the port while none of ours listens.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return opened


def share(host: str, port: int, setting: str) -> socket.socket:
    """Take part in a port that is reserved for us; the system sends nobody here before `serve`."""
    with _taking(host, port, setting) as (opened, address):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(address)
    return opened


@contextmanager
def _taking(host: str, port: int, setting: str) -> Iterator[tuple[socket.socket, Any]]:
    """Open a socket for an address, and say in one line why it cannot be had."""
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
        yield opened, address
    except OSError as refused:
        opened.close()
        if refused.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"port {port} on {host} is in use: end the program that uses it, or change {setting}"
            ) from refused
        raise BootError(f"{setting}: cannot listen on {host}, port {port}: {refused.strerror}") from refused


class PortTakenError(BootError):
    """Another program listens there already."""


class _Quiet(web.RequestHandler):
    """One connection; what could not be read of a request is not said back, as aiohttp would."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer with the status alone: a query may have somebody's number in it."""
        del message
        return super().handle_error(request, status, exc, "")


class _Server(web.Server):
    """Makes a `_Quiet` of every connection."""

    def __call__(self) -> web.RequestHandler:
        """Take a connection."""
        return _Quiet(self, loop=self._loop, **self._kwargs)


async def serve(app: App, opened: socket.socket, *, drain_s: float) -> web.BaseRunner:
    """Answer on a socket; `cleanup()` closes it and lets requests under way finish within `drain_s`."""
    quiet_server_logger()
    runner: web.BaseRunner
    if isinstance(app, Doors):
        # Who hangs up is told to the door: whoever waits for an answer then has to be reached another way.
        # Nobody who talks to a door compresses: unpacking a stranger's 64 KB would take a sixth of a second.
        server = _Server(app.answer, access_log=None, handler_cancellation=True, auto_decompress=False)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=drain_s)
    else:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=drain_s)
    await runner.setup()
    await web.SockSite(runner, opened, backlog=_BACKLOG).start()
    return runner
