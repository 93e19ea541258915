"""Who is told what has become of their debts and contracts."""

from typing import Protocol

from core.stores.database import Transaction
from services.payments import store
from services.payments.model import Contract, Payment


class Owner(Protocol):
    """Whoever lets payments collect its debts; all in the transaction of what has happened.

    Whatever is raised takes the step back, and it is made again later. So that nobody waits in a circle,
    locks are taken in one order: what an owner locks of a citizen, then contracts, then payments. Who asks
    for something in a transaction of its own (`cancel_all`, `refund`, `let_go`) has its own before, too.
    """

    async def lock(self, tx: Transaction, citizen: str) -> None:
        """Lock what changes with a citizen's contracts and payments; none of ours is locked yet."""
        ...

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        """A citizen signed; a contract's plan is the purpose of its owner."""
        ...

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        """A contract that was signed is over, whoever ended it."""
        ...

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        """A debt is paid: told once for each payment, whose row is locked meanwhile (below, too)."""
        ...

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        """A try failed, or (state `stopped`) nothing is tried any more: told each time.

        `reason`: payer, contract, or unpaid when it stops.
        """
        ...

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """What the owner asked to send back has arrived: told once for each refund."""
        ...

    async def taken_twice(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """So much was taken again of what was paid, or cancelled, before: all of it goes back (P5).

        Its owner's books know of neither; the citizen is to be told.
        """
        ...


class Reports:
    """The owners by purpose; a plan is named after the purpose it serves."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}

    def to(self, purpose: str, owner: Owner) -> None:
        """Name an owner, at boot; each purpose has one."""
        if purpose in self._owners:
            raise ValueError(f"{purpose} has an owner already")
        self._owners[purpose] = owner

    def of(self, purpose: str) -> Owner:
        """The owner of a purpose; without one nothing of it can be owed or signed."""
        if purpose not in self._owners:
            raise ValueError(
                f"nobody collects for {purpose!r}: name its owner with Payments.report_to at boot"
            )
        return self._owners[purpose]

    async def lock(self, tx: Transaction, payment_id: str) -> None:
        """Let the owner of a payment take its locks, before ours are taken."""
        found = await store.payment(tx, payment_id)
        if found:
            await self.of(found.purpose).lock(tx, found.citizen)
