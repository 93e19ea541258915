"""Settling beside payments, gates and itself: nobody waits in a circle, and everything is booked once."""

import asyncio
import sys
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest

from core.clock import ManualClock
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.payments.reports import Reports
from services.transit import accounts_store, settling, taps_store, trips_store
from services.transit.codes import Granted
from services.transit.errors import InArrears
from services.transit.model import Ingested, Stored
from services.transit.pairing import Tap
from services.transit.trips_store import Day
from tests.services.transit.line import after
from tests.services.transit.paying import WAITING, Paying
from tests.services.transit.riding import KEY
from tests.support.waiting import until


@pytest.fixture
def paying(db: Database, clock: ManualClock, seal: Seal) -> Paying:
    return Paying(db, clock, seal)


async def others_wait(db: Database) -> None:
    """Return when some backend waits for another one."""
    await until(lambda: db.fetchval(f"SELECT ({WAITING}) > 0"), "somebody waits")


async def whose(tx: Transaction, accounts: Collection[str]) -> dict[str, str]:
    """`accounts_store.alone_with` without its lock."""
    rows = await tx.fetch("SELECT id, citizen FROM transit_accounts WHERE id = ANY($1)", list(accounts))
    return {row[0]: row[1] for row in rows}


async def nothing(*_said: object) -> None: ...


@pytest.mark.parametrize("in_order", [True, False], ids=["the rider first", "control: what comes first"])
@pytest.mark.parametrize("holds", ["taps", "trips"])
async def test_settling_and_a_payment_waited_for_each_other_in_a_circle(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, in_order: bool, holds: str
) -> None:
    """A gate is heard late while WeChat Pay tells what has become of the ride's payment.

    Settling has locked the rider, and is about to look at the trips when the payment arrives; or has locked
    the trip, too, when a refund does.
    """
    _, account = await paying.rider()
    await paying.rides(account)
    name = await paying.tried("open")
    told = partial(paying.arrives, name)
    if holds == "trips":
        await told()
        await paying.left_at(account, "xiaoguishan", 10)
        assert await paying.transit.settle() == 1
        told = partial(paying.payments.heard, await paying.goes_back())
    await paying.left_at(account, "hanyang", 5)
    if not in_order:
        monkeypatch.setattr(Reports, "lock", nothing)
    found, heard = getattr(trips_store, holds), []

    async def both_hold_something(tx: Transaction, days: Sequence[Day]) -> Any:
        read = await found(tx, days)
        heard.append(asyncio.create_task(told()))
        await others_wait(paying.db)
        return read

    monkeypatch.setattr(trips_store, holds, both_hold_something)
    settled = await asyncio.gather(paying.transit.settle(), return_exceptions=True)
    done = [*settled, *await asyncio.gather(*heard, return_exceptions=True)]
    if not in_order:
        gone = [each for each in done if isinstance(each, StoreGoneError)]
        assert isinstance(gone[0].__cause__, asyncpg.DeadlockDetectedError)
        return
    assert done == [1, None]
    await paying.finds_out()
    await paying.settled()
    assert await paying.line.balance("bank") == 0


@pytest.mark.parametrize("kept", [True, False], ids=["kept as it is", "control: only looked at"])
async def test_a_code_was_given_while_a_debit_failed(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    citizen, account = await paying.rider()
    await paying.rides(account)
    name = await paying.tried("open")
    if not kept:
        monkeypatch.setattr(accounts_store, "kept", nothing)
    found, asked = accounts_store.step, []

    async def before_it_is_committed(tx: Transaction, *said: Any) -> bool:
        done = await found(tx, *said)
        asked.append(asyncio.create_task(paying.transit.grant(citizen, KEY)))
        await (others_wait(paying.db) if kept else asyncio.wait(asked))
        return done

    monkeypatch.setattr(accounts_store, "step", before_it_is_committed)
    await paying.fails(name)
    (code,) = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(code, InArrears if kept else Granted)


@pytest.mark.parametrize("claimed", [True, False], ids=["claimed", "control: only looked at"])
async def test_two_settle_the_same_days_at_once(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, claimed: bool
) -> None:
    riders = [(await paying.rider())[1] for _ in range(6)]
    for place, way, minutes in (("zhongnan", "in", 0), ("guanggu", "out", 25)):
        for account in riders:
            await paying.line.uploads(*await paying.line.tap(account, place, way, after(minutes)))
    both, found = asyncio.Barrier(2), trips_store.trips

    async def looked_at(tx: Transaction, limit: int, _now: datetime) -> list[Day]:
        rows = await tx.fetch("SELECT account, day FROM transit_due ORDER BY since LIMIT $1", limit)
        return [(row[0], row[1]) for row in rows]

    async def given_up(*_: object) -> None:
        found = sys.exception()
        assert found is not None
        raise found

    async def both_looked(tx: Transaction, days: Sequence[Day]) -> dict[Day, dict[int, Stored]]:
        trips = await found(tx, days)
        await both.wait()  # nobody writes before the other one has looked, too
        return trips

    if not claimed:
        monkeypatch.setattr(accounts_store, "alone_with", whose)
        monkeypatch.setattr(trips_store, "take_due", looked_at)
        monkeypatch.setattr(settling.Settling, "_each_by_itself", given_up)
    monkeypatch.setattr(settling, "AT_ONCE", 3 if claimed else 6)
    monkeypatch.setattr(trips_store, "trips", both_looked)
    async with asyncio.timeout(20):
        done = await asyncio.gather(*(paying.transit.settle() for _ in range(2)), return_exceptions=True)
    if not claimed:
        assert any(isinstance(each, asyncpg.UniqueViolationError) for each in done)
        return
    assert done == [3, 3]
    assert await paying.db.fetchval("SELECT count(*) FROM payments") == 6
    await paying.balances()


@pytest.mark.parametrize("marked", [True, False], ids=["marked anew", "control: marked where it is not"])
async def test_a_tap_comes_while_its_day_is_being_settled(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    """The day is due already, for somebody is about to pair it without the tap."""
    _, account = await paying.rider()
    await paying.line.uploads(*await paying.line.tap(account, "zhongnan", "in", after(0)))
    found = trips_store.taps
    uploads: list[asyncio.Task[Ingested]] = []

    async def meanwhile(tx: Transaction, days: Sequence[Day]) -> dict[Day, list[Tap]]:
        tapped = await found(tx, days)
        if not uploads:
            tap = await paying.line.tap(account, "guanggu", "out", after(25))
            uploads.append(asyncio.create_task(paying.line.uploads(*tap)))
            await (others_wait(paying.db) if marked else asyncio.wait(uploads))
        return tapped

    async def where_it_is_not(tx: Transaction, days: Collection[tuple[str, date]], now: datetime) -> None:
        for day in days:
            await tx.execute(
                """
                INSERT INTO transit_due (account, day, since) SELECT $1, $2, $3
                WHERE NOT EXISTS (SELECT FROM transit_due WHERE (account, day) = ($1, $2))
                """,
                *day,
                now,
            )

    if not marked:
        monkeypatch.setattr(taps_store, "mark_due", where_it_is_not)
    monkeypatch.setattr(trips_store, "taps", meanwhile)
    assert await paying.transit.settle() == 1
    await asyncio.gather(*uploads)
    await paying.transit.settle_all()
    assert await paying.line.trips(account) == (
        [("closed", "owed", 400)] if marked else [("open", "none", 0)]
    )
