"""Ride-code accounts: opened by a contract, in arrears until paid, closed once nothing is open (T1-T5)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.payments.service import Contract, ContractState
from services.transit import accounts_store as store
from services.transit.accounts_store import Step
from services.transit.errors import Closing, InArrears, NotOpened, Suspended
from services.transit.settling import PLAN


class State(StrEnum):
    """How an account stands; `none` where there is none, or the last one is closed."""

    NONE = "none"
    CONSENT = "consent"  # agreed to, and the contract is not signed yet
    ACTIVE = "active"
    ARREARS = "arrears"
    SUSPENDED = "suspended"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `behind` trips of together `behind_fen` are not paid, `open_trips` not ended."""

    id: str
    state: State
    since: datetime | None
    behind: int = 0
    behind_fen: int = 0
    open_trips: int = 0


class Contracts(Protocol):
    """What signs and ends contracts (services/payments)."""

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str: ...
    async def contract(self, citizen: str, plan: str) -> Contract | None: ...
    async def end_contract(self, citizen: str, plan: str, why: str) -> None: ...


class Accounts:
    """The accounts of citizens: one at a time for each."""

    def __init__(self, db: Database, contracts: Contracts, clock: Clock) -> None:
        self._db = db
        self._contracts = contracts
        self._clock = clock

    async def of(self, citizen: str) -> Account:
        """How a citizen's account stands."""
        found = await store.live(self._db, citizen)
        if found is None:
            return Account("", State.NONE, None)
        return Account(found[0], State(found[1]), *found[2:])

    async def in_use(self, citizen: str) -> Account:
        """The account if it may ride now; else why not: NotOpened, InArrears, Suspended, Closing."""
        account = await self.of(citizen)
        if account.state in {State.NONE, State.CONSENT}:
            raise NotOpened
        if account.state is State.ARREARS:
            raise InArrears(count=account.behind, fen=account.behind_fen)
        if account.state is State.SUSPENDED:
            raise Suspended
        if account.state is State.CLOSING:
            raise Closing
        return account

    async def open(self, citizen: str, back: str) -> str:
        """The page of WeChat Pay where the contract is signed; the account waits for it from now on.

        To be asked for after the consent. Who has an account gets no second one.
        """
        async with self._db.transaction() as tx:
            await store.lock(tx, citizen)
            if await store.live(tx, citizen) is None:
                await store.add(tx, citizen, self._step(citizen, "open"))
        return await self._contracts.sign(citizen, PLAN, back, self._clock.now())

    async def close(self, citizen: str) -> Account:
        """Give no new codes; the account is closed as soon as nothing is open (`finish_closing`).

        Refused while something is behind: InArrears; NotOpened where there is nothing to close.
        """
        account = await self.of(citizen)
        if account.state is State.NONE:
            raise NotOpened
        if account.behind:
            raise InArrears(count=account.behind, fen=account.behind_fen)
        what = "dropped" if account.state is State.CONSENT else "closing"
        async with self._db.transaction() as tx:
            await store.step(tx, account.id, what, self._step(citizen, "close"))
        await self._finish(citizen)
        return await self.of(citizen)

    async def finish_closing(self) -> int:
        """End the contracts of accounts that are closing and have nothing open; then they are closed."""
        return await self._finish(None)

    async def _finish(self, whose: str | None) -> int:
        """Those of one citizen, or everybody's."""
        done = 0
        for account, citizen in await store.closing(self._db, whose):
            contract = await self._contracts.contract(citizen, PLAN)
            if contract is not None and contract.state is ContractState.SIGNED:
                await self._contracts.end_contract(citizen, PLAN, "closed")
            if contract is None or contract.state is not ContractState.ASKED:
                async with self._db.transaction() as tx:
                    done += await store.step(tx, account, "closed", self._step("clock", "close"))
        return done

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        """The account is in use from now on."""
        await self._stepped(tx, contract, "signed")

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        """Whoever ended it, nothing can be debited: it has to be signed anew."""
        await self._stepped(tx, contract, "unsigned")

    async def _stepped(self, tx: Transaction, contract: Contract, what: str) -> None:
        found = await store.live(tx, contract.citizen)
        if found is not None:
            await store.step(tx, found[0], what, self._step("payments", contract.id))

    def _step(self, who: str, key: str) -> Step:
        return Step(who, key, self._clock.now())
