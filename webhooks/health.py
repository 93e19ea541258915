"""How the gateway is: alive, ready, and, on the operators' own port, the details and figures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from core.chat.desk import Waiting
from core.clock import Clock
from core.delivery.backlog import Backlog
from core.errors import BootError, StoreGoneError
from core.metrics import Metrics
from webhooks.pages import pages
from webhooks.routes import Request, Route

Probe = Callable[[], Awaitable[str]]  # answers with a store's name and version, or raises
DeskProbe = Callable[[], Awaitable[Waiting]]
BacklogProbe = Callable[[], Awaitable[Backlog]]
Told = TypeVar("Told")

_PROBE_S = 1.0
_FRESH_S = 1.0  # however often we are asked, the stores are asked once a second
_BAD = (StoreGoneError, BootError, TimeoutError)


class Step(msgspec.Struct, frozen=True):
    """Something that has to be in place before the door opens."""

    name: str
    done: bool
    detail: str = ""


class Store(msgspec.Struct, frozen=True):
    """One store as it answered just now; `detail` is its version, or what is wrong with it."""

    name: str
    ok: bool
    detail: str
    ms: float


class DeskState(msgspec.Struct, frozen=True):
    """What citizens left for the human desk and nobody has dealt with yet; `oldest_s`: how long it waits."""

    waiting: int
    oldest: datetime | None
    oldest_s: int


class LaneState(msgspec.Struct, frozen=True):
    """How many messages of a lane are in a state, and for how long the oldest of them."""

    lane: str
    state: str
    count: int
    oldest_s: int


class LateState(msgspec.Struct, frozen=True):
    """What has not reached citizens yet, and what of a day will not: `Backlog` with ages in seconds."""

    owed: int
    owed_s: int
    waiting: int
    waiting_s: int
    waiting_why: str
    held: int
    unknown: int
    failed: int
    failed_why: str
    jobs: int
    in_jobs: int
    lanes: tuple[LaneState, ...]


class Report(msgspec.Struct, frozen=True):
    """Everything `/readyz` on the operators' port tells; `desk`, `late` are None while nobody can say.

    `messages` counts every delivery, by kind; `unanswered` those that got no answer because of trouble here.
    """

    ready: bool
    since: datetime
    uptime_s: int
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]
    beside: tuple[Store, ...]  # other programs of ours; without them something is missing, not everything
    desk: DeskState | None
    late: LateState | None
    messages: dict[str, int]
    unanswered: int
    p50_ms: float | None
    p99_ms: float | None

    @property
    def failing(self) -> bool:
        """Whether a store is in trouble, rather than the start not over yet."""
        return not all(store.ok for store in self.stores)


class _Asked(msgspec.Struct, frozen=True):
    """What the stores answered, and what they hold for people to look at."""

    stores: tuple[Store, ...]
    beside: tuple[Store, ...] = ()
    desk: Waiting | None = None
    backlog: Backlog | None = None


class Health:
    """What is in place, how the stores are, what waits for staff and citizens, and the routes that say so."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        desk: DeskProbe,
        backlog: BacklogProbe,
        metrics: Metrics,
        clock: Clock,
        templates: Path,
    ) -> None:
        self._probes = probes
        self._desk = desk
        self._backlog = backlog
        self._metrics = metrics
        self._clock = clock
        self._since = clock.now()
        self._steps: dict[str, Step] = {}
        # Whether everything required is in place; says nothing about the stores' present state.
        self.ready = False
        self._asking: asyncio.Task[_Asked] | None = None
        self._asked_at = float("-inf")
        self._pages = pages(templates)
        self._links: Mapping[str, str] = {}
        self._beside: Mapping[str, Probe] = {}

    def require(self, *steps: str) -> None:
        """Name what has to be in place; the door stays shut until each is `done`."""
        self._steps.update({name: Step(name, done=False) for name in steps})
        self.ready = False

    def done(self, step: str, detail: str = "") -> None:
        """Say that a step is in place."""
        if step not in self._steps:
            raise KeyError(f"{step} was never required")
        self._steps[step] = Step(step, done=True, detail=detail)
        self.ready = all(each.done for each in self._steps.values())

    def link(self, links: Mapping[str, str]) -> None:
        """Show these addresses (name → URL) on the health page."""
        self._links = links

    def beside(self, probes: Mapping[str, Probe]) -> None:
        """Look at these programs too, without which the gateway is ready all the same."""
        self._beside = probes

    async def report(self) -> Report:
        """Look at everything."""
        asked = await self._asked()
        now = self._clock.now()
        return Report(
            ready=self.ready and all(store.ok for store in asked.stores),
            since=self._since,
            uptime_s=int((now - self._since).total_seconds()),
            steps=tuple(self._steps.values()),
            stores=asked.stores,
            beside=asked.beside,
            desk=None if asked.desk is None else _desk_state(asked.desk, now),
            late=None if asked.backlog is None else _late_state(asked.backlog, now),
            messages=self._metrics.by_kind(),
            unanswered=self._metrics.unanswered(),
            p50_ms=_ms(self._metrics.within(0.5)),
            p99_ms=_ms(self._metrics.within(0.99)),
        )

    def public_routes(self) -> list[Route]:
        """What a load balancer asks; it learns yes or no."""
        return [
            Route("GET", "/healthz", self._alive, "anyone"),
            Route("GET", "/readyz", self._is_ready, "anyone"),
        ]

    def admin_routes(self) -> list[Route]:
        """What operators ask, on a port of their own."""
        return [
            Route("GET", "/", self._page, "operator"),
            Route("GET", "/healthz", self._alive, "operator"),
            Route("GET", "/readyz", self._details, "operator"),
            Route("GET", "/metrics", self._figures, "operator"),
        ]

    async def _asked(self) -> _Asked:
        if self._asking is None or time.monotonic() - self._asked_at > _FRESH_S:
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._asking)

    async def _ask_all(self) -> _Asked:
        stores = asyncio.gather(*(_ask(name, probe) for name, probe in self._probes.items()))
        if not self.ready:  # the tables may not be there yet
            return _Asked(tuple(await stores))
        beside = asyncio.gather(*(_ask(name, probe) for name, probe in self._beside.items()))
        desk, backlog = await asyncio.gather(_if_told(self._desk), _if_told(self._backlog))
        return _Asked(tuple(await stores), tuple(await beside), desk, backlog)

    async def _alive(self, _request: Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _is_ready(self, _request: Request) -> web.Response:
        if (await self.report()).ready:
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not ready\n", headers={"Retry-After": "1"})

    async def _details(self, _request: Request) -> web.Response:
        return _json(await self.report())

    async def _page(self, request: Request) -> web.Response:
        report = await self.report()
        if "application/json" in request.headers.get("Accept", ""):
            return _json(report)
        page = self._pages.get_template("health.html").render(report=report, links=self._links)
        return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})

    async def _figures(self, _request: Request) -> web.Response:
        return web.Response(
            body=self._metrics.exposition() + _figures_of(await self.report()),
            headers={"Content-Type": self._metrics.content_type},
        )


async def _ask(name: str, probe: Probe) -> Store:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_PROBE_S):
            detail, ok = await probe(), True
    except _BAD as bad:
        detail, ok = str(bad) or f"{_PROBE_S:.0f} 秒内没有应答", False
    return Store(name, ok, detail, round((time.monotonic() - began) * 1000, 1))


async def _if_told(probe: Callable[[], Awaitable[Told]]) -> Told | None:
    """What a store tells; None if it does not, and then its own line says what is wrong."""
    try:
        async with asyncio.timeout(_PROBE_S):
            return await probe()
    except _BAD:
        return None


def _desk_state(waiting: Waiting, now: datetime) -> DeskState:
    oldest = waiting.oldest and waiting.oldest.astimezone(now.tzinfo)
    return DeskState(waiting.count, oldest, _age_s(waiting.oldest, now))


def _late_state(behind: Backlog, now: datetime) -> LateState:
    return LateState(
        owed=behind.owed,
        owed_s=_age_s(behind.owed_since, now),
        waiting=behind.waiting,
        waiting_s=_age_s(behind.waiting_since, now),
        waiting_why=behind.waiting_why,
        held=behind.held,
        unknown=behind.unknown,
        failed=behind.failed,
        failed_why=behind.failed_why,
        jobs=behind.jobs,
        in_jobs=behind.in_jobs,
        lanes=_lane_states(behind, now),
    )


def _lane_states(behind: Backlog, now: datetime) -> tuple[LaneState, ...]:
    """What is open, by lane and state, whatever it is held for."""
    found: dict[tuple[str, str], LaneState] = {}
    for each in behind.lanes:
        key = each.lane.name.lower(), each.state
        known = found.get(key, LaneState(*key, 0, 0))
        found[key] = LaneState(*key, known.count + each.count, max(known.oldest_s, _age_s(each.since, now)))
    return tuple(found.values())


def _age_s(since: datetime | None, now: datetime) -> int:
    return 0 if since is None else max(0, int((now - since).total_seconds()))


def _figures_of(report: Report) -> bytes:
    """Desk and late replies as Prometheus reads them: of the whole city, not of this process."""
    registry = CollectorRegistry()

    def tell(name: str, what: str, value: int) -> None:
        Gauge(name, what, registry=registry).set(value)

    if desk := report.desk:
        tell("bianmin_desk_waiting", "Messages citizens left that nobody closed yet", desk.waiting)
        tell("bianmin_desk_oldest_seconds", "How long the oldest of them waits", desk.oldest_s)
    if late := report.late:
        tell("bianmin_owed", "Messages of citizens that are owed an answer", late.owed)
        tell("bianmin_owed_oldest_seconds", "How long the oldest of them is owed", late.owed_s)
        tell("bianmin_late_waiting", "Messages of ours that are due or being sent", late.waiting)
        tell("bianmin_late_waiting_oldest_seconds", "How long the oldest of them waits", late.waiting_s)
        tell("bianmin_late_held", "Messages of ours held until their citizen writes again", late.held)
        tell("bianmin_late_unknown_day", "Those of a day that may not have arrived", late.unknown)
        tell("bianmin_late_failed_day", "Those of a day that did not arrive", late.failed)
        tell("bianmin_jobs_running", "Notices to many that are under way", late.jobs)
        _tell_lanes(registry, late.lanes)
    return generate_latest(registry)


def _tell_lanes(registry: CollectorRegistry, lanes: tuple[LaneState, ...]) -> None:
    labels = ("lane", "state")
    count = Gauge("bianmin_outbox", "Messages of ours that are not through yet", labels, registry=registry)
    oldest = Gauge(
        "bianmin_outbox_oldest_seconds", "How long the oldest of them is there", labels, registry=registry
    )
    for each in lanes:
        count.labels(each.lane, each.state).set(each.count)
        oldest.labels(each.lane, each.state).set(each.oldest_s)


def _json(report: Report) -> web.Response:
    return web.Response(
        status=200 if report.ready else 503,
        body=msgspec.json.encode(report),
        content_type="application/json",
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None or seconds == float("inf") else round(seconds * 1000, 1)
