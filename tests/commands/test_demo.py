"""The demo city stays a week ahead: midnight passes, and the next day is there."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from apscheduler.triggers.date import DateTrigger

from commands import demo
from commands.days import DAYS, after_midnight
from commands.jobs import Jobs, purge_by_rule
from core.clock import CITY_ZONE, ManualClock
from core.errors import StoreGoneError
from core.privacy.retention import Retention
from core.schedule.leases import Leases
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from tests.support.city_hospital import hospital_of
from tests.support.purging import RULES
from tests.support.waiting import until


@pytest.fixture
def stage(db: Database, seal: Seal, clock: ManualClock) -> demo.Stage:
    citizens = Citizens(db, seal)
    return demo.Stage(db, citizens, hospital_of(db, seal, clock), clock)


async def days(db: Database) -> set[date]:
    rows = await db.fetch("SELECT DISTINCT date FROM sessions")
    return {row["date"] for row in rows}


async def test_midnight_passes_and_the_next_day_is_open(
    stage: demo.Stage, db: Database, clock: ManualClock
) -> None:
    clock.set(datetime(2026, 11, 23, 23, 59, 59, tzinfo=CITY_ZONE))
    await demo.load(stage)
    next_day = clock.now().date() + timedelta(days=DAYS + 1)
    before = await days(db)
    assert max(before) == next_day - timedelta(days=1)
    assert await demo.open_new_days(stage) == 0, "the same day asks for nothing new"
    clock.move(timedelta(seconds=2))
    assert await demo.open_new_days(stage) > 0
    assert await days(db) == before | {next_day}


async def test_days_missed_while_the_machine_was_off_are_made_up_for(
    stage: demo.Stage, db: Database, clock: ManualClock
) -> None:
    await demo.load(stage)
    clock.move(timedelta(days=10))
    await demo.load(stage)
    assert clock.now().date() in await days(db)
    assert max(await days(db)) == clock.now().date() + timedelta(days=DAYS)


async def test_some_doctors_are_full_from_the_start(stage: demo.Stage) -> None:
    await demo.load(stage)
    full = [doctor for doctor in await stage.hospital.doctors("cardiology") if doctor.left == 0]
    assert full


def test_the_job_runs_right_after_midnight_in_the_city() -> None:
    late = datetime(2026, 11, 23, 23, 59, 30, tzinfo=CITY_ZONE)
    assert after_midnight().get_next_fire_time(None, late) == datetime(
        2026, 11, 24, 0, 0, 1, tzinfo=CITY_ZONE
    )


async def test_a_store_that_is_away_for_a_moment_does_not_end_a_job(db: Database) -> None:
    runs: list[str] = []

    async def work() -> None:
        runs.append("run")
        if len(runs) == 1:
            raise StoreGoneError("PostgreSQL")

    jobs = Jobs(Leases(db))
    jobs.add("first", work, DateTrigger())
    jobs.add("second", work, DateTrigger())
    jobs.start()
    try:
        await until(lambda: len(runs) == 2, "both turns were taken")
    finally:
        await jobs.stop()


async def test_a_turn_that_was_missed_long_ago_is_made_up_for(db: Database) -> None:
    runs: list[str] = []

    async def work() -> None:
        runs.append("run")

    jobs = Jobs(Leases(db))
    jobs.add("late", work, DateTrigger(datetime.now(CITY_ZONE) - timedelta(hours=9)))
    jobs.start()
    try:
        await until(lambda: runs, "the missed turn was taken")
    finally:
        await jobs.stop()


async def test_a_job_that_is_under_way_is_not_cut_off_at_the_end(db: Database) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.append("to its end")

    jobs = Jobs(Leases(db))
    jobs.add("sending", work, DateTrigger())
    jobs.add("next", work, DateTrigger(datetime.now(CITY_ZONE) + timedelta(hours=9)))
    jobs.start()
    await begun.wait()
    stopping = asyncio.create_task(jobs.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    may_end.set()
    await asyncio.wait_for(stopping, 5)
    assert ended == ["to its end"]


async def test_old_effects_are_forgotten_by_a_job(db: Database, clock: ManualClock) -> None:
    await db.execute(
        "INSERT INTO effects VALUES ('old', 'hold', '', 'x', $1), ('new', 'hold', '', 'x', $2)",
        clock.now() - timedelta(days=30) - timedelta(minutes=1),
        clock.now() - timedelta(days=30) + timedelta(minutes=1),
    )
    jobs = Jobs(Leases(db))
    purge_by_rule(jobs, Retention(db, clock, [RULES["effects"]]))
    job = jobs._scheduler.get_job("purge_by_rule")
    await job.func(*job.args)
    assert [row["run"] for row in await db.fetch("SELECT run FROM effects")] == ["new"]
