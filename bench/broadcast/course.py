"""One notice on its way to everybody, watched: rows, memory, citizens who write, and what is urgent."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.request import urlopen

from bench import command
from bench.broadcast.city import City
from bench.broadcast.phones import look_at_phones
from bench.webhook.answers import Reader, push
from bench.webhook.corpus import Writer
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan, openid
from bench.webhook.processes import Program
from commands import parts
from core.schedule.leases import Leases
from core.stores.database import Database

_START_S = 120.0
_STALLED_S = 60.0  # and nothing more was settled: it never ends
_LOOK_S = 0.5
_TELL_S = 10.0
_ASK_S = 0.1  # ten citizens a second write while the notice goes out
_ALARM_S = 2.0
_LEAST = 2  # answers, and urgent messages, below which nothing can be said of them
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
    """Make the notice, and watch until everybody has it and WeChat has said so.

    Whatever goes wrong meanwhile ends it with a `LoadFailedError`.
    """
    platform, gateway, worker = programs
    for program in (platform, gateway):
        await _until(lambda program=program: _answers(program), f"{program.name} answers")  # type: ignore[misc]
    await _until(lambda: _works(db), "the worker works")
    course, before = Course(), [program.cpu_seconds for program in programs]
    job, over = await city.announce(), asyncio.Event()
    await together(
        watch(db, job, worker, course, over),
        ask(plan, gateway.port, writer, course, over),
        warn(city, over),
        stay(programs, over),
    )
    spent = [after.cpu_seconds - was for after, was in zip(programs, before, strict=True)]
    course.platform_us, course.gateway_us, course.worker_us = (each / plan.followers * 1e6 for each in spent)
    await _count(plan, db, job, course)
    await asyncio.to_thread(look_at_phones, plan, city)
    complain(programs)
    return course


async def together(*works: Coroutine[object, object, None]) -> None:
    """Do all of them; the first that fails ends the others, and is told."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def watch(db: Database, job: int, worker: Program, course: Course, over: asyncio.Event) -> None:
    """Stay until the job is done; how far it is is told now and then."""
    told = moved = time.monotonic()
    settled = 0
    while await db.fetchval("SELECT state FROM jobs WHERE id = $1", job) != "done":
        course.resident.append(worker.resident_mb)
        if time.monotonic() - told > _TELL_S:
            told = time.monotonic()
            before, settled = settled, await _settled(db, job)
            moved = told if settled > before else moved
            command.tell(f"on its way {settled:,} settled, worker at {course.resident[-1]:.0f} MB")
        if time.monotonic() - moved > _STALLED_S:
            raise LoadFailedError(f"of the notice {settled:,} are settled, and for a minute no more")
        await asyncio.sleep(_LOOK_S)
    course.resident.append(worker.resident_mb)
    over.set()


async def ask(plan: Plan, port: int, writer: Writer, course: Course, over: asyncio.Event) -> None:
    """Citizens write, one after the other, and each is answered: it is their first message."""
    user, reader = 0, Reader(plan)
    while not over.is_set() or len(course.answers) < _LEAST:
        user += 1
        began = time.perf_counter()
        try:
            status, body = await asyncio.to_thread(push, plan, port, writer.next(user))
        except (OSError, HTTPException) as failed:
            raise LoadFailedError(f"the gateway did not answer: {failed!r}") from failed
        took = (time.perf_counter() - began) * 1000
        if status != _OK or not body:
            raise LoadFailedError(f"the gateway answered {status} and {len(body)} bytes")
        if (told := reader.read(body)) != (openid(user), 1):
            raise LoadFailedError(
                f"the gateway told {told[0]} of {told[1]} messages, and {openid(user)} wrote"
            )
        course.answers.append(took)
        await asyncio.sleep(_ASK_S)


async def warn(city: City, over: asyncio.Event) -> None:
    """Something is urgent every two seconds."""
    while not over.is_set() or city.alarms < _LEAST:
        await city.alarm()
        await asyncio.sleep(_ALARM_S)


async def stay(programs: Sequence[Program], over: asyncio.Event) -> None:
    """None of the programs ends before everything is over."""
    while not over.is_set():
        for program in programs:
            if program.ended:
                raise LoadFailedError(program.ended)
        await asyncio.sleep(_LOOK_S)


def complain(programs: Sequence[Program]) -> None:
    """What went wrong in a program may have been mended by another attempt: it went wrong all the same."""
    for program in programs:
        if program.complaint:
            raise LoadFailedError(f"{program.name} complains: {program.complaint}")


async def _settled(db: Database, job: int) -> int:
    query = "SELECT count(*) FROM outbox WHERE job = $1 AND settled_at IS NOT NULL"
    return int(await db.fetchval(query, job))


async def _count(plan: Plan, db: Database, job: int, course: Course) -> None:
    """Read off the rows how fast it went; every single one has to have left, and every urgent one."""
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
    course.rate = row["sent"] / row["took"] if row["took"] else 0.0
    course.urgent = await urgent(db)


async def urgent(db: Database) -> list[float]:
    """How long each urgent message took until its request left, in ms; all of them left, and once."""
    await _until(lambda: _calm(db), "the last urgent message is sent")
    alarms = await db.fetch(
        """
        SELECT key, state, reason, extract(epoch FROM first_at - made_at)::float8 * 1000 AS ms
        FROM outbox WHERE lane = 1 AND kind = 'bench_alarm' ORDER BY id
        """
    )
    for each in alarms:
        if each["state"] not in {"accepted", "delivered"}:
            raise LoadFailedError(f"the urgent message {each['key']} is {each['state']}: {each['reason']}")
    return [each["ms"] for each in alarms]


async def _calm(db: Database) -> bool:
    return not await db.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE lane = 1 AND settled_at IS NULL)")


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
