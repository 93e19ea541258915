"""The nightly purge: what is older than its period goes, what is not stays, and the report says so."""

from datetime import datetime, timedelta

import pytest

from core.clock import ManualClock
from core.privacy import retention
from core.privacy.holdings import End, Kept
from core.privacy.retention import Retention
from core.stores.database import Database

DAY = timedelta(days=1)


@pytest.fixture
async def notes(db: Database) -> str:
    await db.execute("CREATE TABLE notes (at timestamptz, word text NOT NULL)")
    return "notes"


def rule(period: timedelta = DAY, unless: str = "") -> Kept:
    return Kept("notes", "to try", End.ERASED, period, "at", unless, until="it was written")


async def write(db: Database, at: datetime | None, word: str = "x") -> None:
    await db.execute("INSERT INTO notes (at, word) VALUES ($1, $2)", at, word)


async def left(db: Database) -> list[str]:
    return [row["word"] for row in await db.fetch("SELECT word FROM notes ORDER BY word")]


async def test_what_is_over_goes_and_the_rest_stays(db: Database, clock: ManualClock, notes: str) -> None:
    now = clock.now()
    await write(db, now - DAY - timedelta(seconds=1), "over")
    await write(db, now - DAY, "today")
    await write(db, None, "not yet begun")
    (report,) = await Retention(db, clock, [rule()]).purge()
    assert (report.table, report.removed, report.overdue) == (notes, 1, False)
    assert report.oldest == now - DAY
    assert await left(db) == ["not yet begun", "today"]


async def test_what_is_excepted_stays(db: Database, clock: ManualClock, notes: str) -> None:
    for word in ("keep", "drop"):
        await write(db, clock.now() - 9 * DAY, word)
    (report,) = await Retention(db, clock, [rule(unless="t.word = 'keep'")]).purge()
    assert (report.removed, report.oldest) == (1, None), "and is not overdue"
    assert await left(db) == ["keep"]


async def test_more_than_one_statement_has_time_for(
    db: Database, clock: ManualClock, notes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    for _ in range(10):
        await write(db, clock.now() - 9 * DAY)
    (report,) = await Retention(db, clock, [rule()]).purge()
    assert report.removed == 10


async def test_what_somebody_holds_is_told_as_overdue(db: Database, clock: ManualClock, notes: str) -> None:
    await write(db, clock.now() - 9 * DAY)
    async with db.transaction() as tx:
        await tx.execute("SELECT FROM notes FOR UPDATE")
        (report,) = await Retention(db, clock, [rule()]).purge()
    assert (report.removed, report.overdue) == (0, True)
    (report,) = await Retention(db, clock, [rule()]).purge()
    assert (report.removed, report.overdue) == (1, False)


async def test_the_last_report_is_kept(db: Database, clock: ManualClock, notes: str) -> None:
    kept = Retention(db, clock, [rule()])
    assert await kept.last() is None
    await kept.purge()
    clock.move(DAY)
    await write(db, clock.now() - 9 * DAY)
    await kept.purge()
    last = await kept.last()
    assert last is not None
    assert last[0] == clock.now()
    assert [(each.table, each.removed) for each in last[1]] == [(notes, 1)]


def test_a_period_is_said_in_words() -> None:
    assert rule(30 * DAY).lasting == "30 days after it was written"
    assert rule(DAY).lasting == "1 day after it was written"
    assert rule(timedelta(0)).lasting == "until it was written"
    assert Kept("notes", "to try", End.ERASED, until="for ever").lasting == "for ever"
