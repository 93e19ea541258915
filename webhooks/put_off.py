"""Pages that wait for the stores: said on a page, and in one line of the log."""

from collections.abc import Callable

import structlog
from aiohttp import web

from core.errors import StoreGoneError
from webhooks.routes import Handler, Request

Later = Callable[[Request], web.Response]


def careful(handler: Handler, ready: Callable[[], bool], later: Later, log: str) -> Handler:
    """Answer with `later` while the stores are away, or not ready yet; `log` names whose page it was."""

    async def answered(request: Request) -> web.StreamResponse:
        if ready():
            try:
                return await handler(request)
            except StoreGoneError:
                structlog.get_logger(log).warning(f"{log}_put_off", path=request.path)
        return later(request)

    return answered
