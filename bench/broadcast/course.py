"""One notice on its way to everybody, watched: rows, memory, citizens who write, and what is urgent."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.request import urlopen

from bench import command
from bench.broadcast.city import City
from bench.webhook.answers import push
from bench.webhook.corpus import Writer
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan, openid
from bench.webhook.processes import Program
from commands import parts
from core.schedule.leases import Leases
from core.stores.database import Database

_START_S = 120.0
_LOOK_S = 0.5
_TELL_S = 10.0
_ASK_S = 0.1  # ten citizens a second write while the notice goes out
_ALARM_S = 2.0
_SAMPLED = 200
_OK = 200


@dataclass(slots=True)
class Course:
    """What was seen: µs of processor time are per message, times in ms, memory in MB every half second."""

    rate: float = 0.0
    worker_us: float = 0.0
    gateway_us: float = 0.0
    platform_us: float = 0.0
    resident: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    urgent: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """How much memory the second half of the time took."""
        return self.resident[-1] - self.resident[len(self.resident) // 2]


async def run(
    plan: Plan, db: Database, city: City, writer: Writer, programs: tuple[Program, Program, Program]
) -> Course:
    """Make the notice, and watch until everybody has it and WeChat has said so."""
    platform, gateway, worker = programs
    for program in (platform, gateway):
        await _until(lambda program=program: _answers(program), f"{program.name} answers")  # type: ignore[misc]
    await _until(lambda: _works(db), "the worker works")
    course, before = Course(), [program.cpu_seconds for program in programs]
    job = await city.announce()
    asking = asyncio.create_task(_ask(plan, gateway, writer, course))
    warning = asyncio.create_task(_warn(city))
    try:
        await _watch(db, job, worker, course)
    finally:
        asking.cancel()
        warning.cancel()
        await asyncio.gather(asking, warning, return_exceptions=True)
    spent = [after.cpu_seconds - was for after, was in zip(programs, before, strict=True)]
    course.platform_us, course.gateway_us, course.worker_us = (each / plan.followers * 1e6 for each in spent)
    await _count(plan, db, job, course)
    await asyncio.to_thread(_look_at_phones, plan)
    return course


async def _watch(db: Database, job: int, worker: Program, course: Course) -> None:
    """Stay until the job is done; how far it is is told now and then."""
    told = time.monotonic()
    while await db.fetchval("SELECT state FROM jobs WHERE id = $1", job) != "done":
        course.resident.append(worker.resident_mb)
        if time.monotonic() - told > _TELL_S:
            told = time.monotonic()
            left = await db.fetchval(
                "SELECT count(*) FROM outbox WHERE job = $1 AND settled_at IS NOT NULL", job
            )
            command.tell(f"on its way {left:,} settled, worker at {course.resident[-1]:.0f} MB")
        await asyncio.sleep(_LOOK_S)


async def _ask(plan: Plan, gateway: Program, writer: Writer, course: Course) -> None:
    """Citizens write, one after the other, and each is answered."""
    user = 0
    while True:
        user += 1
        began = time.perf_counter()
        status, body = await asyncio.to_thread(push, plan, gateway.port, writer.next(user))
        if status != _OK or not body:
            raise LoadFailedError(f"the gateway answered {status} and {len(body)} bytes")
        course.answers.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(_ASK_S)


async def _warn(city: City) -> None:
    number = 0
    while True:
        await city.alarm(number)
        number += 1
        await asyncio.sleep(_ALARM_S)


async def _count(plan: Plan, db: Database, job: int, course: Course) -> None:
    """Read off the rows how fast it went; every single one has to have left."""
    row = await db.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state IN ('accepted', 'delivered')) AS sent, count(*) AS rows,
               extract(epoch FROM max(first_at) - min(first_at))::float8 AS took
        FROM outbox WHERE job = $1
        """,
        job,
    )
    if row is None or not row["sent"] == row["rows"] == plan.followers:
        raise LoadFailedError(f"of {plan.followers} messages these were sent: {row}")
    course.rate = row["sent"] / row["took"]
    alarms = await db.fetch(
        """
        SELECT extract(epoch FROM coalesce(first_at, now()) - made_at)::float8 * 1000 AS ms
        FROM outbox WHERE lane = 1 AND kind = 'bench_alarm'
        """
    )
    course.urgent = [alarm["ms"] for alarm in alarms]


def _look_at_phones(plan: Plan) -> None:
    """Some citizens' phones show the notice once."""
    for number in range(0, plan.followers, plan.followers // _SAMPLED):
        address = (
            f"http://127.0.0.1:{plan.platform_port}/sim/inbox?account={plan.account}&openid={openid(number)}"
        )
        with urlopen(address, timeout=10) as answer:
            shown = [each for each in json.load(answer) if "社区通知" in json.dumps(each, ensure_ascii=False)]
        if len(shown) != 1:
            raise LoadFailedError(f"phone {number} shows the notice {len(shown)} times")


async def _answers(program: Program) -> bool:
    try:
        address = f"http://127.0.0.1:{program.port}/" + ("readyz" if program.name == "gateway" else "phone")
        with await asyncio.to_thread(urlopen, address, None, 5) as answer:
            return bool(answer.status == _OK)
    except OSError:
        return False


async def _works(db: Database) -> bool:
    return await Leases(db).any_held(parts.WORK)


async def _until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + _START_S
    while not await condition():
        if time.monotonic() > deadline:
            raise LoadFailedError(f"not within {_START_S:.0f} s: {what}")
        await asyncio.sleep(_LOOK_S)
