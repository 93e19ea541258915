"""Tries: begun when due, one at a time, and settled by what WeChat Pay tells (T4, P1–P5)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import StoreGoneError
from core.stores.database import Database, Transaction
from services.payments import contracts_store, ladder, store, strays
from services.payments.bank import Bank, BankGone, BankRefused, Debit, Fate, NotBelieved, Policy
from services.payments.contracts import Contracts
from services.payments.contracts_store import Step
from services.payments.errors import AlreadyPaid, NoSuchPayment, NotSigned, PaymentAsked
from services.payments.model import ContractState, DebitNotice, PaymentState, Told, TryState
from services.payments.naming import new_code
from services.payments.refunds import Refunds
from services.payments.reports import Reports
from services.payments.store import Held, Try

BUSY = timedelta(seconds=60)  # longer than any request of ours
_AT_ONCE = 8
_LIST = 200
_SOON = timedelta(minutes=10)  # until what could not be asked is asked again
_SURELY_NOT = {Policy.PAYER, Policy.CONTRACT, Policy.CONFIGURATION}  # nothing was taken, nor will be

_log = structlog.get_logger("payments")


@dataclass(frozen=True, slots=True)
class Debits:
    """The tries of all payments."""

    db: Database
    bank: Bank
    clock: Clock
    reports: Reports
    contracts: Contracts
    refunds: Refunds

    async def debit_due(self) -> int:
        """Try every payment that is due; how many were. One that goes wrong stops no other."""
        due = await store.due(self.db, self.clock.now(), _LIST)
        await _each(due, self._debit)
        return len(due)

    async def ask_open(self) -> int:
        """Ask what became of tries that were not heard of; how many."""
        now = self.clock.now()
        taken = await store.OPEN.take(self.db, now, now + BUSY, _AT_ONCE * 4)
        await _each([row["id"] for row in taken], self._find_out)
        return len(taken)

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        """Try at once, whatever the ladder says, unless the fate of a try is open."""
        async with self.db.transaction() as tx:
            held = await store.lock(tx, payment_id)
            if held is None or held.payment.citizen != citizen:
                raise NoSuchPayment
            if held.payment.state is PaymentState.CANCELLED:
                raise AlreadyPaid  # nothing of it is owed
            if held.payment.state is PaymentState.PAID:
                raise AlreadyPaid
            if held.payment.state is PaymentState.ASKED:
                raise PaymentAsked
            begun = await self._begin(tx, held, citizen)
            if begun is None:
                raise NotSigned
        await self._ask(begun)

    async def told(self, notice: DebitNotice) -> None:
        """Believe what WeChat Pay tells of a try of ours; the same told again changes nothing."""
        found = await store.find_try(self.db, notice.out_trade_no)
        fate = Fate(notice.told, notice.amount_fen, notice.appid, notice.transaction_id, notice.reason)
        if found is None or not self._fits(found, fate):
            reason = f"{notice.out_trade_no}: {'another amount or appid' if found else 'unknown'}"
            await strays.keep(self.db, notice.id, "debit", reason, self.clock.now())
            raise NotBelieved("a debit that is not ours")
        await self._settle(found, fate, notice.id)

    def _fits(self, found: Try, fate: Fate) -> bool:
        """P2: what was paid is what was asked for. Of what failed WeChat Pay may tell no amount."""
        if fate.told is Told.DONE or fate.amount_fen or fate.appid:
            return (fate.amount_fen, fate.appid) == (found.amount_fen, self.bank.appid(found.account))
        return True

    async def _debit(self, payment_id: str) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await self.reports.lock(tx, payment_id)
            held = await store.lock_due(tx, payment_id, now)
            if held is None:
                return
            if held.begun_at and ladder.is_over(held.begun_at, now):
                await self._stop(tx, held, now)
                return
            begun = await self._begin(tx, held, "job")
            if begun is None:
                step = Step("owed", "failed", "job", payment_id, now)
                await self._failed(tx, held, Policy.CONTRACT, step)
                return
        await self._ask(begun)

    async def _begin(self, tx: Transaction, held: Held, who: str) -> Try | None:
        """Open a try under the payment's lock; None where there is no contract to debit by."""
        payment, now = held.payment, self.clock.now()
        contract = await contracts_store.latest(tx, payment.citizen, payment.plan)
        if contract is None or contract.state is not ContractState.SIGNED:
            return None
        name = new_code()
        await store.open_try(tx, held, name, contract.id, Step("open", "opened", who, name, now))
        await store.move(tx, payment.id, Step("asked", "asked", who, name, now))
        return await store.find_try(tx, name)

    async def _ask(self, begun: Try) -> None:
        """Ask for it; whatever is not surely known afterwards is found out by `ask_open`."""
        now = self.clock.now()
        debit = Debit(begun.id, begun.account, begun.contract_id, begun.amount_fen, begun.text)
        try:
            await self.bank.debit(debit)
        except BankRefused as refused:
            await self._refused(begun, refused)
        except BankGone as gone:
            _log.warning("debit_unanswered", out_trade_no=begun.id, why=gone.why)
            await store.OPEN.put_off(self.db, begun.id, now + ladder.QUERIES[0])
        else:
            await store.OPEN.put_off(self.db, begun.id, now + ladder.QUERIES[0])

    async def _refused(self, begun: Try, refused: BankRefused) -> None:
        told = _log.error if refused.policy in {Policy.CONFIGURATION, Policy.UNKNOWN} else _log.warning
        if refused.policy not in {Policy.PAYER, Policy.CONTRACT}:
            told("debit_refused", out_trade_no=begun.id, code=refused.code)
        if refused.policy in _SURELY_NOT:
            fate = Fate(Told.FAILED, reason=f"{refused.policy}: {refused.code}")
            await self._settle(begun, fate, begun.id, refused.policy)
            if refused.policy is Policy.CONTRACT:
                await self.contracts.look(begun.contract)
            return
        now = self.clock.now()
        at = now if refused.policy is Policy.KNOWN else now + ladder.QUERIES[0]
        if refused.policy is Policy.LATER:
            at = now + _SOON
        await store.OPEN.put_off(self.db, begun.id, at)

    async def _find_out(self, try_id: str) -> None:
        """Ask what became of one; what WeChat Pay does not know is asked for again (`_again`)."""
        found = await store.find_try(self.db, try_id)
        if found is None:
            return
        try:
            fate = await self.bank.fate(try_id)
        except (BankGone, BankRefused) as away:
            _log.warning("debit_query_put_off", out_trade_no=try_id, why=str(away))
            await store.OPEN.put_off(self.db, try_id, ladder.next_query(found.asked_at, self.clock.now()))
            return
        if fate is None:
            await self._again(found)
        elif fate.told is Told.OPEN:
            await store.OPEN.put_off(self.db, try_id, ladder.next_query(found.asked_at, self.clock.now()))
        elif self._fits(found, fate):
            await self._settle(found, fate, try_id)
        else:
            await strays.keep(self.db, try_id, "debit", "the query tells another amount", self.clock.now())
            await store.OPEN.put_off(self.db, try_id, self.clock.now() + ladder.LATER_QUERIES)

    async def _again(self, found: Try) -> None:
        """Ask in the same words, while its contract stands and for as long as anything is tried (T4)."""
        if ladder.is_over(found.asked_at, self.clock.now()):
            never = Fate(Told.FAILED, reason=f"{Policy.CONFIGURATION}: it never arrived")
            await self._settle(found, never, found.id, Policy.CONFIGURATION)
        elif await contracts_store.is_signed(self.db, found.contract):
            await self._ask(found)
        else:
            ended = Fate(Told.FAILED, reason=f"{Policy.CONTRACT}: ended meanwhile")
            await self._settle(found, ended, found.id, Policy.CONTRACT)

    async def _settle(self, found: Try, fate: Fate, key: str, policy: Policy = Policy.PAYER) -> None:
        """Under the payment's lock, with what its owner makes of it; who comes second finds it done.

        `policy`: what it failed for.
        """
        now = self.clock.now()
        async with self.db.transaction() as tx:
            await self.reports.lock(tx, found.payment)
            held = await store.lock(tx, found.payment)
            now_is = await store.find_try(tx, found.id)
            if held is None or now_is is None or now_is.state is TryState.PAID or fate.told is Told.OPEN:
                return
            if fate.told is Told.DONE:
                await self._paid(tx, held, now_is, fate, Step("paid", "paid", "wechat", key, now))
            elif now_is.state is TryState.OPEN:
                step = Step("failed", "failed", "wechat", key, now)
                await store.move_try(tx, found.id, step, fate.reason, fate.transaction_id)
                if held.payment.state is PaymentState.ASKED:
                    await self._failed(tx, held, policy, Step("owed", "failed", "wechat", key, now))

    async def _paid(self, tx: Transaction, held: Held, found: Try, fate: Fate, step: Step) -> None:
        what = "paid" if found.state is TryState.OPEN else "paid_late"
        mine = Step("paid", what, step.who, step.key, step.at)
        if held.paid_by or held.payment.state is PaymentState.CANCELLED:
            await store.pay_twice(tx, found.id, mine, fate.transaction_id)
            await self.refunds.write(tx, found.id, found.amount_fen, "twice")
            await self.reports.of(held.payment.purpose).taken_twice(tx, held.payment, found.amount_fen)
            return
        await store.move_try(tx, found.id, mine, "", fate.transaction_id)
        await store.pay(tx, held.payment.id, found.id, step)
        payment = await store.payment(tx, held.payment.id)
        if payment:
            await self.reports.of(payment.purpose).paid(tx, payment)

    async def _failed(self, tx: Transaction, held: Held, policy: Policy, step: Step) -> None:
        """Tried again by the ladder; for what our own settings are refused for nobody falls behind."""
        again = ladder.next_try(held.begun_at or step.at, step.at)
        await store.move(tx, held.payment.id, step, again)
        payment = await store.payment(tx, held.payment.id)
        if payment and policy is not Policy.CONFIGURATION:
            await self.reports.of(payment.purpose).failed(tx, payment, str(policy))

    async def _stop(self, tx: Transaction, held: Held, now: datetime) -> None:
        """It is staff's from now on. Of what our own settings were refused for nobody else hears."""
        await store.move(tx, held.payment.id, Step("stopped", "stopped", "job", held.payment.id, now))
        payment = await store.payment(tx, held.payment.id)
        ours = (await store.last_reason(tx, held.payment.id)).startswith(Policy.CONFIGURATION)
        if payment and not ours:
            await self.reports.of(payment.purpose).failed(tx, payment, "unpaid")


async def _each(names: Sequence[str], work: Callable[[str], Awaitable[None]]) -> None:
    """Do it for each, a few at once. A store that is gone ends it; anything else is that one's own (M9)."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with gate:
            try:
                await work(name)
            except StoreGoneError:
                raise
            except Exception as wrong:  # noqa: BLE001 - the others get theirs
                _log.error("payment_job_failed", subject=name, error=type(wrong).__name__)

    done = await asyncio.gather(*(one(name) for name in names), return_exceptions=True)
    gone = next((each for each in done if isinstance(each, BaseException)), None)
    if gone is not None:
        raise gone
