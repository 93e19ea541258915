"""The broadcast bench: one notice to 100,000 citizens, and what else goes on meanwhile."""

import asyncio
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from operator import le

import msgspec

from bench import command
from bench.broadcast.city import City
from bench.broadcast.course import Course, run
from bench.figures import Spread
from bench.webhook.corpus import Writer
from bench.webhook.plan import Plan
from bench.webhook.processes import Program, free_port
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, QUICK, Size
from core.stores.boot import open_database

_FOLLOWERS = {False: 100_000, True: 5_000}


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    full, quick = (replace(size, told=f"{_FOLLOWERS[size.quick]:,} recipients") for size in (FULL, QUICK))
    return command.run("broadcast", __doc__, _measure, arguments, (full, quick))


def _measure(plan: Plan, pool: Executor, size: Size) -> list[Figure]:
    plan = msgspec.structs.replace(
        plan, platform_port=free_port(), gateway_port=free_port(), followers=_FOLLOWERS[size.quick]
    )
    return asyncio.run(measured(plan, Writer(plan, pool)))


async def measured(plan: Plan, writer: Writer) -> list[Figure]:
    """Send a notice to the plan's followers, between programs of their own."""
    plan.write()
    course = await _course(plan, writer)
    return [*_sent(course), *_meanwhile(course)]


async def _course(plan: Plan, writer: Writer) -> Course:
    db = await open_database(plan.database_url)
    city = City(plan, db)
    with ExitStack() as stack:
        platform = Program.start("platform", plan, bench="broadcast", port=plan.platform_port)
        stack.callback(platform.stop)
        gateway = Program.start("gateway", plan, port=plan.gateway_port)
        stack.callback(gateway.stop)
        worker = Program.start("worker", plan, bench="broadcast")
        stack.callback(worker.stop)
        command.tell(f"settling   {plan.followers:,} followers")
        await city.settle()
        try:
            return await run(plan, db, city, writer, (platform, gateway, worker))
        finally:
            await db.close()


def _sent(course: Course) -> list[Figure]:
    return [
        Figure("rate", "messages a second, one worker", "1/s", _one(course.rate), 1_000),
        Figure("worker_mb", "worker: memory at its most", "MB", _one(max(course.resident)), 200, None, le),
        Figure("growth_mb", "worker: growth in the second half", "MB", _one(course.growth), 5, None, le),
        Figure("worker_cpu_us", "worker: CPU per message", "µs", _one(course.worker_us)),
        Figure("gateway_cpu_us", "gateway: CPU per message, for its receipt", "µs", _one(course.gateway_us)),
        Figure("platform_cpu_us", "simulator: CPU per message", "µs", _one(course.platform_us)),
    ]


def _meanwhile(course: Course) -> list[Figure]:
    answers, urgent = course.answers, course.urgent
    slowest = _one(max(urgent))
    return [
        Figure("webhook_p99_ms", "webhook replies meanwhile, p99", "ms", _p99(answers), 1_000, None, le),
        Figure("webhook_p50_ms", "webhook replies meanwhile, p50", "ms", _p50(answers)),
        Figure("urgent_most_ms", "urgent messages, the slowest", "ms", slowest, 2_000, None, le),
        Figure("urgent_p50_ms", "urgent messages, p50", "ms", _p50(urgent)),
    ]


def _one(value: float) -> Spread:
    return Spread(value, value, value)


def _p50(values: Sequence[float]) -> Spread:
    return _one(statistics.median(values))


def _p99(values: Sequence[float]) -> Spread:
    return _one(statistics.quantiles(values, n=100, method="inclusive")[-1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
