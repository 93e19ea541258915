"""What payments keep of a citizen, and what goes when she is erased."""

from core.privacy.holdings import Subject
from services.payments.holding import Debts
from services.payments.listing import Which
from tests.services.payments.till import PLAN, Till


async def test_debts_and_contracts_keep_her_until_they_are_over_then_only_the_books(till: Till) -> None:
    citizen = await till.signed()
    payment = await till.owes(citizen)
    subject = Subject(citizen, (), (), till.clock.now())
    assert await Debts().obligations(till.db, subject) == 2
    mine = await Debts().mine(till.db, subject)
    assert (mine.count, mine.entries[0]["text"]) == (1, "2号线 中南路→光谷广场")
    await till.payments.debit_due()
    till.later(seconds=61)
    await till.payments.ask_open()
    assert await till.state(payment) == "paid"
    await till.payments.end_contract(citizen, PLAN, "closed")
    assert await Debts().obligations(till.db, subject) == 0
    async with till.db.transaction() as tx:
        assert await Debts().stays(tx, subject) == {"payments": 1}
        await Debts().erase(tx, subject)
    assert (await till.payments.payment(payment)).text == ""
    assert await till.db.fetchval("SELECT count(*) FROM pay_contracts WHERE contract_id IS NOT NULL") == 0


async def test_operators_see_what_is_open_failed_given_up_and_strange(till: Till) -> None:
    till.bank.mind.debit = "poor"
    citizen = await till.signed()
    for trip in range(3):
        await till.owes(citizen, trip=f"trip-{trip}")
    assert len(await till.payments.listed(Which.OPEN, "", 10)) == 3
    assert await till.payments.listed(Which.FAILED, "", 10) == []
    await till.payments.debit_due()
    first = await till.payments.listed(Which.FAILED, "", 2)
    assert len(first) == 2
    assert len(await till.payments.listed(Which.FAILED, first[-1].id, 2)) == 1
    assert first[0].about.startswith("transit trip-")
    assert first[0].note == "1 try, payer: NOT_ENOUGH"
    till.later(days=8)
    await till.payments.debit_due()
    assert len(await till.payments.listed(Which.STAFF, "", 10)) == 3
    assert await till.payments.listed(Which.REFUNDS, "", 10) == []
    assert await till.payments.listed(Which.STRAYS, "", 10) == []
