"""What goes back: never more than was paid, for one reason once, and told when it has arrived (P6)."""

import asyncio

import pytest

from core.stores.database import Database
from services.payments.bank import BankRefused, Fate, NotBelieved, Policy, Refund
from services.payments.errors import NoSuchPayment, RefundTooHigh
from services.payments.model import RefundNotice, Told
from tests.services.payments.till import Till


async def paid(till: Till, fen: int = 300) -> str:
    payment = await till.owes(await till.signed(), fen)
    await till.payments.debit_due()
    till.later(seconds=61)
    await till.payments.ask_open()
    return payment


async def test_a_part_goes_back_and_its_owner_is_told_once(till: Till) -> None:
    payment = await paid(till)
    refund = await till.goes_back(payment, 100)
    assert await till.goes_back(payment, 100) == refund, "the same reason is one refund"
    for _ in range(2):
        await till.payments.ask_open()
        await till.payments.heard(till.says_back(refund, 100))
    assert till.owner.told[2:] == [("refunded", "trip-1", 100)]
    assert (await till.payments.payment(payment)).refunded_fen == 100
    assert till.bank.taken_fen == 200


async def test_never_more_than_was_paid(till: Till) -> None:
    payment = await paid(till)
    await till.goes_back(payment, 200, "first")
    with pytest.raises(RefundTooHigh) as refused:
        await till.goes_back(payment, 101, "second")
    assert refused.value.facts["paid_fen"] == 300
    with pytest.raises(RefundTooHigh):
        await till.goes_back(payment, 150, "first")
    await till.goes_back(payment, 100, "third")


async def test_what_is_not_paid_cannot_go_back(till: Till) -> None:
    payment = await till.owes(await till.signed())
    with pytest.raises(RefundTooHigh):
        await till.goes_back(payment, 1)
    with pytest.raises(NoSuchPayment):
        await till.goes_back("pay_nobody", 1)


async def test_many_ask_at_once_and_no_more_than_was_paid_goes_back(till: Till) -> None:
    payment = await paid(till)
    asked = [till.goes_back(payment, 100, f"reason {n}") for n in range(6)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, RefundTooHigh) for each in done) == 3
    await till.payments.ask_open()
    assert till.bank.taken_fen == 0


async def test_the_bank_is_away_and_the_same_refund_is_asked_again(till: Till) -> None:
    payment = await paid(till)
    refund = await till.goes_back(payment, 300)
    till.bank.away = True
    await till.payments.ask_open()
    till.bank.away = False
    till.later(minutes=5)
    await till.payments.ask_open()
    assert (till.bank.taken_fen, list(till.bank.backs)) == (0, [refund])


async def test_a_refund_that_fails_waits_for_staff(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = await paid(till)
    refund = await till.goes_back(payment, 300)

    async def failing(_self: object, _refund: Refund) -> Fate:
        return Fate(Told.FAILED, 300, reason="ABNORMAL")

    monkeypatch.setattr(type(till.bank), "refund", failing)
    await till.payments.ask_open()
    found = await listed(till.db)
    assert found == [(refund, "failed")]
    await till.payments.heard(till.says_back(refund, 300))
    assert await listed(till.db) == [(refund, "done")], "the bank may say otherwise later"


async def test_a_refund_of_an_order_the_bank_does_not_know_waits_for_staff(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = await till.goes_back(await paid(till), 300)

    async def unknown(_self: object, _refund: Refund) -> Fate:
        raise BankRefused("RESOURCE_NOT_EXISTS", Policy.ABSENT)

    monkeypatch.setattr(type(till.bank), "refund", unknown)
    await till.payments.ask_open()
    assert await listed(till.db) == [(refund, "failed")]


async def listed(db: Database) -> list[tuple[str, str]]:
    return [(row["id"], row["state"]) for row in await db.fetch("SELECT id, state FROM pay_refunds")]


async def test_refunds_of_nobody_or_of_another_amount_are_kept_for_a_person(till: Till) -> None:
    refund = await till.goes_back(await paid(till), 300)
    for notice in (till.says_back("z" * 32, 300, "n-8"), RefundNotice("n-9", refund, Told.DONE, 299)):
        with pytest.raises(NotBelieved):
            await till.payments.heard(notice)
    assert await till.db.fetchval("SELECT count(*) FROM pay_strays") == 2
