"""The transit's counter: accounts, codes, trips and debts, for every door the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.payments.service import Contract, Payment
from services.transit import listing
from services.transit.accounts import Account, Accounts, Contracts
from services.transit.codes import Codes, Granted, Pictured
from services.transit.devices import Devices, Registered
from services.transit.fares import Because, Fare, band_fare, rounded, tariff_of
from services.transit.issuer import Issuer
from services.transit.listing import Ride
from services.transit.model import Batch, Device, Ingested
from services.transit.money import Till
from services.transit.network import Station
from services.transit.pairing import service_day
from services.transit.settling import Collects, Settling
from services.transit.taps import Taps
from services.transit.tariffs import Timetable
from services.transit.trust import Trusting, TrustList

__all__ = ["Account", "Granted", "Pictured", "Ride", "Transit"]


class Payments(Collects, Contracts, Protocol):
    """What collects the transit's money (services/payments)."""

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        """Try again at once to debit what is owed."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the transit is built of."""

    db: Database
    payments: Payments
    issuer: Issuer
    timetable: Timetable
    clock: Clock


class Transit:
    """Everything riders, gates and the clock ask of the transit; the owner of its payments, too."""

    def __init__(self, means: Parts) -> None:
        self._means = means
        self.timetable = means.timetable
        self._accounts = Accounts(means.db, means.payments, means.clock)
        self._codes = Codes(means.db, self._accounts, means.issuer, means.timetable, means.clock)
        self._taps = Taps(means.db, means.timetable.network)
        self._settling = Settling(means.db, means.timetable, means.payments, means.clock)
        self._till = Till(means.payments, means.clock)
        self._trusting = Trusting(means.db, means.issuer)
        self._devices = Devices(means.db, means.clock)

    @property
    def runs(self) -> bool:
        """Whether there is any line to ride on."""
        return bool(self.timetable.tariffs)

    async def account(self, citizen: str) -> Account:
        """How a citizen's account stands."""
        return await self._accounts.of(citizen)

    async def open(self, citizen: str, back: str) -> str:
        """The page where the contract is signed; to be asked for after the consent."""
        return await self._accounts.open(citizen, back)

    async def close(self, citizen: str) -> Account:
        """Close the account, at once or as soon as nothing is open. Refusals: NotOpened, InArrears."""
        return await self._accounts.close(citizen)

    async def grant(self, citizen: str, user_key: bytes, *, companion: bool = False) -> Granted:
        """Let a page make codes with its own key: see `Codes.grant` for the refusals."""
        return await self._codes.grant(citizen, user_key, companion=companion)

    async def picture(self, citizen: str) -> Pictured:
        """One code, for a picture."""
        return await self._codes.picture(citizen)

    async def rides(self, citizen: str, before: int | None = None) -> list[Ride]:
        """A page of a citizen's rides, the latest first; `before` is the id of the last one shown."""
        return await listing.rides(self._means.db, self.timetable.network, citizen, before)

    async def behind(self, citizen: str) -> list[Ride]:
        """The rides that could not be debited."""
        return await listing.behind(self._means.db, self.timetable.network, citizen)

    async def pay(self, citizen: str) -> int:
        """Try again now to debit everything that is behind; how many payments there are."""
        payments = await listing.payments_behind(self._means.db, citizen)
        for payment in payments:
            await self._means.payments.pay_now(payment, citizen)
        return len(payments)

    def quote(self, start: str, end: str, day: date | None = None) -> Fare:
        """What a ride costs that is not over time; KeyError for an unknown station."""
        tariff = tariff_of(self.timetable.tariffs, day or service_day(self._means.clock.now()))
        metres = self.timetable.network.metres(start, end)
        fen = tariff.least if start == end else band_fare(tariff, metres)
        return Fare(rounded(fen), Because.SAME_STATION if start == end else Because.DISTANCE, metres)

    def stations(self) -> Sequence[Station]:
        """Every station, by name."""
        return sorted(self.timetable.network.stations.values(), key=lambda each: each.name)

    async def ingest(self, device: Device, batch: Batch, now: datetime) -> Ingested:
        """Take in what a gate sends; what is new is paired at the next `settle`."""
        return await self._taps.ingest(device, batch, now)

    async def device(self, name: str) -> Registered | None:
        """A gate as it is registered."""
        return await self._devices.find(name)

    async def trust(self, device: Device, since: int, now: datetime) -> TrustList:
        """Whom a gate is to trust: always the whole list, whatever it has and whichever gate it is."""
        del device, since
        return await self._trusting.trust(now)

    async def settle(self) -> int:
        """Pair, price and ask for what is due; how many account-days there were."""
        return await self._settling.settle()

    async def settle_all(self) -> int:
        """Settle until nothing is due; how many account-days there were."""
        settled = 0
        while now := await self.settle():
            settled += now
        return settled

    async def close_days(self) -> int:
        """Days that are over leave who is under way without an exit (J5)."""
        return await self._settling.close_days()

    async def finish_closing(self) -> int:
        """Close accounts that wait for it and have nothing open."""
        return await self._accounts.finish_closing()

    async def contract_signed(self, tx: Transaction, contract: Contract) -> None:
        await self._accounts.contract_signed(tx, contract)

    async def contract_ended(self, tx: Transaction, contract: Contract) -> None:
        await self._accounts.contract_ended(tx, contract)

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        await self._till.paid(tx, payment)

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        await self._till.failed(tx, payment, reason)

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        await self._till.refunded(tx, payment, amount)
