"""The table of HTTP doors: every route says who may call it, and there is no way in past the table."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

Caller = Literal["anyone", "wechat", "citizen", "staff", "institution", "device", "operator"]
Request = web.BaseRequest  # what a door gets: aiohttp's request without an application around it
Handler = Callable[[Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, what answers it, and who may call it; the handler does the checking."""

    method: str
    path: str
    handler: Handler
    who: Caller


class Doors:
    """The routes of one port, and the one handler behind which they stand.

    aiohttp's own application would answer HEAD where nobody declared it, and finding a route in it costs a
    sixth of what it needs for a request: each of our paths is known by heart.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._paths: dict[str, dict[str, Route]] = {}
        for route in routes:
            methods = self._paths.setdefault(route.path, {})
            if route.method in methods:
                door = f"{route.method} {route.path}"
                raise ValueError(f"{door} is declared twice: remove one of the two routes")
            methods[route.method] = route

    @property
    def callers(self) -> dict[str, Caller]:
        """List who may call what: `{"GET /healthz": "anyone", …}`."""
        return {
            f"{method} {path}": route.who
            for path, methods in self._paths.items()
            for method, route in methods.items()
        }

    async def answer(self, request: Request) -> web.StreamResponse:
        """Hand a request to its route; 404 where there is no such path, 405 for another method."""
        methods = self._paths.get(request.raw_path.partition("?")[0]) or self._paths.get(request.path)
        if methods is None:
            return web.Response(status=404)
        route = methods.get(request.method)
        if route is None:
            return web.Response(status=405, headers={"Allow": ", ".join(sorted(methods))})
        if "Expect" in request.headers:
            await _go_ahead(request)
        return await route.handler(request)


async def _go_ahead(request: Request) -> None:
    """Tell who asks before sending a body, as curl does with a long one, to send it."""
    if request.headers["Expect"].lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # that was not yet the answer
