"""Ride-code accounts: opened by a contract, in arrears until paid, closed once nothing is open (T1-T5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from core.clock import Clock
from core.errors import DomainError, StoreGoneError
from core.stores.database import Database, Transaction
from services.payments.service import Contract
from services.transit import accounts_store as store
from services.transit.accounts_store import Stands, Step
from services.transit.errors import Closing, InArrears, NotOpened, Suspended
from services.transit.model import PLAN, PURPOSE, State
from services.transit.standing import Signs, Standing

__all__ = ["UPLOADED", "Account", "Accounts", "Contracts", "State"]

# How long after the last code was good an account is closed: gates upload within seconds while they have a
# network, and a tunnel or a bus is without one for minutes. What is heard of later is owed all the same.
UPLOADED = timedelta(hours=1)

_log = structlog.get_logger("transit")


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `behind` trips are not paid, `behind_fen` of them, and `open_trips` have not ended.

    These count what the citizen rode with earlier accounts, too.
    """

    id: str
    state: State
    since: datetime | None
    behind: int = 0
    behind_fen: int = 0
    open_trips: int = 0

    @property
    def may_come_out(self) -> bool:
        """Whether there is a code for a way out, whatever is in the way of another ride."""
        return bool(self.open_trips) and self.state not in {State.NONE, State.SUSPENDED}


class Contracts(Signs, Protocol):
    """What signs and ends contracts (services/payments)."""

    async def sign(self, citizen: str, plan: str, back: str, now: datetime) -> str: ...
    async def let_go(self, tx: Transaction, citizen: str, plan: str, why: str) -> None: ...


class Agrees(Protocol):
    """Who knows what citizens agreed to (services/citizens)."""

    async def require(self, tx: Transaction, citizen: str, purpose: str) -> None:
        """Refuse what a citizen did not agree to; what they did stays so until the commit."""
        ...


class Accounts:
    """The accounts of citizens: one at a time for each."""

    def __init__(self, db: Database, contracts: Contracts, consents: Agrees, clock: Clock) -> None:
        self._db = db
        self._contracts = contracts
        self._consents = consents
        self._clock = clock
        self._standing = Standing(contracts)

    async def of(self, citizen: str, db: Database | Transaction | None = None) -> Account:
        """How a citizen's account stands; in a transaction where one is given."""
        found = await store.live(db or self._db, citizen)
        if found is None:
            return Account("", State.NONE, None, *await store.owed(db or self._db, citizen))
        return Account(*found)

    async def rides(self, citizen: str, tx: Transaction) -> tuple[Account, DomainError | None]:
        """The account, and what is in the way of a ride: NotOpened, InArrears, Closing, no consent, or None.

        Who was let in is let out, whatever has come in the way since. NotOpened and Suspended are raised
        where there is no account, or it opens nothing at all. It stays so until the transaction is over.
        """
        await store.kept(tx, citizen)
        account = await self.of(citizen, tx)
        if account.state is State.NONE:
            raise NotOpened
        if account.state is State.SUSPENDED:
            raise Suspended
        refusal = _NO_RIDE.get(account.state)
        return account, _unpaid(account) or (refusal() if refusal else await self._disagrees(citizen, tx))

    async def _disagrees(self, citizen: str, tx: Transaction) -> DomainError | None:
        try:
            await self._consents.require(tx, citizen, PURPOSE)
        except DomainError as refusal:
            return refusal
        return None

    async def open(self, citizen: str, back: str) -> str:
        """The page of WeChat Pay where the contract is signed; the account waits for it from now on.

        Refused without the consent. Who has an account gets no second one; who is in arrears and has no
        contract (any more) signs here before anything can be debited, and stays in arrears until it is.
        """
        async with self._db.transaction() as tx:
            await store.lock(tx, citizen)
            await self._consents.require(tx, citizen, PURPOSE)
            step = self._step(citizen, "open")
            if await store.live(tx, citizen) is None:
                await store.add(tx, citizen, step)
            await self._standing.follow(tx, [citizen], step)
        return await self._contracts.sign(citizen, PLAN, back, self._clock.now())

    async def close(self, citizen: str) -> Account:
        """Give no new codes; the account is closed as soon as nothing is open (`finish_closing`).

        Refused while something is behind: InArrears; NotOpened where there is nothing to close; Suspended.
        """
        async with self._db.transaction() as tx:
            accounts = await store.alone(tx, [citizen])
            account = await self.of(citizen, tx)
            if account.state is State.NONE:
                raise NotOpened
            if unpaid := _unpaid(account):
                raise unpaid
            if account.state is State.SUSPENDED:
                raise Suspended
            await self._close(tx, accounts, account.id)
        return await self.of(citizen)

    async def finish_closing(self) -> int:
        """Close the accounts that are closing and have nothing open, and let go of their contracts."""
        done = 0
        for citizen in await store.closing(self._db):
            try:
                done += await self._finish(citizen)
            except StoreGoneError:
                raise
            except Exception:  # noqa: BLE001 - the others' are closed, and a person looks into it
                _log.exception("account_not_closed", citizen=citizen)
        return done

    async def _finish(self, citizen: str) -> int:
        async with self._db.transaction() as tx:
            accounts = await store.alone(tx, [citizen])
            closing = [account for account in accounts if account.state is State.CLOSING]
            return sum([await self._end(tx, accounts, account, "closed") for account in closing])

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        """The account is in use from now on, or can pay what is behind; without one it is let go of again."""
        step = self._step("payments", contract.id)
        await self._standing.follow(tx, [contract.citizen], step)
        if await store.live(tx, contract.citizen) is None:
            await self._contracts.let_go(tx, contract.citizen, PLAN, "no account")

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        """Whoever ended it, nothing can be debited by it: one has to be signed anew."""
        await self._standing.follow(tx, [contract.citizen], self._step("payments", contract.id))

    async def lock(self, tx: Transaction, citizen: str) -> None:
        """Let nobody else change what hangs on a citizen's payments and contracts."""
        await store.alone(tx, [citizen])

    async def _close(self, tx: Transaction, accounts: list[Stands], account_id: str) -> None:
        """What was never used is dropped, everything else is closing first."""
        account = next(each for each in accounts if each.id == account_id)
        if account.state is State.CONSENT and await self._end(tx, accounts, account, "dropped"):
            return
        if await store.step(tx, account.id, "closing", State.CLOSING, self._step(account.citizen, "close")):
            await self._end(tx, accounts, account, "closed")

    async def _end(self, tx: Transaction, accounts: list[Stands], account: Stands, what: str) -> bool:
        """Close one if nothing is open, all in this transaction; the last one lets go of the contract."""
        now = self._clock.now()
        if not await store.is_clear(tx, account.citizen, now - UPLOADED):
            return False
        if len(accounts) == 1:
            await self._contracts.let_go(tx, account.citizen, PLAN, "closed")
        return await store.step(tx, account.id, what, "closed", self._step("clock", "close"))

    def _step(self, who: str, key: str) -> Step:
        return Step(who, key, self._clock.now())


_NO_RIDE: Mapping[State, type[DomainError]] = {State.CONSENT: NotOpened, State.CLOSING: Closing}


def _unpaid(account: Account) -> InArrears | None:
    """T3: whatever its state says."""
    return InArrears(count=account.behind, fen=account.behind_fen) if account.behind else None
