"""Payments: contracts without a password, what is owed and how it is debited, and what goes back."""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.payments import contracts_store, listing, store
from services.payments.bank import Bank
from services.payments.contracts import Contracts
from services.payments.contracts_store import Step
from services.payments.debits import Debits
from services.payments.errors import AlreadyPaid, NoSuchPayment, NotSigned, PaymentAsked
from services.payments.listing import Which
from services.payments.model import (
    Contract,
    ContractNotice,
    ContractState,
    DebitNotice,
    Debt,
    Notice,
    Payment,
    PaymentState,
    RefundNotice,
)
from services.payments.refunds import Refunds
from services.payments.reports import Owner, Reports

__all__ = [
    "AlreadyPaid",
    "Contract",
    "ContractState",
    "Debt",
    "NotSigned",
    "Owner",
    "Payment",
    "PaymentAsked",
    "PaymentState",
    "Payments",
]


class Payments:
    """Contracts, debts, tries and refunds; a change and what its owner makes of it are one transaction.

    Nothing waits for WeChat Pay inside a transaction. What it was asked and did not answer is found out by
    `ask_open`; what it tells by itself comes in by `heard`.
    """

    def __init__(self, db: Database, bank: Bank, citizens: Citizens, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._reports = Reports()
        self._contracts = Contracts(db, bank, citizens, clock, self._reports)
        self._refunds = Refunds(db, bank, clock, self._reports)
        self._debits = Debits(db, bank, clock, self._reports, self._contracts, self._refunds)

    def report_to(self, purpose: str, owner: Owner) -> None:
        """Name the owner of a purpose and of the plan of the same name, at boot."""
        self._reports.to(purpose, owner)

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str:
        """The address of WeChat Pay's page where the citizen signs; the contract is `asked` from now on.

        WeChat Pay goes back to the page that sent her there (its Referer): that has to be `back`, with
        `<meta name="referrer" content="no-referrer-when-downgrade">`, and to use `location.href`.
        Refusals: AlreadySigned, NotReached, PayAway.
        """
        del back
        return await self._contracts.sign(citizen, plan, now)

    async def contract(self, citizen: str, plan: str) -> Contract | None:
        """The contract that counts: a signed one, else the last asked for; None before the first."""
        return await self._contracts.of(citizen, plan)

    async def end_contract(self, citizen: str, plan: str, why: str) -> None:
        """Let go of it: nothing is debited from now on; its owner is told once WeChat Pay has ended it."""
        await self._contracts.end(citizen, plan, why)

    async def let_go(self, tx: Transaction, citizen: str, plan: str, why: str) -> None:
        """As `end_contract`, in the transaction of its reason; WeChat Pay is told afterwards (`ask_open`)."""
        await self._contracts.let_go(tx, citizen, plan, why)

    async def signed(self, tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
        """Which of these citizens can be debited: they have a contract that is signed."""
        return await contracts_store.signed(tx, citizens, plan)

    async def owe(self, tx: Transaction, debt: Debt) -> str:
        """Let a citizen owe something, in the transaction of what it is for; the id of the payment.

        The same again is the same payment; another amount under the same (purpose, object, version) is a
        ValueError, for it takes a new version.
        """
        (payment,) = await self.owe_all(tx, [debt])
        return payment

    async def owe_all(self, tx: Transaction, debts: Sequence[Debt]) -> list[str]:
        """Many debts at once, each as `owe` would; their payments, in their order."""
        for purpose in {debt.purpose for debt in debts}:
            self._reports.of(purpose)
        owed = zip(debts, await store.owe(tx, debts, self._clock.now()), strict=True)
        return [payment or await _before(tx, debt) for debt, payment in owed]

    async def cancel_all(self, tx: Transaction, payments: Sequence[str], why: str) -> set[str]:
        """Take back what is not paid, in the transaction of its reason; which of them are not owed any more.

        Left out is what is paid, and what is asked for just now: its owner is told how that ended, and may
        cancel or refund then. A try that had failed and is paid after all goes back in full (P5).
        """
        if not payments:
            return set()
        step = Step("cancelled", "cancelled", "owner", why, self._clock.now())
        return await store.cancel(tx, payments, step)

    async def payment(self, payment_id: str) -> Payment:
        """A payment as it stands; NoSuchPayment."""
        found = await store.payment(self._db, payment_id)
        if found is None:
            raise NoSuchPayment
        return found

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        """Try again at once. Refusals: NoSuchPayment, AlreadyPaid, PaymentAsked, NotSigned."""
        await self._debits.pay_now(payment_id, citizen)

    async def refund(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        """Send back so much of what was paid, in the transaction of its reason; the id of the refund.

        For the same `why` once. RefundTooHigh where it would be more than was paid (P6).
        """
        return await self._refunds.ask(tx, payment_id, amount_fen, why)

    async def debit_due(self) -> int:
        """Try what is due (T4); how many payments were."""
        return await self._debits.debit_due()

    async def ask_open(self) -> int:
        """Find out what WeChat Pay did not tell (P4), and send back what is to go back; how many."""
        tries = await self._debits.ask_open()
        return tries + await self._contracts.ask_open() + await self._refunds.ask_due()

    async def heard(self, notice: Notice) -> None:
        """Believe a notify; `NotBelieved` where it does not fit. The same again changes nothing."""
        if isinstance(notice, ContractNotice):
            await self.contract_changed(notice)
        elif isinstance(notice, DebitNotice):
            await self.debit_told(notice)
        else:
            await self.refund_told(notice)

    async def contract_changed(self, notice: ContractNotice) -> None:
        """WeChat Pay tells of a contract."""
        await self._contracts.changed(notice)

    async def debit_told(self, notice: DebitNotice) -> None:
        """WeChat Pay tells of a try."""
        await self._debits.told(notice)

    async def refund_told(self, notice: RefundNotice) -> None:
        """WeChat Pay tells of a refund."""
        await self._refunds.told(notice)

    async def listed(self, which: Which, after: str, limit: int) -> list[listing.Line]:
        """What operators look at, page by page."""
        return await listing.page(self._db, which, after, limit)


async def _before(tx: Transaction, debt: Debt) -> str:
    """The payment of a debt that was written down before."""
    before = await store.owed(tx, debt)
    if before is None or before.amount_fen != debt.amount_fen:
        raise ValueError("a debt keeps its amount: another one is another version")
    return before.id
