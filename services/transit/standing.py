"""How accounts stand follows from facts: what is behind, whether a contract is signed, who was suspended."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from core.stores.database import Transaction
from services.transit import accounts_store as store
from services.transit.accounts_store import Step
from services.transit.model import PLAN, State

# What happened where an account goes from one state to another by itself. Who is suspended stays so.
_WHAT = {
    (State.CONSENT, State.ACTIVE): "signed",
    (State.CONSENT, State.ARREARS): "fell_behind",
    (State.ACTIVE, State.ARREARS): "fell_behind",
    (State.CLOSING, State.ARREARS): "fell_behind",
    (State.ACTIVE, State.CONSENT): "unsigned",
    (State.ARREARS, State.ACTIVE): "paid_up",
    (State.ARREARS, State.CONSENT): "paid_up",
    (State.ARREARS, State.CLOSING): "paid_up",
}


class Signs(Protocol):
    """What knows of contracts (services/payments)."""

    async def signed(self, tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
        """Which of these citizens have a contract that is signed."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Keeps accounts in line with the facts, for a citizen with all their accounts together (T3)."""

    contracts: Signs

    async def follow(self, tx: Transaction, citizens: Collection[str], step: Step) -> set[str]:
        """Something has changed: accounts go where the facts lead. Those of the citizens who are behind."""
        accounts = await store.alone(tx, citizens)
        behind = await store.behind(tx, citizens)
        signed = await self.contracts.signed(tx, citizens, PLAN)
        closing = await store.asked_to_close(tx, [account.id for account in accounts])
        for account in accounts:
            new = leads(
                behind=account.citizen in behind,
                signed=account.citizen in signed,
                closing=account.id in closing,
            )
            if what := _WHAT.get((account.state, new)):
                await store.step(tx, account.id, what, new, step)
        return behind

    async def restore(self, tx: Transaction, citizen: str, step: Step) -> bool:
        """Who was suspended stands as the facts lead; whether anybody was."""
        accounts = await store.alone(tx, [citizen])
        behind = await store.behind(tx, [citizen])
        signed = await self.contracts.signed(tx, [citizen], PLAN)
        closing = await store.asked_to_close(tx, [account.id for account in accounts])
        steps = []
        for account in accounts:
            new = leads(behind=bool(behind), signed=bool(signed), closing=account.id in closing)
            steps.append(await store.step(tx, account.id, "restored", new, step))
        return any(steps)


def leads(*, behind: bool, signed: bool, closing: bool) -> State:
    """Where the facts lead an account that is not suspended; `closing`: its citizen asked for it."""
    if behind:
        return State.ARREARS
    if closing:
        return State.CLOSING
    return State.ACTIVE if signed else State.CONSENT
