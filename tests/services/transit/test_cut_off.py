"""Cut off at any statement, settling and what payments tell leave the books whole; then it is done once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.transit.dues import DEBIT_AFTER
from tests.services.transit.line import after
from tests.services.transit.paying import Paying


@pytest.fixture
def paying(db: Database, clock: ManualClock, seal: Seal) -> Paying:
    return Paying(db, clock, seal)


class Cut(BaseException):
    """The process is gone, as far as the database can tell: nobody mends anything."""


class Statements:
    """A transaction of which some statement is never reached."""

    def __init__(self, tx: Transaction, left: list[int]) -> None:
        self._tx, self._left = tx, left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name not in {"fetch", "fetchrow", "fetchval", "execute"}:
            return found

        async def counted(*said: object) -> object:
            if not self._left[0]:
                raise Cut
            self._left[0] -= 1
            return await found(*said)

        return counted


async def cut_everywhere(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[object]]
) -> int:
    """Do it again and again, cut off one statement later each time; how many cuts there were.

    What must hold at every moment holds after each, and nothing of it is left.
    """
    spans, left = Database.transaction, [0]

    @asynccontextmanager
    async def cut(db: Database) -> AsyncIterator[Any]:
        async with spans(db) as tx:
            yield Statements(tx, left)
            if not left[0]:
                raise Cut  # before it is committed

    before = await everything(paying.db)
    for cuts in range(200):
        left[0] = cuts
        with monkeypatch.context() as cutting:
            cutting.setattr(Database, "transaction", cut)
            try:
                await work()
            except Cut:
                pass
            else:
                return cuts
        assert await everything(paying.db) == before
        await paying.balances()
    raise AssertionError("it never came to its end")


async def everything(db: Database) -> list[tuple[object, ...]]:
    """What stands in the tables of rides and of money."""
    found: list[tuple[object, ...]] = []
    for table in ("transit_trips", "transit_charges", "transit_ledger", "transit_accounts", "transit_due"):
        found += map(tuple, await db.fetch(f"SELECT * FROM {table} ORDER BY 1, 2"))  # noqa: S608 - our own words
    for table in ("payments", "pay_tries", "pay_refunds", "pay_contracts"):
        found += map(tuple, await db.fetch(f"SELECT id, state, step FROM {table} ORDER BY id"))  # noqa: S608
    return found


async def the_payment(db: Database, account: str) -> tuple[str, str]:
    """What is owed for the only ride, and by whom."""
    sql = """
        SELECT p.id, p.citizen FROM payments p JOIN transit_charges c ON c.payment = p.id
        JOIN transit_trips t ON t.id = c.trip WHERE t.account = $1
    """
    ((payment, citizen),) = map(tuple, await db.fetch(sql, account))
    return payment, citizen


async def test_settling_that_is_cut_off_anywhere_leaves_nothing_behind(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New rides, one that became dearer, one cheaper and paid, one cheaper and not paid, one behind."""
    riders = [(await paying.rider())[1] for _ in range(5)]
    for account, end in zip(riders, ("guanggu", "simenkou", "guanggu", "guanggu", "guanggu"), strict=True):
        await paying.rides(account, end=end)
    for account, mind in ((riders[2], "done"), (riders[4], "poor")):
        paying.bank.mind.debit = mind
        payment, citizen = await the_payment(paying.db, account)
        await paying.payments.pay_now(payment, citizen)
    paying.clock.move(DEBIT_AFTER / 10)
    await paying.payments.ask_open()
    await paying.line.uploads(*await paying.line.tap(riders[0], "zhongnan", "in", after(100)))
    await paying.left_at(riders[1], "guanggu", 20)
    for account in riders[2:]:
        await paying.left_at(account, "simenkou", 5)
    assert await cut_everywhere(paying, monkeypatch, paying.transit.settle) > 15
    await paying.balances()
    amounts = "SELECT amount_fen, state, count(*) FROM payments GROUP BY 1, 2 ORDER BY 1, 2"
    assert [tuple(row) for row in await paying.db.fetch(amounts)] == [
        (200, "owed", 3),  # dearer: what was asked for first; cheaper: not tried, and behind
        (300, "owed", 1),
        (500, "cancelled", 2),
        (500, "owed", 1),
        (500, "paid", 1),
    ]


@pytest.mark.parametrize("what", ["paid", "failed", "recovered", "refunded", "taken twice"])
async def test_a_callback_that_is_cut_off_anywhere_leaves_nothing_behind(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """WeChat Pay tells it again, and it is booked once."""
    citizen, account = await paying.rider()
    await paying.rides(account)
    if what == "recovered":
        await paying.tried("poor")
        paying.bank.mind.debit = "open"
        await paying.transit.pay(citizen)
    name = paying.bank.asked[-1] if what == "recovered" else await paying.tried("open")
    if what == "refunded":
        await paying.left_at(account, "simenkou", 5)
        await paying.transit.settle()
    if what == "taken twice":
        await paying.fails(name)
        await paying.left_at(account, "hanyang", 5)
        await paying.transit.settle()
    if what == "failed":
        await cut_everywhere(paying, monkeypatch, lambda: paying.fails(name))
    else:
        await cut_everywhere(paying, monkeypatch, lambda: paying.arrives(name))
    if what == "refunded":
        back = await paying.goes_back()
        await cut_everywhere(paying, monkeypatch, lambda: paying.payments.heard(back))
    await paying.balances()
    told = {
        "paid": [("paid", 500)],
        "failed": [("behind", 500)],
        "recovered": [("behind", 500), ("recovered", 500)],
        "refunded": [("paid", 500), ("refunded", 300)],
        "taken twice": [("behind", 500), ("changed", 1), ("twice", 500)],
    }[what]
    assert [
        each for place, each in enumerate(paying.ears.told) if each not in paying.ears.told[:place]
    ] == told
    if what != "failed":
        await paying.finds_out()
        await paying.settled()


async def test_settling_many_takes_no_more_statements_than_settling_one(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New rides, such as became dearer, and such as became cheaper and are not paid."""
    counts = []
    for riders in (1, 7):
        accounts = [(await paying.rider())[1] for _ in range(3 * riders)]
        new, dearer, cheaper = accounts[::3], accounts[1::3], accounts[2::3]
        for account in dearer:
            await paying.rides(account, end="simenkou")
        for account in cheaper:
            await paying.rides(account)
        for account in new:
            for way, minutes in (("in", 0), ("out", 25)):
                await paying.line.uploads(*await paying.line.tap(account, "guanggu", way, after(minutes)))
        for account in dearer:
            await paying.left_at(account, "guanggu", 20)
        for account in cheaper:
            await paying.left_at(account, "simenkou", 5)
        counts.append(await counted(monkeypatch, paying.transit.settle))
        await paying.balances()
    assert counts[0] == counts[1]


async def counted(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Awaitable[object]]) -> int:
    """How many statements something takes in its transactions."""
    spans, left = Database.transaction, [most := 10**6]

    @asynccontextmanager
    async def counting(db: Database) -> AsyncIterator[Any]:
        async with spans(db) as tx:
            yield Statements(tx, left)

    with monkeypatch.context() as watching:
        watching.setattr(Database, "transaction", counting)
        await work()
    return most - left[0]
