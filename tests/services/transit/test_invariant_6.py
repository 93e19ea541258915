"""Invariant 6 with the real payments: whatever becomes of debits, what is paid is what rides cost."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from core.clock import ManualClock
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database
from services.payments.bank import NotBelieved
from services.payments.model import Told
from tests.services.transit.line import TIMETABLE, after
from tests.services.transit.paying import Paying

MINDS = ("done", "done", "open", "open", "open", "open", "poor", "poor", "lost", "never", "later", "ended")
# What may happen, as often as it stands here: gates, money, contracts, operators, time.
ACTS = (
    *("ride", "late", "debit", "told_failed") * 4,
    *("query", "told", "pay") * 2,
    *("end", "sign", "sign", "sign", "close", "suspend", "restore", "restore"),
    *("wait", "wait", "wait", "days"),
)
STATIONS = sorted(TIMETABLE.network.stations)
OPERATOR = ("li.wei", "looked into it")
Rider = tuple[str, str]


async def act(paying: Paying, what: str, chance: random.Random, riders: list[Rider]) -> None:
    """One thing that may happen, perhaps beside another; what is refused is refused."""
    citizen, account = chance.choice(riders)
    counter = paying.transit
    doing: dict[str, Callable[[], Awaitable[object]]] = {
        "ride": lambda: taps(paying, account, chance, both=True),
        "late": lambda: taps(paying, account, chance, both=False),
        "debit": paying.payments.debit_due,
        "query": paying.payments.ask_open,
        "told": lambda: tells(paying, chance, paid=True),
        "told_failed": lambda: tells(paying, chance, paid=False),
        "pay": lambda: counter.pay(citizen),
        "end": lambda: paying.lets_go(citizen),
        "sign": lambda: paying.signs(citizen),
        "suspend": lambda: counter.suspend(citizen, *OPERATOR),
        "restore": lambda: counter.restore(citizen, *OPERATOR),
        "close": lambda: counter.close(citizen),
    }
    await doing.get(what, counter.finish_closing)()


async def taps(paying: Paying, account: str, chance: random.Random, *, both: bool) -> None:
    """A ride, or a way out that a gate tells late; each is priced now or with the next one."""
    at = chance.randrange(0, 200)
    start, end = chance.choice(STATIONS), chance.choice(STATIONS)
    if both:
        await paying.line.uploads(*await paying.line.tap(account, start, "in", after(at)))
    await paying.line.uploads(*await paying.line.tap(account, end, "out", after(at + chance.choice((5, 25)))))
    if chance.random() < 0.7:
        await paying.transit.settle_all()


async def tells(paying: Paying, chance: random.Random, *, paid: bool) -> None:
    """The bank tells of any of its tries, also of one that it told of before, or had told to have failed."""
    if not paying.bank.orders:
        return
    name = chance.choice(sorted(paying.bank.orders))
    if paid:
        await paying.arrives(name)
    elif paying.bank.orders[name].told is Told.OPEN:
        await paying.payments.heard(paying.says.says_failed(name, paying.notice()))


async def history(paying: Paying, chance: random.Random) -> None:
    riders = [await paying.rider() for _ in range(2)]
    for station in STATIONS:
        await paying.line.gate(station)
    for _ in range(40):
        paying.bank.mind.debit = chance.choice(MINDS)
        acts = chance.choices(ACTS, k=chance.choice((1, 1, 2, 3)))
        if "wait" in acts or "days" in acts:
            paying.says.later(minutes=61 if "wait" in acts else 26 * 60)
        done = await asyncio.gather(
            *(act(paying, what, chance, riders) for what in acts), return_exceptions=True
        )
        wrong = [each for each in done if isinstance(each, BaseException)]
        assert [each for each in wrong if not isinstance(each, DomainError | NotBelieved)] == []
        await paying.transit.finish_closing()
        await paying.balances()


async def ends(paying: Paying) -> None:
    """Every try comes to its end, whoever can pays, and what was too much goes back."""
    for name, fate in list(paying.bank.orders.items()):
        if fate.told is Told.OPEN:
            await paying.arrives(name)
    for name in list(paying.bank.orders):  # told to have failed, and paid after all
        await paying.arrives(name)
    paying.bank.mind.debit = "done"
    await paying.transit.settle_all()
    for _ in range(3):
        paying.says.later(days=2)
        await paying.payments.debit_due()
        await paying.finds_out()


@pytest.mark.parametrize("seed", range(8))
async def test_what_is_paid_is_what_rides_cost_whatever_happens(
    db: Database, clock: ManualClock, seal: Seal, seed: int
) -> None:
    """Courses of events that are drawn by the seed in the test's name."""
    paying = Paying(db, clock, seal)
    await history(paying, random.Random(seed))
    await ends(paying)
    await paying.settled()


async def test_control_a_payment_that_the_books_missed_is_seen(
    db: Database, clock: ManualClock, seal: Seal
) -> None:
    paying = Paying(db, clock, seal)
    _, account = await paying.rider()
    await paying.rides(account)
    await paying.tried("done")
    await paying.finds_out()
    await paying.settled()
    await db.execute("ALTER TABLE transit_ledger DISABLE TRIGGER ALL")
    await db.execute("DELETE FROM transit_ledger WHERE what = 'paid'")
    with pytest.raises(AssertionError, match="what has arrived"):
        await paying.balances()
