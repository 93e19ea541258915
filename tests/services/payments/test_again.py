"""What comes to no end by itself: it is staff's after seven days, and a person has it asked for anew (T4)."""

import pytest

from core.stores.database import Database
from services.payments.again import again
from services.payments.listing import Which
from services.payments.model import RefundNotice, Told
from tests.services.payments.till import PLAN, Till

LIN = ("operator:lin", "the merchant may debit again")


async def days(till: Till, hours: int) -> None:
    """Time passes, and the jobs run."""
    for _ in range(hours // 4):
        till.later(hours=4)
        await till.payments.debit_due()
        await till.payments.ask_open()


async def listed(till: Till, which: Which) -> list[tuple[str, str]]:
    return [(each.id, each.note) for each in await till.payments.listed(which, "", 10)]


async def test_a_refusal_for_our_own_settings_never_came_to_an_end(till: Till) -> None:
    payment = await till.owes(await till.signed())
    till.bank.mind.debit = "ours"
    await till.payments.debit_due()
    assert await listed(till, Which.FAILED) == [(payment, "1 try, configuration: RULE_LIMIT")]
    await days(till, 8 * 24)
    assert await listed(till, Which.STAFF) == [(payment, "5 tries, configuration: RULE_LIMIT")]
    assert len(till.bank.asked) == 5, "by the ladder, not every ten minutes"
    assert "failed" not in till.owner.words(), "nobody falls behind for our settings"


async def test_what_was_given_up_is_tried_anew(till: Till, db: Database) -> None:
    payment = await till.owes(await till.signed())
    till.bank.mind.debit = "ours"
    await till.payments.debit_due()
    assert not await again(db, till.clock, payment, *LIN), "it is tried by itself"
    await days(till, 8 * 24)
    till.bank.mind.debit = "poor"
    assert await again(db, till.clock, payment, *LIN)
    await till.payments.debit_due()
    assert till.owner.told[-1] == ("failed", "trip-1", "payer")
    till.bank.mind.debit = "done"
    await days(till, 8)
    assert await till.state(payment) == "paid"
    who = "SELECT who, key FROM payment_events WHERE subject = $1 AND what = 'again'"
    assert [tuple(row) for row in await db.fetch(who, payment)] == [LIN]


async def test_a_debit_that_never_arrived_was_asked_for_without_end(till: Till) -> None:
    payment = await till.owes(await till.signed())
    till.bank.mind.debit = "never"
    await till.payments.debit_due()
    await days(till, 9 * 24)
    assert await listed(till, Which.STAFF) == [(payment, "1 try, configuration: it never arrived")]


async def test_a_contract_that_was_let_go_of_was_debited_by(till: Till, db: Database) -> None:
    """A debit did not arrive; she ends everything; then it was asked for again, by the same contract."""
    citizen = await till.signed()
    payment = await till.owes(citizen)
    till.bank.mind.debit = "never"
    await till.payments.debit_due()
    async with db.transaction() as tx:
        await till.payments.let_go(tx, citizen, PLAN, "test")
    till.bank.mind.debit = "done"
    till.later(minutes=1)
    await till.payments.ask_open()
    assert till.bank.taken_fen == 0
    assert await till.state(payment) == "owed"
    assert ("failed", "trip-1", "contract") in till.owner.told


async def test_control_with_its_contract_it_is_asked_for_again(till: Till) -> None:
    await till.owes(await till.signed())
    till.bank.mind.debit = "never"
    await till.payments.debit_due()
    till.bank.mind.debit = "done"
    till.later(minutes=1)
    await till.payments.ask_open()
    assert till.bank.taken_fen == 300


async def test_a_refund_that_failed_is_asked_for_anew(till: Till, db: Database) -> None:
    await till.owes(await till.signed())
    await till.payments.debit_due()
    till.later(minutes=1)
    await till.payments.ask_open()
    (payment,) = [row[0] for row in await db.fetch("SELECT id FROM payments")]
    refund = await till.goes_back(payment, 100)
    await till.payments.heard(RefundNotice("n-9", refund, Told.FAILED, 100, "ABNORMAL"))
    assert await listed(till, Which.REFUNDS) == [(refund, "ABNORMAL")]
    await days(till, 48)
    assert till.bank.taken_fen == 300, "nobody asks by itself"
    assert await again(db, till.clock, refund, *LIN)
    await till.payments.ask_open()
    assert till.bank.taken_fen == 200
    assert await listed(till, Which.REFUNDS) == []
    assert not await again(db, till.clock, refund, *LIN), "it is done"


@pytest.mark.parametrize("reason", ["", "x" * 201])
async def test_a_reason_is_asked_for(till: Till, db: Database, reason: str) -> None:
    with pytest.raises(ValueError, match="why"):
        await again(db, till.clock, "pay_x", "operator:lin", reason)
