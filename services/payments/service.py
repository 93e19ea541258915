"""Payments: contracts without a password, what is owed and how it is debited, and what goes back."""

from datetime import datetime
from typing import Protocol

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens
from services.payments.bank import Bank
from services.payments.model import (
    Contract,
    ContractNotice,
    ContractState,
    DebitNotice,
    Debt,
    Payment,
    PaymentState,
    RefundNotice,
)

__all__ = ["Contract", "ContractState", "Debt", "Owner", "Payment", "PaymentState", "Payments"]


class Owner(Protocol):
    """Whoever lets payments collect its debts; all in the transaction of what has happened."""

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        """A citizen signed; a contract's plan is the purpose of its owner."""
        ...

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        """A contract that was signed is over, whoever ended it."""
        ...

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        """A debt is paid: told once for each payment."""
        ...

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        """A try failed, or (state `stopped`) nothing is tried any more: told each time.

        `reason`: payer, contract, or unpaid when it stops.
        """
        ...

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """What the owner asked to send back has arrived: told once for each refund."""
        ...


class Payments:
    """Contracts, debts, tries and refunds; every change and what its owner makes of it are one transaction."""

    def __init__(self, db: Database, bank: Bank, citizens: Citizens, clock: Clock) -> None:
        raise NotImplementedError

    def report_to(self, purpose: str, owner: Owner) -> None:
        """Name the owner of a purpose and of the plan of the same name, at boot."""
        raise NotImplementedError

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str:
        raise NotImplementedError

    async def contract(self, citizen: str, plan: str) -> Contract | None:
        raise NotImplementedError

    async def end_contract(self, citizen: str, plan: str, why: str) -> None:
        raise NotImplementedError

    async def owe(self, tx: Transaction, debt: Debt) -> str:
        raise NotImplementedError

    async def payment(self, payment_id: str) -> Payment:
        raise NotImplementedError

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        raise NotImplementedError

    async def refund(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        raise NotImplementedError

    async def debit_due(self) -> int:
        raise NotImplementedError

    async def ask_open(self) -> int:
        raise NotImplementedError

    async def contract_changed(self, notice: ContractNotice) -> None:
        raise NotImplementedError

    async def debit_told(self, notice: DebitNotice) -> None:
        raise NotImplementedError

    async def refund_told(self, notice: RefundNotice) -> None:
        raise NotImplementedError
