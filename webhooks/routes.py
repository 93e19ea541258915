"""The table of HTTP doors: every route says who may call it, and none gets in without saying so."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

Caller = Literal["anyone", "wechat", "citizen", "staff", "institution", "operator"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, what answers it, and who may call it; the handler does the checking."""

    method: str
    path: str
    handler: Handler
    who: Caller


_DECLARED = web.AppKey("declared_routes", dict[web.AbstractRoute, Caller])


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    """Open these doors, and no other: aiohttp's own `add_get` would also answer HEAD, which nobody declared.

    A second route for the same method and path is a `ValueError`: the first would hide it for ever.
    """
    declared = app.setdefault(_DECLARED, {})
    taken = {_name(route) for route in declared}
    for route in routes:
        name = f"{route.method} {route.path}"
        if name in taken:
            raise ValueError(f"{name} is declared twice: remove one of the two routes")
        taken.add(name)
        declared[app.router.add_route(route.method, route.path, route.handler)] = route.who


def callers(app: web.Application) -> dict[str, Caller]:
    """List who may call what: `{"GET /healthz": "anyone", …}`."""
    return {_name(route): who for route, who in app.get(_DECLARED, {}).items()}


def assert_all_declared(app: web.Application) -> None:
    """Refuse an application with a route, also an automatic HEAD, that came in past `add_routes`."""
    declared = app.get(_DECLARED, {})
    strays = sorted(_name(route) for route in app.router.routes() if route not in declared)
    if strays:
        raise ValueError(f"nobody said who may call {', '.join(strays)}: add them with webhooks.routes")


def _name(route: web.AbstractRoute) -> str:
    return f"{route.method} {route.resource.canonical if route.resource else '?'}"
