"""The reminders bench: a million of them stored; what a look costs, and how fast those that are due leave."""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from operator import le

from bench import command
from bench.figures import Spread, spread
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from bench.webhook.programs.gateway import furnish, settings_for
from bench.webhook.report import Figure
from bench.webhook.trial import FULL, QUICK, Size
from commands import places
from commands.post import post
from commands.surroundings import Surroundings
from core.clock import SystemClock
from core.schedule.reminders import Reminders
from core.stores import keys
from core.stores.boot import open_database
from core.stores.database import Database

_STORED = {False: 1_000_000, True: 50_000}
_DUE = {False: 10_000, True: 1_000}
_LOOKS = 300
_A_PAGE = 100_000  # reminders a statement stores
_SEALED_BYTES = 400  # a letter with its words


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    full, quick = (
        replace(size, told=f"{_STORED[size.quick]:,} stored, {size.rounds} times {_DUE[size.quick]:,} due")
        for size in (FULL, QUICK)
    )
    return command.run("reminders", __doc__, _measure, arguments, (full, quick))


def _measure(plan: Plan, _pool: Executor, size: Size) -> list[Figure]:
    return asyncio.run(measured(plan, size.rounds, (_STORED[size.quick], _DUE[size.quick])))


async def measured(plan: Plan, rounds: int, counts: tuple[int, int]) -> list[Figure]:
    """Store so many, and let so many of them be due in each round."""
    stored, at_once = counts
    templates, settings = furnish(plan), settings_for(plan, 1, 2)
    seal = keys.load(places.key_ring(settings.stores))
    around = Surroundings(settings, plan.redis_url, plan.database_url, seal, SystemClock(), templates)
    db = await open_database(plan.database_url)
    try:
        reminders = post(around, db).reminders
        await _store(db, stored)
        looks = [await _ms(reminders, 0) for _ in range(_LOOKS)]
        command.tell(f"looked     {_LOOKS} times with nothing due")
        fired = []
        for number in range(rounds):
            await _let_be_due(db, at_once)
            fired.append(await _ms(reminders, at_once) / 1000)
            command.tell(f"round {number + 1}/{rounds}  {at_once:,} fired in {fired[-1]:.2f} s")
        await _look_at_rows(db, rounds * at_once)
    finally:
        await db.close()
    due = f"{at_once:,} due reminders into the outbox"
    late = statistics.quantiles(looks, n=100, method="inclusive")[-1]
    return [
        Figure("look_p99_ms", "a look with nothing due, p99", "ms", Spread(late, late, late), 5, None, le),
        Figure("look_ms", "a look with nothing due", "ms", spread(looks), 5, None, le),
        Figure("fired_s", due, "s", spread(fired), 5, None, le),
    ]


async def _store(db: Database, count: int) -> None:
    """Reminders of the weeks to come, each with a guard of its own, as bookings have them."""
    for start in range(0, count, _A_PAGE):
        await db.execute(
            """
            WITH new AS (
                SELECT 'booking:' || i AS guard, 'booking_reminder:' || i AS key,
                       'city:' || md5(i::text) AS conversation,
                       now() + interval '1 day' + interval '1 second' * (i % 1000000) AS due_at
                FROM generate_series($1::int, $2::int - 1) AS i
            ), guarded AS (
                INSERT INTO versions (key, n) SELECT guard, 0 FROM new
            )
            INSERT INTO reminders (key, conversation, kind, lane, sealed, guard_keys, guard_ns, repeatable,
                                   due_at, valid_until)
            SELECT key, conversation, 'booking_reminder', 2, $3, ARRAY[guard], ARRAY[0]::bigint[], false,
                   due_at, due_at + interval '14 hours'
            FROM new
            """,
            start,
            min(start + _A_PAGE, count),
            bytes(_SEALED_BYTES),
        )
        command.tell(f"stored     {min(start + _A_PAGE, count):,}")
    await db.execute("ANALYZE reminders, versions")


async def _let_be_due(db: Database, count: int) -> None:
    """It is time for the next ones."""
    await db.execute(
        """
        UPDATE reminders SET due_at = now() - interval '1 second'
        WHERE id IN (SELECT id FROM reminders WHERE state = 'due' ORDER BY due_at LIMIT $1)
        """,
        count,
    )


async def _ms(reminders: Reminders, expected: int) -> float:
    """Fire once; how long it took. Other than so many fired mean that nothing was measured."""
    began = time.perf_counter()
    fired = await reminders.fire()
    took = (time.perf_counter() - began) * 1000
    if fired != expected:
        raise LoadFailedError(f"{fired} reminders were fired instead of {expected}")
    return took


async def _look_at_rows(db: Database, fired: int) -> None:
    """What was fired stands in the outbox, each of it once."""
    queued = await db.fetchval("SELECT count(DISTINCT key) FROM outbox WHERE state = 'queued'")
    if queued != fired:
        raise LoadFailedError(f"{fired} reminders were fired, and {queued} stand in the outbox")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
