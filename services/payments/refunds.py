"""What goes back: asked for by the owner, or because it was taken twice (domain-rules P5, P6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.payments import ladder, strays
from services.payments import refunds_store as store
from services.payments import store as payments
from services.payments.bank import Bank, BankGone, BankRefused, Fate, NotBelieved, Policy, Refund
from services.payments.contracts_store import Step
from services.payments.errors import NoSuchPayment, RefundTooHigh
from services.payments.model import RefundNotice, RefundState, Told
from services.payments.naming import new_code
from services.payments.refunds_store import Row
from services.payments.reports import Reports

BUSY = timedelta(seconds=60)
_AT_ONCE = 20

_log = structlog.get_logger("payments")


@dataclass(frozen=True, slots=True)
class Refunds:
    """The refunds of all payments."""

    db: Database
    bank: Bank
    clock: Clock
    reports: Reports

    async def ask(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        """Send back so much of a payment; for the same reason once, however often it is asked for."""
        held = await payments.lock(tx, payment_id)
        if held is None:
            raise NoSuchPayment
        paid = held.payment.amount_fen if held.paid_by else 0
        before = await store.same(tx, held.paid_by, why)
        if before and before.amount_fen == amount_fen:
            return before.id
        if before or amount_fen <= 0 or not await store.reserve(tx, held.paid_by, amount_fen):
            raise RefundTooHigh(paid_fen=paid, refunded_fen=held.payment.refunded_fen)
        return await self.write(tx, held.paid_by, amount_fen, why)

    async def write(self, tx: Transaction, try_id: str, amount_fen: int, why: str) -> str:
        """Write down a refund whose amount is reserved."""
        refund = new_code()
        step = Step("due", "asked", "job", refund, self.clock.now())
        await store.add(tx, (refund, try_id, amount_fen, why), step)
        return refund

    async def ask_due(self) -> int:
        """Ask for what is to go back, and again for what is not known to have arrived; how many."""
        now = self.clock.now()
        taken = await store.OPEN.take(self.db, now, now + BUSY, _AT_ONCE)
        for refund in taken:
            await self._carefully(refund["id"], now)
        return len(taken)

    async def told(self, notice: RefundNotice) -> None:
        """Believe what WeChat Pay tells of a refund of ours; the same told again changes nothing."""
        row = await store.find(self.db, notice.out_refund_no)
        if row is None or notice.amount_fen != row.amount_fen:
            reason = f"{notice.out_refund_no}: {'another amount' if row else 'unknown'}"
            await strays.keep(self.db, notice.id, "refund", reason, self.clock.now())
            raise NotBelieved("a refund that is not ours")
        await self._settle(row.id, Fate(notice.told, notice.amount_fen, reason=notice.reason), notice.id)

    async def _carefully(self, refund_id: str, now: datetime) -> None:
        row = await store.find(self.db, refund_id)
        if row is None:
            return
        try:
            fate = await self.bank.refund(Refund(row.id, row.try_id, row.amount_fen, row.paid_fen))
        except BankGone as gone:
            _log.warning("refund_put_off", refund=row.id, why=gone.why)
        except BankRefused as refused:
            _log.error("refund_refused", refund=row.id, code=refused.code)
            if refused.policy is Policy.ABSENT:
                await self._settle(row.id, Fate(Told.FAILED, reason=refused.code), row.id)
        else:
            if fate.told is not Told.OPEN:
                await self._settle(row.id, fate, row.id)
        await store.OPEN.put_off(self.db, row.id, ladder.next_query(row.asked_at, now))

    async def _settle(self, refund_id: str, fate: Fate, key: str) -> None:
        """Under the payment's lock; whoever comes second finds it done."""
        found = await store.find(self.db, refund_id)
        if found is None or fate.told is Told.OPEN:
            return
        async with self.db.transaction() as tx:
            await self.reports.lock(tx, found.payment)
            await payments.lock(tx, found.payment)
            row = await store.find(tx, refund_id)
            if row is None or row.state is RefundState.DONE:
                return
            if fate.told is Told.DONE:
                await self._arrived(tx, row, key)
            elif row.state is RefundState.DUE:
                step = Step("failed", "failed", "wechat", key, self.clock.now())
                await store.move(tx, row.id, step, fate.reason, None)

    async def _arrived(self, tx: Transaction, row: Row, key: str) -> None:
        """It has gone back; of what was taken twice its owner never knew."""
        step = Step("done", "done", "wechat", key, self.clock.now())
        await store.move(tx, row.id, step, "", None)
        await store.arrived(tx, row.try_id, row.amount_fen)
        payment = await payments.payment(tx, row.payment)
        if payment and not row.extra:
            await self.reports.of(payment.purpose).refunded(tx, payment, row.amount_fen)
