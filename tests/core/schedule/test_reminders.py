"""Reminders fire once, on time, only while their object stands as it was, and never late."""

import asyncio
from datetime import datetime, timedelta

import pytest

from core.clock import CITY_ZONE
from core.delivery.notices import Notice
from core.schedule.reminders import Reminders
from core.stores.database import Database
from tests.core.delivery.bureau import FACTS, Bureau
from tests.core.delivery.town import HERE

SOON = timedelta(hours=1)


@pytest.fixture
def reminders(bureau: Bureau) -> Reminders:
    return Reminders(bureau.db, bureau.notices, bureau.clock)


def of(about: str = "b1", *, step: str = "D-0", valid_for: timedelta = timedelta(days=1)) -> Notice:
    valid_until = datetime.now(CITY_ZONE) + valid_for
    return Notice("visit", about, HERE, FACTS, (f"booking:{about}",), step, valid_until=valid_until)


async def remind(bureau: Bureau, reminders: Reminders, notice: Notice, after: timedelta = SOON) -> bool:
    async with bureau.db.transaction() as tx:
        return await reminders.set(tx, notice, datetime.now(CITY_ZONE) + after)


async def passes(db: Database, by: timedelta) -> None:
    await db.execute(
        "UPDATE reminders SET due_at = due_at - $1::interval, valid_until = valid_until - $1::interval", by
    )


async def test_due_it_is_sent_once(bureau: Bureau, reminders: Reminders) -> None:
    assert await remind(bureau, reminders, of())
    assert await reminders.fire() == 0
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 1
    assert await reminders.fire() == 0
    await bureau.out.send_due()
    assert bureau.heard == ["[T-visit]"]


async def test_nothing_is_scheduled_in_the_past(bureau: Bureau, reminders: Reminders) -> None:
    assert not await remind(bureau, reminders, of(), timedelta(seconds=-1))
    assert not await remind(bureau, reminders, of(valid_for=SOON), 2 * SOON)


async def test_set_twice_it_is_one(bureau: Bureau, reminders: Reminders) -> None:
    assert await remind(bureau, reminders, of())
    assert not await remind(bureau, reminders, of())
    assert await remind(bureau, reminders, of(step="D-1"))


async def test_what_has_changed_is_not_reminded_of_but_anew(bureau: Bureau, reminders: Reminders) -> None:
    await remind(bureau, reminders, of())
    async with bureau.db.transaction() as tx:  # moved: the old ones end in the step that makes the new ones
        await bureau.bump("booking:b1")
        assert await reminders.set(tx, of(), datetime.now(CITY_ZONE) + 2 * SOON)
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 0
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 1
    rows = await bureau.db.fetch("SELECT state FROM reminders ORDER BY id")
    assert [row["state"] for row in rows] == ["cancelled", "fired"]


async def test_fired_and_then_changed_it_is_not_sent_either(bureau: Bureau, reminders: Reminders) -> None:
    await remind(bureau, reminders, of())
    await passes(bureau.db, SOON)
    await reminders.fire()
    await bureau.bump("booking:b1")
    await bureau.out.send_due()
    assert (bureau.heard, await bureau.states()) == ([], [("cancelled", "changed")])


async def test_what_is_over_when_somebody_wakes_up_is_not_sent(bureau: Bureau, reminders: Reminders) -> None:
    await remind(bureau, reminders, of(valid_for=2 * SOON))
    await passes(bureau.db, 2 * SOON)
    assert await reminders.fire() == 0
    assert await bureau.db.fetchval("SELECT state FROM reminders") == "expired"


async def test_two_who_fire_send_one(bureau: Bureau, reminders: Reminders) -> None:
    for number in range(50):
        await remind(bureau, reminders, of(f"b{number}"))
    await passes(bureau.db, SOON)
    fired = await asyncio.gather(*(reminders.fire() for _ in range(4)))
    assert sum(fired) == 50
    assert await bureau.db.fetchval("SELECT count(*) FROM outbox") == 50


async def test_a_reminder_of_nothing_is_a_mistake(bureau: Bureau, reminders: Reminders) -> None:
    with pytest.raises(ValueError, match="guard"):
        await remind(bureau, reminders, Notice("visit", "b1", HERE, FACTS))
