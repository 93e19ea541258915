"""The broadcast bench runs, and whatever goes wrong beside its notice ends it and is named."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench import command
from bench.broadcast import course
from bench.broadcast.__main__ import measured
from bench.broadcast.city import City
from bench.broadcast.course import Course
from bench.broadcast.phones import look_at_phones
from bench.webhook.corpus import Writer
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from bench.webhook.processes import Program
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.program import free_port
from tests.support.stores import Servers

FOLLOWERS = 40


def port_pair() -> int:
    """A port, and after it one for operators."""
    port = free_port()
    return port if free_port() == port + 1 else port_pair()


@pytest.fixture
def plan(embedded_servers: Servers, redis: Redis, db_url: str, tmp_path: Path) -> Plan:
    return Plan(
        embedded_servers.redis_url,
        db_url,
        str(tmp_path),
        platform_port=port_pair(),
        gateway_port=port_pair(),
        followers=FOLLOWERS,
    )


@pytest.fixture
def writer(plan: Plan) -> Iterator[Writer]:
    with ThreadPoolExecutor(1) as pool:
        yield Writer(plan, pool)


@pytest.fixture
async def city(plan: Plan, db: Database) -> City:
    """Forty followers, a notice to them under way, and an urgent one."""
    city = City(plan, db)
    await city.settle()
    await city.announce()
    await city.alarm()
    return city


async def test_a_notice_to_forty_is_measured_from_end_to_end(
    plan: Plan, writer: Writer, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "_ALARM_S", 0.2)
    found = {figure.name: figure.spread.median for figure in await measured(plan, writer)}
    assert found["rate"] > 0
    assert found["webhook_p99_ms"] >= found["webhook_p50_ms"] > 0
    assert found["urgent_most_ms"] >= found["urgent_p50_ms"] > 0
    assert found["worker_mb"] > 10
    sent = await db.fetchval(
        "SELECT count(*) FROM outbox WHERE lane = 3 AND state IN ('accepted', 'delivered')"
    )
    assert sent == FOLLOWERS


# --- what goes wrong beside the notice ---


class Says(BaseHTTPRequestHandler):
    """Answers everything with `status` and `body`."""

    status, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(plan: Plan) -> Iterator[type[Says]]:
    """Somebody in place of gateway and simulator."""
    door = type("Door", (Says,), {})
    listening = ThreadingHTTPServer(("127.0.0.1", plan.platform_port), door)
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    yield door
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(500, b"oh", "answered 500"), (200, b"", "and 0 bytes"), (200, b"success", "cannot be read")],
)
async def test_a_citizen_who_is_answered_wrongly_ends_it(
    plan: Plan, writer: Writer, server: type[Says], status: int, body: bytes, said: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(LoadFailedError, match=said):
        await course.ask(plan, plan.platform_port, writer, Course(), asyncio.Event())


async def test_a_citizen_who_is_not_answered_ends_it(plan: Plan, writer: Writer) -> None:
    with pytest.raises(LoadFailedError, match="did not answer: ConnectionRefusedError"):
        await course.ask(plan, plan.platform_port, writer, Course(), asyncio.Event())


@pytest.mark.parametrize("state", ["failed", "unknown", "expired"])
async def test_an_urgent_message_that_does_not_arrive_ends_it(db: Database, city: City, state: str) -> None:
    await db.execute(
        "UPDATE outbox SET state = $1, reason = 'no window', settled_at = now() WHERE lane = 1", state
    )
    with pytest.raises(LoadFailedError, match=f"is {state}: no window"):
        await course.urgent(db)


async def test_control_one_that_arrived_is_measured(db: Database, city: City) -> None:
    await db.execute(
        "UPDATE outbox SET state = 'accepted', first_at = now(), settled_at = now() WHERE lane = 1"
    )
    assert len(await course.urgent(db)) == 1


def card(shown: tuple[str, ...]) -> dict[str, object]:
    """As the simulator lists it."""
    title, *values = shown
    return {"kind": "template", "title": title, "fields": [{"key": "", "value": value} for value in values]}


async def test_phones_that_show_what_was_sent_are_well(plan: Plan, city: City, server: type[Says]) -> None:
    city.alarms = FOLLOWERS  # whoever is asked shows both
    server.body = json.dumps([card(city.notice), card(city.urgent)]).encode()
    await asyncio.to_thread(look_at_phones, plan, city)


@pytest.mark.parametrize(
    ("cards", "said"),
    [
        (lambda city: [card(city.notice)], "instead of 1 × .*, 1 × 紧急通知"),
        (lambda city: [card(city.urgent)], "phone 0 shows 1 × 紧急通知"),
        (lambda city: [card(city.notice), card(city.urgent), card(city.urgent)], "2 × 紧急通知"),
        (lambda city: [card(city.notice), card(city.notice), card(city.urgent)], "2 × 社区通知"),
        (lambda city: [card((*city.notice[:1], "停电", city.notice[2])), card(city.urgent)], "社区通知 停电"),
        (lambda city: [card(city.notice), card(city.urgent), {"content": "系统繁忙"}], "1 × 系统繁忙"),
        (lambda _: [], "shows nothing instead"),
    ],
)
async def test_a_phone_that_shows_a_wrong_thing_ends_it(
    plan: Plan, city: City, server: type[Says], cards: object, said: str
) -> None:
    assert callable(cards)
    server.body = json.dumps(cards(city)).encode()
    with pytest.raises(LoadFailedError, match=said):
        await asyncio.to_thread(look_at_phones, plan, city)


async def test_a_task_that_dies_ends_the_others_and_is_told() -> None:
    ended = asyncio.Event()

    async def goes_on() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def dies() -> None:
        raise LoadFailedError("it died")

    with pytest.raises(LoadFailedError, match="it died"):
        await course.together(goes_on(), dies())
    assert ended.is_set()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """One that says something and ends."""
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", "raise SystemExit('no memory')"], stderr=log)
    process.wait()
    return Program("worker", 0, process, tmp_path)


async def test_a_program_that_dies_ends_it(program: Program) -> None:
    with pytest.raises(LoadFailedError, match="worker ended with 1: no memory"):
        await course.stay([program], asyncio.Event())


@pytest.mark.parametrize(
    "line", ["at=x level=error event=outbox_failed", "Traceback (most recent call last):"]
)
def test_a_program_that_mended_a_failure_has_failed(program: Program, tmp_path: Path, line: str) -> None:
    course.complain([program])
    (tmp_path / "worker.log").write_text(f"at=x level=info event=sent\n{line}\n", "utf-8")
    with pytest.raises(LoadFailedError, match="worker complains: "):
        course.complain([program])


async def test_a_notice_that_gets_no_further_ends_it(
    city: City, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(course, "_STALLED_S", 0.1)
    with pytest.raises(LoadFailedError, match="0 are settled, and for"):
        await course.watch(db, 1, Idle(), Course(), asyncio.Event())  # type: ignore[arg-type]


class Idle:
    """A worker that does nothing."""

    resident_mb = 50.0


def test_a_failure_is_exit_code_1_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fails(*_: object) -> list[object]:
        raise LoadFailedError("phone 7 shows nothing")

    assert command.run("broadcast", "", fails, ["--quick"]) == 1  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert said.err.splitlines()[-1] == "bench: phone 7 shows nothing"
    assert said.out == ""
