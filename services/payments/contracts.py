"""Contracts: asked for, signed on WeChat Pay's page, ended by the citizen there or by us."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.payments import contracts_store as store
from services.payments import ladder, strays
from services.payments.bank import Bank, BankGone, BankRefused, NotBelieved, Policy, Signing
from services.payments.contracts_store import Row, Step
from services.payments.errors import AlreadySigned, NotReached, PayAway
from services.payments.model import Contract, ContractNotice, ContractState
from services.payments.naming import new_code
from services.payments.reports import Reports

BUSY = timedelta(seconds=60)
LAPSES = timedelta(minutes=20)  # WeChat Pay's page is good for ten
_AT_ONCE = 20

_log = structlog.get_logger("payments")


@dataclass(frozen=True, slots=True)
class Contracts:
    """The contracts of all citizens."""

    db: Database
    bank: Bank
    citizens: Citizens
    clock: Clock
    reports: Reports

    async def sign(self, citizen: str, plan: str, now: datetime) -> str:
        """Ask for a contract, or again for the one that is not signed yet; the page to sign it on."""
        self.reports.of(plan)
        asked, openid = await self._asked(citizen, plan, now)
        try:
            return await self.bank.presign(Signing(plan, asked.id, asked.account, openid))
        except BankRefused as refused:
            if refused.policy is not Policy.KNOWN:
                raise PayAway from refused
        except BankGone as gone:
            raise PayAway from gone
        await self._look(asked)
        found = await self.of(citizen, plan)
        raise AlreadySigned if found and found.state is ContractState.SIGNED else PayAway

    async def of(self, citizen: str, plan: str) -> Contract | None:
        """The contract that counts."""
        row = await store.latest(self.db, citizen, plan)
        return row.contract if row else None

    async def end(self, citizen: str, plan: str, why: str) -> None:
        """Let go of every contract; what WeChat Pay cannot be told now it is told later."""
        async with self.db.transaction() as tx:
            await store.alone(tx, citizen, plan)
            rows = await self.let_go(tx, citizen, plan, why)
        for row in rows:
            await self._carefully(replace(row, state=ContractState.ENDING))

    async def let_go(self, tx: Transaction, citizen: str, plan: str, why: str) -> list[Row]:
        """Let go of every contract within a transaction; WeChat Pay is told by `ask_open`."""
        now = self.clock.now()
        rows = await store.living(tx, citizen, plan)
        for row in rows:
            await store.move(tx, row.id, Step("ending", "let_go", citizen, why, now), now)
        return rows

    async def changed(self, notice: ContractNotice) -> None:
        """Believe what WeChat Pay tells of a contract of ours; the same told again changes nothing."""
        now = self.clock.now()
        async with self.db.transaction() as tx:
            row = await self._locked(tx, notice.code)
            if row and self._fits(row, notice):
                await self._tell(tx, row, notice, now)
                return
        await strays.keep(self.db, notice.id, "contract", notice.code, now)
        raise NotBelieved("a contract that is not ours")

    async def look(self, code: str) -> None:
        """Ask WeChat Pay about a contract that it does not debit by."""
        async with self.db.transaction() as tx:
            row = await store.lock(tx, code)
        if row:
            await self._carefully(row)

    async def ask_open(self) -> int:
        """Ask about contracts that were not heard of, and end those that are to be ended; how many."""
        now = self.clock.now()
        rows = await store.OPEN.take(self.db, now, now + BUSY, _AT_ONCE)
        for row in rows:
            await self._carefully(store.row_of(row))
        return len(rows)

    def _fits(self, row: Row, notice: ContractNotice) -> bool:
        return notice.plan_id == self.bank.plan_id(row.plan) and row.contract_id in {"", notice.contract_id}

    async def _asked(self, citizen: str, plan: str, now: datetime) -> tuple[Row, str]:
        """The contract to sign, and the openid of who signs it."""
        async with self.db.transaction() as tx:
            await store.alone(tx, citizen, plan)
            conversation = await self.citizens.conversation(tx, citizen)
            living = await store.living(tx, citizen, plan)
            if any(row.state is ContractState.SIGNED for row in living):
                raise AlreadySigned
            account = conversation.partition(":")[0] if conversation else ""
            again = next((row for row in living if row.account == account), None)
            row = again or _new(citizen, plan, account, now)
            if conversation:
                query = now + ladder.QUERIES[0]
                if again:
                    await store.move(tx, row.id, Step("asked", "asked_again", citizen, row.id, now), query)
                else:
                    await store.add(tx, row, Step("asked", "asked", citizen, row.id, now), query)
        found = await self.citizens.resolve_all([conversation]) if conversation else {}
        if not conversation or conversation not in found:
            raise NotReached
        return row, found[conversation].openid

    async def _carefully(self, row: Row) -> None:
        """Ask about one; while WeChat Pay is away it is put off."""
        now = self.clock.now()
        try:
            await self._look(row)
        except (BankGone, BankRefused) as away:
            _log.warning("pay_contract_put_off", contract=row.id, why=str(away))
            await store.OPEN.put_off(self.db, row.id, ladder.next_query(row.asked_at, now))

    async def _look(self, row: Row) -> None:
        found = await self.bank.agreement(row.plan, row.id)
        if found and found.signed and row.state is ContractState.ENDING:
            await self.bank.terminate(row.plan, row.id, "let go of by the service")
            await self._settled(row.id, signed=False, contract_id=found.contract_id)
        elif (found is None and row.state is ContractState.ASKED) or _too_soon(row, self.clock.now()):
            await self._not_yet(row)
        else:
            signed = found is not None and found.signed
            await self._settled(row.id, signed=signed, contract_id=found.contract_id if found else "")

    async def _not_yet(self, row: Row) -> None:
        """It was not signed so far; once the page cannot be signed any more it lapses."""
        now = self.clock.now()
        if row.state is ContractState.ENDING or now - row.asked_at < LAPSES:
            await store.OPEN.put_off(self.db, row.id, ladder.next_query(row.asked_at, now))
            return
        async with self.db.transaction() as tx:
            held = await store.lock(tx, row.id)
            if held and held.state is ContractState.ASKED and held.asked_at == row.asked_at:
                await store.move(tx, row.id, Step("ended", "lapsed", "job", row.id, now), None)

    async def _settled(self, code: str, *, signed: bool, contract_id: str) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            row = await self._locked(tx, code)
            if row:
                notice = ContractNotice(code, 0, code, contract_id, signed)
                await self._tell(tx, row, notice, now)

    async def _locked(self, tx: Transaction, code: str) -> Row | None:
        """A contract of which its owner will be told: the owner's locks come first."""
        found = await store.whose(tx, code)
        if found is None:
            return None
        citizen, plan = found
        await self.reports.of(plan).lock(tx, citizen)
        return await store.lock(tx, code)

    async def _tell(self, tx: Transaction, row: Row, notice: ContractNotice, now: datetime) -> None:
        if notice.signed:
            await self._signed(tx, row, notice, now)
        elif row.state is not ContractState.ENDED:
            await store.move(tx, row.id, Step("ended", "ended", "wechat", notice.id, now), None)
            if row.signed_at is not None:
                await self.reports.of(row.plan).contract_ended(tx, await self._seen(tx, row))

    async def _signed(self, tx: Transaction, row: Row, notice: ContractNotice, now: datetime) -> None:
        """It is signed; one that we had let go of meanwhile is ended at WeChat Pay, too."""
        if row.state is ContractState.ASKED:
            await store.name(tx, row.id, notice.contract_id, now)
            await store.move(tx, row.id, Step("signed", "signed", "wechat", notice.id, now), None)
            await store.wake_payments(tx, row.citizen, row.plan, now)
            await self.reports.of(row.plan).contract_signed(tx, await self._seen(tx, row))
        elif row.state is ContractState.ENDED:
            await store.name(tx, row.id, notice.contract_id, None)
            await store.move(tx, row.id, Step("ending", "signed_late", "wechat", notice.id, now), now)

    async def _seen(self, tx: Transaction, row: Row) -> Contract:
        held = await store.lock(tx, row.id)
        return (held or row).contract


def _new(citizen: str, plan: str, account: str, now: datetime) -> Row:
    return Row(new_code(), citizen, plan, account, ContractState.ASKED, "", now, None, now)


def _too_soon(row: Row, now: datetime) -> bool:
    """A page that is open may still be signed: what we let go of is looked at until it cannot be."""
    return row.state is ContractState.ENDING and row.signed_at is None and now - row.asked_at < LAPSES
