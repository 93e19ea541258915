"""Who is erased while something of rides is open: the contract ends at WeChat Pay, no code opens a gate."""

from collections.abc import Sequence

import pytest

from core.clock import ManualClock
from core.privacy.holdings import Holding, Subject
from core.seal import Seal
from core.stores.database import Database
from services.payments.holding import Debts
from services.transit.errors import NotOpened
from services.transit.holding import Rides
from tests.services.transit.line import after
from tests.services.transit.paying import Paying
from tests.services.transit.riding import KEY

PARTS: Sequence[Holding] = (Rides(), Debts())  # in the order of commands/holdings.py


@pytest.fixture
def paying(db: Database, clock: ManualClock, seal: Seal) -> Paying:
    return Paying(db, clock, seal)


async def erased(paying: Paying, citizen: str) -> None:
    """As after thirty days, whatever is open."""
    subject = Subject(citizen, (), (), paying.clock.now())
    async with paying.db.transaction() as tx:
        for part in PARTS:
            await part.erase(tx, subject)


async def test_who_left_with_a_contract_was_never_erased(paying: Paying) -> None:
    citizen, account = await paying.rider()
    await paying.rides(account)
    await paying.line.uploads(*await paying.line.tap(account, "hanyang", "in", after(60)))
    await paying.transit.settle_all()
    await erased(paying, citizen)
    with pytest.raises(NotOpened):
        await paying.transit.grant(citizen, KEY)
    await paying.payments.ask_open()
    assert list(paying.bank.contracts.values()) == [False], "WeChat Pay has ended it, too"
    assert await paying.db.fetchval("SELECT state FROM pay_contracts") == "ended"
    assert await paying.db.fetchval("SELECT count(*) FROM pay_contracts WHERE contract_id IS NOT NULL") == 0
    await paying.tried_in_vain()
    assert paying.bank.taken_fen == 0, "nothing is debited of who is gone"
    await paying.balances()


@pytest.mark.parametrize("state", ["consent", "active", "arrears", "suspended", "closing"])
async def test_whatever_the_account_was_it_is_closed(paying: Paying, state: str) -> None:
    citizen, account = await paying.rider()
    await paying.rides(account)
    if state == "consent":
        await paying.lets_go(citizen)
    elif state == "arrears":
        await paying.tried("poor")
    elif state == "suspended":
        await paying.transit.suspend(citizen, "operator:lin", "card found")
    elif state == "closing":
        await paying.transit.close(citizen)
    assert (await paying.transit.account(citizen)).state == state
    await erased(paying, citizen)
    assert await paying.db.fetchval("SELECT state FROM transit_accounts") == "closed"
    await paying.payments.ask_open()
    assert await paying.db.fetchval("SELECT state FROM pay_contracts") == "ended"
    await erased(paying, citizen)
