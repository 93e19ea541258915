"""The reminders bench runs, and other than what is due is no measurement."""

from pathlib import Path

import pytest

from bench.reminders import __main__ as bench
from bench.reminders.__main__ import measured
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.stores import Servers


@pytest.fixture
def plan(embedded_servers: Servers, redis: Redis, db_url: str, tmp_path: Path) -> Plan:
    return Plan(embedded_servers.redis_url, db_url, str(tmp_path))


async def test_three_hundred_are_stored_and_those_that_are_due_leave(plan: Plan, db: Database) -> None:
    found = {figure.name: figure.spread.median for figure in await measured(plan, 2, (300, 50))}
    assert found["look_p99_ms"] >= found["look_ms"] > 0
    assert found["fired_s"] > 0
    assert await db.fetchval("SELECT count(*) FROM outbox") == 100
    assert await db.fetchval("SELECT count(*) FROM reminders WHERE state = 'due'") == 200


async def test_fewer_than_were_due_end_it(plan: Plan) -> None:
    with pytest.raises(LoadFailedError, match="0 reminders were fired instead of 50"):
        await measured(plan, 3, (100, 50))


async def test_what_was_fired_and_stands_nowhere_ends_it(plan: Plan, db: Database) -> None:
    with pytest.raises(LoadFailedError, match="7 reminders were fired, and 0 stand in the outbox"):
        await bench._look_at_rows(db, 7)
