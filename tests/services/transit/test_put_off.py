"""One account's day that cannot be settled holds up nobody else's (M9), and comes again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.transit import trips_store
from services.transit.telling import Missed
from tests.services.transit.line import after
from tests.services.transit.paying import Paying


@pytest.fixture
def paying(db: Database, clock: ManualClock, seal: Seal) -> Paying:
    return Paying(db, clock, seal)


@pytest.fixture
def broken(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Citizens of whom nothing can be told: whatever goes wrong with one of many."""
    found: set[str] = set()
    tell = paying.ears.missing_exit

    async def fails(tx: Transaction, rides: Sequence[Missed]) -> None:
        if any(each.citizen in found for each in rides):
            raise RuntimeError("a name that no template can show")
        await tell(tx, rides)

    monkeypatch.setattr(paying.ears, "missing_exit", fails)
    return found


async def test_one_that_raised_held_up_everybody(paying: Paying, broken: set[str]) -> None:
    one, theirs = await paying.rider()
    _, others = await paying.rider()
    for account in (theirs, others):
        await paying.line.uploads(*await paying.line.tap(account, "hanyang", "in", after(0)))
    await paying.transit.settle_all()
    broken.add(one)
    paying.clock.move(timedelta(hours=24))
    await paying.transit.close_days()
    with capture_logs() as logs:
        await paying.transit.settle_all()
    assert await paying.line.trips(others) == [("missing_exit", "none", 0)]
    assert await paying.line.trips(theirs) == [("open", "none", 0)]
    assert [line["account"] for line in logs if line["event"] == "day_not_settled"] == [theirs]

    with capture_logs() as logs:
        await paying.transit.settle_all()
    assert logs == [], "it waits, and is not tried each second"
    paying.clock.move(timedelta(minutes=1))
    with capture_logs() as logs:
        await paying.transit.settle_all()
        paying.clock.move(timedelta(minutes=1))
        await paying.transit.settle_all()
    assert len(logs) == 1, "and longer each time"

    broken.clear()
    paying.clock.move(timedelta(minutes=1))
    await paying.transit.settle_all()
    assert await paying.line.trips(theirs) == [("missing_exit", "none", 0)]
    await paying.balances()


async def test_a_new_tap_does_not_wait_with_it(paying: Paying, broken: set[str]) -> None:
    one, theirs = await paying.rider()
    await paying.line.uploads(*await paying.line.tap(theirs, "hanyang", "in", after(0)))
    await paying.transit.settle_all()
    broken.add(one)
    paying.clock.move(timedelta(hours=24))
    await paying.transit.close_days()
    await paying.transit.settle_all()
    broken.clear()
    await paying.left_at(theirs, "guanggu", 25)
    await paying.transit.settle_all()
    assert [trip[0] for trip in await paying.line.trips(theirs)] == ["closed"]


async def test_a_tap_that_came_while_it_failed_was_put_off_with_it(
    paying: Paying, broken: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, theirs = await paying.rider()
    await paying.line.uploads(*await paying.line.tap(theirs, "hanyang", "in", after(0)))
    await paying.transit.settle_all()
    broken.add(one)
    paying.clock.move(timedelta(hours=24))
    await paying.transit.close_days()
    put_off = trips_store.put_off

    async def after_a_tap(*said: Any) -> None:
        paying.clock.move(timedelta(seconds=1))
        await paying.left_at(theirs, "guanggu", 25)
        await put_off(*said)

    monkeypatch.setattr(trips_store, "put_off", after_a_tap)
    await paying.transit.settle()
    broken.clear()
    await paying.transit.settle()
    assert [trip[0] for trip in await paying.line.trips(theirs)] == ["closed"]
