"""What its owner takes back is not debited; what was taken of it all the same goes back in full (P5)."""

import asyncio

import pytest

from core.privacy.holdings import Subject
from services.payments.errors import AlreadyPaid
from services.payments.holding import Debts
from services.payments.listing import Which
from services.payments.model import PaymentState
from tests.services.payments.till import Till


async def taken_back(till: Till, *payments: str) -> set[str]:
    async with till.db.transaction() as tx:
        return await till.payments.cancel_all(tx, payments, "repriced")


async def test_what_was_not_tried_yet_is_never_tried(till: Till) -> None:
    citizen = await till.signed()
    payment, other = await till.owes(citizen), await till.owes(citizen, trip="trip-2")
    assert await taken_back(till, payment, "pay_nobody") == {payment}
    assert await taken_back(till, payment) == set(), "once"
    await till.payments.debit_due()
    assert len(till.bank.asked) == 1
    assert (await till.payments.payment(other)).state is PaymentState.ASKED
    with pytest.raises(AlreadyPaid):
        await till.payments.pay_now(payment, citizen)
    assert [line.id for line in await till.payments.listed(Which.OPEN, "", 9)] == [other]


async def test_what_is_cancelled_keeps_nobody_from_leaving(till: Till) -> None:
    citizen = await till.signed()
    subject = Subject(citizen, (), (), till.clock.now())
    before = await Debts().obligations(till.db, subject)
    payment = await till.owes(citizen)
    assert await Debts().obligations(till.db, subject) == before + 1
    await taken_back(till, payment)
    assert await Debts().obligations(till.db, subject) == before


async def test_a_try_under_way_goes_on(till: Till) -> None:
    payment = await till.owes(await till.signed())
    till.bank.mind.debit = "open"
    await till.payments.debit_due()
    assert await taken_back(till, payment) == set()
    till.bank.finish(till.bank.asked[0])
    await till.payments.heard(till.says_paid(till.bank.asked[0]))
    assert await till.state(payment) == "paid"
    assert await taken_back(till, payment) == set()


async def test_told_to_have_failed_then_cancelled_then_paid_after_all(till: Till) -> None:
    payment = await till.owes(await till.signed())
    till.bank.mind.debit = "open"
    await till.payments.debit_due()
    name = till.bank.asked[0]
    await till.payments.heard(till.says_failed(name))
    assert await taken_back(till, payment) == {payment}
    till.bank.finish(name)
    for notice in ("n-5", "n-6"):
        await till.payments.heard(till.says_paid(name, notice=notice))
    assert till.owner.told[1:] == [("failed", "trip-1", "payer"), ("twice", "trip-1", 300)], "told once"
    assert await till.state(payment) == "cancelled"
    await till.payments.ask_open()
    assert till.bank.taken_fen == 0


async def test_cancelled_and_debited_at_once_only_one_happens(till: Till) -> None:
    citizen = await till.signed()
    till.bank.mind.debit = "open"
    for number in range(12):
        payment = await till.owes(citizen, trip=f"trip-{number}")
        asked = len(till.bank.asked)
        gone, _ = await asyncio.gather(taken_back(till, payment), till.payments.debit_due())
        assert bool(gone) != (len(till.bank.asked) > asked), "either it is asked for, or it is taken back"
        assert await till.state(payment) == ("cancelled" if gone else "asked")


async def test_a_contract_that_is_let_go_of_with_something_else_is_ended_afterwards(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    await till.payments.heard(till.says_signed(code))
    async with till.db.transaction() as tx:
        assert await till.payments.signed(tx, {citizen}, "transit") == {citizen}
        await till.payments.let_go(tx, citizen, "transit", "closed")
        assert await till.payments.signed(tx, {citizen}, "transit") == set()
        assert till.bank.contracts[code], "nothing waits for WeChat Pay inside a transaction"
    await till.payments.ask_open()
    assert not till.bank.contracts[code]
    assert till.owner.words() == ["signed", "ended"]
