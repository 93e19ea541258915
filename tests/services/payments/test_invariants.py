"""Whatever happens in whatever order: nobody pays twice, and the owner knows (domain-rules 9.6)."""

import asyncio
import random

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.payments.bank import NotBelieved
from services.payments.errors import AlreadyPaid, NotSigned, PaymentAsked, RefundTooHigh
from services.payments.model import Told
from tests.services.payments.till import Till

MINDS = ("done", "open", "poor", "lost", "never", "later", "broken")
ACTS = ("debit", "query", "told", "told_failed", "now", "back", "cancel", "wait", "days", "stumble")
REFUSED = (NotBelieved, AlreadyPaid, PaymentAsked, RefundTooHigh, NotSigned, ValueError)


async def act(till: Till, what: str, chance: random.Random, citizen: str, payments: list[str]) -> None:
    """One thing that may happen, at any moment and perhaps beside another."""
    till.bank.mind.debit = chance.choice(MINDS)
    till.owner.fails = what == "stumble"
    match what:
        case "debit" | "stumble":
            await till.payments.debit_due()
        case "query":
            await till.payments.ask_open()
        case "told" | "told_failed":
            await tell(till, chance, paid=what == "told")
        case "now":
            await till.payments.pay_now(chance.choice(payments), citizen)
        case "back":
            await till.goes_back(
                chance.choice(payments), chance.choice((50, 100)), f"why-{chance.randrange(3)}"
            )
        case "cancel":
            async with till.db.transaction() as tx:
                await till.payments.cancel_all(tx, [chance.choice(payments)], "repriced")
        case "wait":
            till.later(minutes=chance.choice((1, 5, 61)))
        case _:
            till.later(hours=chance.choice((6, 30)))


async def tell(till: Till, chance: random.Random, *, paid: bool) -> None:
    """The bank tells of one of its orders: that it is paid, or, of one that is open, that it has failed."""
    if not till.bank.orders:
        return
    name = chance.choice(sorted(till.bank.orders))
    if paid:
        till.bank.finish(name)
        await till.payments.heard(till.says_paid(name, till.bank.amounts[name], f"n-{chance.random()}"))
    elif till.bank.orders[name].told is Told.OPEN:
        await till.payments.heard(till.says_failed(name, f"n-{chance.random()}"))


async def agree(till: Till) -> None:
    """What must hold at every moment."""
    twice = await till.db.fetch(
        "SELECT payment FROM pay_tries WHERE state = 'paid' AND NOT extra GROUP BY 1 HAVING count(*) > 1"
    )
    assert not twice
    extra = await till.db.fetchval(
        """
        SELECT count(*) FROM pay_tries t WHERE extra AND NOT EXISTS (
            SELECT FROM pay_refunds r WHERE r.try = t.id AND r.amount_fen = t.amount_fen)
        """
    )
    assert extra == 0, "taken twice and not sent back"
    books = await till.db.fetchval("SELECT coalesce(sum(amount_fen), 0) FROM payments WHERE state = 'paid'")
    back = await till.db.fetchval(
        "SELECT coalesce(sum(refunded_fen), 0) FROM pay_tries WHERE state = 'paid' AND NOT extra"
    )
    told_paid = sum(fen for what, _, fen in till.owner.told if what == "paid" and isinstance(fen, int))
    told_back = sum(fen for what, _, fen in till.owner.told if what == "refunded" and isinstance(fen, int))
    assert (books, back) == (told_paid, told_back)
    objects = [trip for what, trip, _ in till.owner.told if what == "paid"]
    assert len(objects) == len(set(objects)), "told paid twice"


async def replayed(till: Till) -> None:
    """The events alone tell where each machine stands (domain-rules 9.2)."""
    for machine, table in (("payment", "payments"), ("try", "pay_tries"), ("refund", "pay_refunds")):
        differing = await till.db.fetchval(
            f"""
            SELECT count(*) FROM {table} t WHERE t.state <> (
                SELECT new FROM payment_events e WHERE e.machine = $1 AND e.subject = t.id
                ORDER BY step DESC LIMIT 1)
            """,  # noqa: S608 - our own words
            machine,
        )
        assert differing == 0


async def settle(till: Till) -> None:
    """The bank answers everything, and nobody stumbles any more."""
    till.owner.fails = False
    for name, fate in list(till.bank.orders.items()):
        if fate.told is Told.OPEN:
            till.bank.finish(name)
    for name in till.bank.orders:  # what was told to have failed and is paid after all is told
        await till.payments.heard(till.says_paid(name, till.bank.amounts[name], f"late-{name}"))
    for _ in range(4):
        till.bank.mind.debit = "done"
        till.later(hours=2)
        await till.payments.ask_open()
        await till.payments.ask_open()


async def live(till: Till, seed: int) -> None:
    chance = random.Random(seed)
    citizen = await till.signed()
    payments = [await till.owes(citizen, chance.choice((200, 300)), f"{citizen}-trip-{n}") for n in range(3)]
    for _ in range(14):
        acts = chance.choices(ACTS, k=chance.choice((1, 1, 2, 3)))
        done = await asyncio.gather(
            *(act(till, what, chance, citizen, payments) for what in acts), return_exceptions=True
        )
        strange = [each for each in done if isinstance(each, BaseException) and not isinstance(each, REFUSED)]
        assert not strange
        await agree(till)
    await settle(till)
    await agree(till)
    await replayed(till)
    paid = await till.db.fetchval("SELECT coalesce(sum(amount_fen), 0) FROM payments WHERE state = 'paid'")
    back = await till.db.fetchval(
        "SELECT coalesce(sum(amount_fen), 0) FROM pay_refunds r WHERE why <> 'twice'"
    )
    assert till.bank.taken_fen == paid - back, "what the wallets lost is what the books say"


@pytest.mark.parametrize("seed", range(8))
async def test_the_books_agree_whatever_happens(
    db: Database, clock: ManualClock, citizens: Citizens, seed: int
) -> None:
    """Courses of events that are drawn by the seed in the test's name."""
    till = Till.on(db, clock, citizens)
    for more in range(3):
        await live(till, seed + more * 10**9)


async def test_control_the_count_sees_a_try_that_is_paid_twice(
    db: Database, clock: ManualClock, citizens: Citizens
) -> None:
    """Where the second payment is not sent back, the comparison above fails."""
    till = Till.on(db, clock, citizens)
    citizen = await till.signed()
    await till.owes(citizen, 300, "trip-1")
    await till.payments.debit_due()
    await settle(till)
    first = till.bank.asked[0]
    till.bank.orders["unknown"] = till.bank.orders[first]
    till.bank.amounts["unknown"] = 300
    paid = await till.db.fetchval("SELECT sum(amount_fen) FROM payments WHERE state = 'paid'")
    with pytest.raises(AssertionError):
        assert till.bank.taken_fen == paid
