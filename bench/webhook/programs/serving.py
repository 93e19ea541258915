"""How each program under test is served: one process on the port it is given, ending with its starter."""

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import uvloop
from aiohttp import web

from bench.webhook.plan import Plan, read

Build = Callable[[Plan], Awaitable[web.Application]]


def arguments() -> tuple[Plan, int]:
    """Read the plan and the port named on the command line."""
    return read(sys.argv[1]), int(sys.argv[2])


def serve(build: Build) -> None:
    """Answer on uvloop until told to end."""
    plan, port = arguments()
    end_with_starter()
    loop = uvloop.new_event_loop()
    app = loop.run_until_complete(build(plan))
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop)


def end_with_starter() -> None:
    """Ask ourselves to end when standard input does: a bench that was killed leaves nobody behind."""

    def watch() -> None:
        sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
