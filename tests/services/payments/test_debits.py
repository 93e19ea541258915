"""A debt is debited once: at once, on the ladder, or when she asks; whatever the bank does (T4, P1–P5)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from core.clock import ManualClock
from core.stores.database import Database
from services.citizens.service import Citizens
from services.payments import ladder
from services.payments.bank import Debit, NotBelieved
from services.payments.errors import AlreadyPaid, NoSuchPayment, NotSigned, PaymentAsked
from services.payments.model import Told
from tests.services.payments.till import PLAN, PlayedBank, Till


async def test_a_trip_is_debited_and_its_owner_told_once(till: Till) -> None:
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    assert await till.state(payment) == "asked", "taken in is not paid"
    till.later(seconds=61)
    await till.payments.ask_open()
    await till.payments.ask_open()
    assert await till.state(payment) == "paid"
    assert till.owner.told[1:] == [("paid", "trip-1", 300)]
    assert till.bank.taken_fen == 300


async def test_the_same_debt_is_owed_once_and_another_amount_is_another_version(till: Till) -> None:
    citizen = await till.signed()
    assert await till.owes(citizen) == await till.owes(citizen)
    with pytest.raises(ValueError, match="another version"):
        await till.owes(citizen, 400)
    assert await till.owes(citizen, 400, version=1) != await till.owes(citizen)


async def test_what_its_owner_takes_back_is_not_owed(till: Till) -> None:
    citizen = await till.signed()
    await asyncio.gather(_book_and_fall(till, citizen), return_exceptions=True)
    assert await till.payments.debit_due() == 0


async def _book_and_fall(till: Till, citizen: str) -> None:
    async with till.db.transaction() as tx:
        await till.payments.owe(tx, till.debt(citizen))
        raise RuntimeError("the trip was not booked")


async def test_nobody_owes_for_a_purpose_without_an_owner(till: Till) -> None:
    citizen = await till.signed()
    async with till.db.transaction() as tx:
        with pytest.raises(ValueError, match="report_to"):
            await till.payments.owe(tx, replace(till.debt(citizen), purpose="parking"))
    with pytest.raises(ValueError, match="already"):
        till.payments.report_to(PLAN, till.owner)


async def test_too_little_money_then_the_ladder_then_the_staff_list(till: Till) -> None:
    till.bank.mind.debit = "poor"
    payment = await till.owes(await till.signed())
    tried: list[timedelta] = []
    began = till.clock.now()
    for _ in range(24 * 8):
        if await till.payments.debit_due() and await till.state(payment) == "owed":
            tried.append(till.clock.now() - began)
        till.later(hours=1)
    assert tried == list(ladder.STEPS)
    assert await till.state(payment) == "stopped"
    assert till.owner.told[1:] == [("failed", "trip-1", "payer")] * 5 + [("failed", "trip-1", "unpaid")]
    assert len(set(till.bank.asked)) == 5, "each try has a name of its own"


async def test_steps_that_passed_while_nobody_was_there_are_one_try(till: Till) -> None:
    till.bank.mind.debit = "poor"
    await till.owes(await till.signed())
    await till.payments.debit_due()
    till.later(hours=30)
    for _ in range(3):
        await till.payments.debit_due()
    assert len(till.bank.asked) == 2


async def test_nothing_is_debited_before_it_is_due(till: Till) -> None:
    citizen = await till.signed()
    debt = till.debt(citizen)
    async with till.db.transaction() as tx:
        await till.payments.owe(tx, replace(debt, due_at=till.clock.now() + timedelta(hours=2)))
    assert await till.payments.debit_due() == 0
    till.later(hours=2)
    assert await till.payments.debit_due() == 1


async def test_she_pays_now_and_need_not_wait_for_the_ladder(till: Till) -> None:
    till.bank.mind.debit = "poor"
    citizen = await till.signed()
    payment = await till.owes(citizen)
    await till.payments.debit_due()
    till.bank.mind.debit = "done"
    await till.payments.pay_now(payment, citizen)
    with pytest.raises(PaymentAsked):
        await till.payments.pay_now(payment, citizen)
    till.later(seconds=61)
    await till.payments.ask_open()
    with pytest.raises(AlreadyPaid):
        await till.payments.pay_now(payment, citizen)
    with pytest.raises(NoSuchPayment):
        await till.payments.pay_now(payment, await till.citizen())
    with pytest.raises(NoSuchPayment):
        await till.payments.payment("pay_nobody")


async def test_what_was_given_up_she_can_still_pay(till: Till) -> None:
    till.bank.mind.debit = "poor"
    citizen = await till.signed()
    payment = await till.owes(citizen)
    await till.payments.debit_due()
    till.later(days=8)
    await till.payments.debit_due()
    assert await till.state(payment) == "stopped"
    till.bank.mind.debit = "done"
    await till.payments.pay_now(payment, citizen)
    till.later(seconds=61)
    await till.payments.ask_open()
    assert await till.state(payment) == "paid"


async def test_without_a_contract_it_is_owed_and_signing_one_pays_it(till: Till) -> None:
    citizen = await till.citizen()
    payment = await till.owes(citizen)
    await till.payments.debit_due()
    assert till.owner.told == [("failed", "trip-1", "contract")]
    with pytest.raises(NotSigned):
        await till.payments.pay_now(payment, citizen)
    await till.payments.heard(till.says_signed(await till.asked(citizen)))
    await till.payments.debit_due()
    assert await till.state(payment) == "asked", "signing wakes what waits"


async def test_a_contract_she_ended_in_wechat_is_found_by_the_debit(till: Till) -> None:
    citizen = await till.signed()
    till.bank.mind.debit = "ended"
    till.bank.contracts = dict.fromkeys(till.bank.contracts, False)
    await till.owes(citizen)
    await till.payments.debit_due()
    assert till.owner.told[1:] == [("failed", "trip-1", "contract"), ("ended", citizen, "ended")]


@pytest.mark.parametrize("mind", ["lost", "never"])
async def test_an_answer_that_never_came_is_asked_for_and_not_paid_twice(till: Till, mind: str) -> None:
    till.bank.mind.debit = mind
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    till.bank.mind.debit = "done"
    for _ in range(4):
        till.later(minutes=3)
        await till.payments.debit_due()
        await till.payments.ask_open()
    assert await till.state(payment) == "paid"
    assert len(set(till.bank.asked)) == 1, "what may have arrived is asked for again under its own name"
    assert (till.bank.taken_fen, till.owner.words()) == (300, ["signed", "paid"])


async def test_killed_between_the_row_and_the_request(till: Till) -> None:
    till.bank.mind.debit = "broken"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    assert await till.state(payment) == "asked"
    till.bank.mind.debit = "done"
    till.later(seconds=31)
    assert await till.payments.ask_open() == 0, "whoever began it may still be asking"
    till.later(seconds=31)
    await till.payments.ask_open()
    till.later(minutes=5)
    await till.payments.ask_open()
    assert (await till.state(payment), till.bank.taken_fen) == ("paid", 300)


async def test_a_busy_bank_is_asked_again_and_nobody_falls_into_arrears(till: Till) -> None:
    till.bank.mind.debit = "later"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    assert (await till.state(payment), till.owner.words()) == ("asked", ["signed"])
    till.bank.mind.debit = "done"
    for _ in range(3):
        till.later(minutes=11)
        await till.payments.ask_open()
    assert await till.state(payment) == "paid"


async def test_the_owner_that_stumbles_over_one_stops_no_other(till: Till) -> None:
    citizen = await till.signed()
    payment = await till.owes(citizen)
    await till.payments.debit_due()
    till.later(seconds=61)
    till.owner.fails = True
    await till.payments.ask_open()
    assert await till.state(payment) == "asked", "its step was taken back"
    till.owner.fails = False
    till.later(seconds=61)
    await till.payments.ask_open()
    assert till.owner.words() == ["signed", "paid"]


class Crowded(PlayedBank):
    """Counts the requests that are under way at once; each waits until as many as expected are."""

    most = 0
    under_way = 0
    expected = 1
    enough: asyncio.Event

    async def _hook(self, debit: Debit) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.most >= self.expected:
            self.enough.set()
        await asyncio.wait_for(self.enough.wait(), 5)
        self.under_way -= 1


@pytest.fixture
def crowded(db: Database, clock: ManualClock, citizens: Citizens) -> Till:
    bank = Crowded()
    bank.enough = asyncio.Event()
    return Till.on(db, clock, citizens, bank)


async def test_four_processes_ask_for_one_payment_once(crowded: Till) -> None:
    citizen = await crowded.signed()
    payment = await crowded.owes(citizen)
    pay = [crowded.payments.pay_now(payment, citizen) for _ in range(2)]
    done = await asyncio.gather(
        *(crowded.payments.debit_due() for _ in range(4)), *pay, return_exceptions=True
    )
    refused = [each for each in done if isinstance(each, BaseException)]
    assert all(isinstance(each, PaymentAsked) for each in refused)
    assert isinstance(crowded.bank, Crowded)
    assert (crowded.bank.most, len(crowded.bank.asked)) == (1, 1)
    crowded.later(seconds=61)
    await asyncio.gather(*(crowded.payments.ask_open() for _ in range(4)))
    assert crowded.owner.words() == ["signed", "paid"]


async def test_control_three_payments_do_reach_the_bank_at_once(crowded: Till) -> None:
    """What is counted above would be seen: requests for different payments are under way together."""
    assert isinstance(crowded.bank, Crowded)
    citizen = await crowded.signed()
    for trip in range(3):
        await crowded.owes(citizen, trip=f"trip-{trip}")
    crowded.bank.expected = 3
    await crowded.payments.debit_due()
    assert crowded.bank.most == 3


async def test_two_open_tries_of_one_payment_are_refused_by_the_table(till: Till) -> None:
    till.bank.mind.debit = "open"
    await till.owes(await till.signed())
    await till.payments.debit_due()
    with pytest.raises(asyncpg.UniqueViolationError, match="pay_tries_one_open"):
        await till.db.execute(
            """
            INSERT INTO pay_tries (id, payment, no, contract, amount_fen, state, asked_at, next_query_at,
                                   what, who, key, changed_at)
            SELECT repeat('z', 32), payment, 2, contract, amount_fen, 'open', asked_at, asked_at, 'opened',
                   'test', 'test', asked_at FROM pay_tries
            """
        )


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE payments SET state = 'paid', step = step + 1", "does not lead"),
        ("UPDATE payments SET amount_fen = 1", "does not change"),
        ("UPDATE pay_tries SET amount_fen = 1", "does not change"),
        ("UPDATE pay_tries SET state = 'failed', next_query_at = NULL", "does not lead"),
        ("DELETE FROM payment_events", "append"),
    ],
)
async def test_the_tables_refuse_what_is_no_step(till: Till, statement: str, why: str) -> None:
    await till.owes(await till.signed())
    await till.payments.debit_due()
    with pytest.raises(asyncpg.PostgresError, match=why):
        await till.db.execute(statement)


async def test_told_by_notify_twice_late_and_at_once(till: Till) -> None:
    till.bank.mind.debit = "open"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    notice = till.says_paid(till.bank.asked[0])
    await asyncio.gather(*(till.payments.heard(notice) for _ in range(4)))
    till.later(days=1)
    await till.payments.heard(notice)
    assert (await till.state(payment), till.owner.words()) == ("paid", ["signed", "paid"])


async def test_failed_told_after_paid_changes_nothing(till: Till) -> None:
    till.bank.mind.debit = "open"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    await till.payments.heard(till.says_paid(till.bank.asked[0]))
    await till.payments.heard(till.says_failed(till.bank.asked[0]))
    assert (await till.state(payment), till.owner.words()) == ("paid", ["signed", "paid"])


async def test_an_order_of_nobody_another_amount_and_another_appid_are_kept_for_a_person(till: Till) -> None:
    till.bank.mind.debit = "open"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    name = till.bank.asked[0]
    right = till.says_paid(name)
    foreign = type(right)("n-7", name, Told.DONE, 300, "wx-other", "4200")
    for notice in (till.says_paid("y" * 32, notice="n-5"), till.says_paid(name, 1, "n-6"), foreign):
        with pytest.raises(NotBelieved):
            await till.payments.heard(notice)
    assert await till.state(payment) == "asked"
    assert await till.db.fetchval("SELECT count(*) FROM pay_strays") == 3


async def test_told_to_have_failed_and_paid_after_all_the_second_one_goes_back(till: Till) -> None:
    """P5: the first try is paid late, when the second has paid already."""
    till.bank.mind.debit = "open"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    first = till.bank.asked[0]
    await till.payments.heard(till.says_failed(first))
    assert await till.state(payment) == "owed"
    till.bank.mind.debit = "done"
    till.later(hours=1)
    await till.payments.debit_due()
    till.later(seconds=61)
    await till.payments.ask_open()
    assert await till.state(payment) == "paid"
    till.bank.finish(first)
    await till.payments.heard(till.says_paid(first, notice="n-late"))
    assert till.bank.taken_fen == 600
    await till.payments.ask_open()
    assert till.bank.taken_fen == 300
    assert till.owner.words() == ["signed", "failed", "paid", "twice"], "told that it goes back (P5)"


async def test_told_to_have_failed_and_paid_before_the_next_try(till: Till) -> None:
    till.bank.mind.debit = "open"
    payment = await till.owes(await till.signed())
    await till.payments.debit_due()
    await till.payments.heard(till.says_failed(till.bank.asked[0]))
    await till.payments.heard(till.says_paid(till.bank.asked[0], notice="n-late"))
    assert await till.state(payment) == "paid"
    till.later(hours=2)
    assert await till.payments.debit_due() == 0
