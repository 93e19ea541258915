"""What is behind is behind for a citizen, whatever becomes of accounts and contracts (T3)."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.payments.service import NotSigned
from services.transit import accounts_store as store
from services.transit.accounts import UPLOADED
from services.transit.dues import DEBIT_AFTER
from services.transit.errors import InArrears, NotOpened, Suspended
from tests.services.transit.line import after
from tests.services.transit.paying import Paying
from tests.services.transit.riding import BACK, KEY, Riding

OPERATOR = ("li.wei", "two phones, one code")


@pytest.fixture
def riding(db: Database, clock: ManualClock) -> Riding:
    clock.set(after(240))
    return Riding(db, clock)


async def closed(riding: Riding, citizen: str) -> None:
    """The account is closed once no gate can have anything of hers any more."""
    await riding.transit.close(citizen)
    riding.clock.move(UPLOADED)
    await riding.transit.finish_closing()
    assert await riding.state(citizen) == "none"


async def test_who_ended_the_contract_at_wechat_did_not_fall_behind(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.lets_go(citizen)
    assert await riding.state(citizen) == "consent"
    await riding.fails(payment)
    assert await riding.state(citizen) == "arrears"
    with pytest.raises(InArrears) as refused:
        await riding.transit.grant(citizen, KEY)
    assert refused.value.facts == {"count": 1, "fen": 400}


async def test_signing_anew_freed_from_arrears(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.lets_go(citizen)
    await riding.fails(payment)
    await riding.transit.open(citizen, BACK)
    await riding.signs(citizen)
    assert await riding.state(citizen) == "arrears"
    assert await riding.transit.pay(citizen) == 1
    await riding.pays(payment)
    assert await riding.state(citizen) == "active"
    assert riding.ears.told == [("behind", 400), ("recovered", 400)]


async def test_paid_after_the_contract_was_over_one_could_ride_without(riding: Riding) -> None:
    """A try that had been under way pays what was behind; the next ride cannot be debited."""
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.fails(payment)
    await riding.lets_go(citizen)
    assert await riding.state(citizen) == "arrears"
    await riding.pays(payment)
    assert await riding.state(citizen) == "consent"


async def test_who_was_suspended_did_not_fall_behind(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.transit.suspend(citizen, *OPERATOR)
    await riding.fails(payment)
    assert await riding.state(citizen) == "suspended"
    await riding.transit.restore(citizen, *OPERATOR)
    assert await riding.state(citizen) == "arrears"
    await riding.pays(payment)
    assert await riding.state(citizen) == "active"


async def test_who_paid_while_suspended_stays_suspended(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.fails(payment)
    await riding.transit.suspend((await riding.transit.account(citizen)).id, *OPERATOR)
    await riding.pays(payment)
    assert await riding.state(citizen) == "suspended"
    with pytest.raises(Suspended):
        await riding.transit.grant(citizen, KEY)
    with pytest.raises(Suspended):
        await riding.transit.close(citizen)
    await riding.lets_go(citizen)
    await riding.transit.restore(citizen, *OPERATOR)
    assert await riding.state(citizen) == "consent"
    events = "SELECT who, key, what FROM transit_account_events WHERE what IN ('suspended', 'restored')"
    assert [tuple(row) for row in await riding.db.fetch(events)] == [
        (*OPERATOR, "suspended"),
        (*OPERATOR, "restored"),
    ]


async def test_nobody_is_suspended_who_has_no_account(riding: Riding) -> None:
    with pytest.raises(NotOpened):
        await riding.transit.suspend(await riding.citizen(), *OPERATOR)


async def test_an_account_that_was_closed_and_opened_again_shed_a_debt(riding: Riding) -> None:
    """A gate is heard after she had closed: what it tells is owed, whatever account comes after."""
    citizen = await riding.opens()
    account = (await riding.transit.account(citizen)).id
    await closed(riding, citizen)
    payment = await riding.rides(citizen, account=account)
    await riding.fails(payment)
    assert (await riding.transit.account(citizen)).behind == 1
    await riding.transit.open(citizen, BACK)
    await riding.signs(citizen)
    assert await riding.state(citizen) == "arrears"
    with pytest.raises(InArrears):
        await riding.transit.grant(citizen, KEY)
    await riding.pays(payment)
    await riding.transit.grant(citizen, KEY)


async def test_what_an_earlier_account_owes_is_debited_before_the_contract_goes(riding: Riding) -> None:
    citizen = await riding.opens()
    account = (await riding.transit.account(citizen)).id
    await closed(riding, citizen)
    await riding.transit.open(citizen, BACK)
    await riding.signs(citizen)
    payment = await riding.rides(citizen, account=account)
    assert (await riding.transit.close(citizen)).state == "closing"
    riding.clock.move(2 * UPLOADED)
    assert await riding.transit.finish_closing() == 0
    await riding.pays(payment)
    assert await riding.transit.finish_closing() == 1


async def test_what_was_never_paid_was_dropped_with_a_contract_that_was_over(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.lets_go(citizen)
    assert await riding.state(citizen) == "consent"
    assert (await riding.transit.close(citizen)).state == "closing", "it is owed"
    await riding.fails(payment)
    assert await riding.state(citizen) == "arrears"
    with pytest.raises(InArrears):
        await riding.transit.close(citizen)


async def test_an_account_was_closed_while_codes_of_it_were_good(riding: Riding) -> None:
    """Who has a code may be about to ride, and gates need their time to say so."""
    citizen = await riding.opens()
    await riding.transit.grant(citizen, KEY)
    assert (await riding.transit.close(citizen)).state == "closing"
    for minutes, done in ((14, 0), (60, 0), (1, 1)):  # the grant ends after 15, gates have another hour
        riding.clock.move(timedelta(minutes=minutes))
        assert await riding.transit.finish_closing() == done
    assert riding.bank.contracts[citizen].state == "ending"


async def test_what_was_tapped_while_it_was_being_closed_was_overlooked(
    riding: Riding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what is open and the step; what is looked at by now is looked at with the step."""
    citizen = await riding.opens()
    account = (await riding.transit.account(citizen)).id
    await riding.transit.grant(citizen, KEY)
    await riding.transit.close(citizen)
    riding.clock.move(2 * UPLOADED)
    found = store.closing

    async def meanwhile(db: Database) -> list[str]:
        names = await found(db)
        await riding.line.uploads(*await riding.line.tap(account, "zhongnan", "in", after(250)))
        return names

    monkeypatch.setattr(store, "closing", meanwhile)
    assert await riding.transit.finish_closing() == 0
    assert riding.bank.contracts[citizen].state == "signed"


async def test_a_contract_that_nobody_has_an_account_for_stayed_signed(riding: Riding) -> None:
    """She signs on the page she had still open, after she had closed."""
    citizen = await riding.citizen()
    await riding.transit.open(citizen, BACK)
    assert (await riding.transit.close(citizen)).state == "none"
    assert riding.bank.contracts[citizen].state == "ending"
    await riding.signs(citizen)
    assert await riding.state(citizen) == "none"
    assert riding.bank.contracts[citizen].state == "ending", "it is let go of again"


async def test_what_was_taken_twice_goes_back_and_nobody_was_told(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await riding.pays(payment)
    async with riding.db.transaction() as tx:
        await riding.transit.taken_twice(tx, riding.bank.payments[payment], 400)
    assert riding.ears.told == [("paid", 400), ("twice", 400)]
    assert await riding.line.balance("bank") == 400, "the second one was never in the books"


async def test_behind_without_a_contract_she_signs_and_it_is_debited_by_itself(
    db: Database, clock: ManualClock, seal: Seal
) -> None:
    paying = Paying(db, clock, seal)
    citizen, account = await paying.rider()
    await paying.rides(account)
    await paying.lets_go(citizen)
    clock.move(DEBIT_AFTER)
    await paying.payments.debit_due()
    assert (await paying.transit.account(citizen)).state == "arrears"
    with pytest.raises(NotSigned):
        await paying.transit.pay(citizen)
    await paying.signs(citizen)
    assert (await paying.transit.account(citizen)).state == "arrears", "signing is not paying"
    await paying.payments.debit_due()
    assert await paying.transit.pay(citizen) == 1, "it is being tried already"
    await paying.finds_out()
    assert (await paying.transit.account(citizen)).state == "active"
    assert paying.ears.told == [("behind", 500), ("recovered", 500)]
    await paying.settled()


async def test_who_turned_out_to_be_one_human_rode_with_the_other_account(
    db: Database, clock: ManualClock, seal: Seal
) -> None:
    """The account of one is in use, that of the other in arrears, or suspended; both are hers by now."""
    paying = Paying(db, clock, seal)
    first, _ = await paying.rider()
    clock.move(UPLOADED)
    other, account = await paying.rider()
    await paying.rides(account)
    await paying.tried("poor")
    await db.execute("SELECT refer_to_citizen($1, $2)", other, first)
    with pytest.raises(InArrears):
        await paying.transit.grant(first, KEY)
    paying.bank.mind.debit = "done"
    await paying.transit.pay(first)
    await paying.finds_out()
    await paying.balances()
    await paying.transit.grant(first, KEY)
    async with db.transaction() as tx:
        await store.step(tx, account, "suspended", "suspended", store.Step(*OPERATOR, clock.now()))
    with pytest.raises(Suspended):
        await paying.transit.grant(first, KEY)
