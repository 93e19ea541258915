"""The transit's counter: accounts, codes, trips and debts, for every door the same."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from core.clock import Clock
from core.effects import Effect
from core.stores.database import Database, Transaction
from services.payments.service import AlreadyPaid, Contract, Payment, PaymentAsked, PaymentState
from services.transit import listing, stations
from services.transit.accounts import Account, Accounts, Agrees, Contracts
from services.transit.codes import Codes, Granted, Pictured
from services.transit.devices import Devices, Registered
from services.transit.dues import DEBIT_AFTER, Collects, Dues
from services.transit.errors import Closing, NoLines, NotOpened
from services.transit.fares import Because, Fare, band_fare, rounded, tariff_of
from services.transit.issuer import Issuer
from services.transit.listing import Ride
from services.transit.model import PLAN, Batch, Device, Ingested
from services.transit.money import Till
from services.transit.network import Station
from services.transit.pairing import service_day
from services.transit.settling import Settling
from services.transit.standing import Standing
from services.transit.suspending import Suspending
from services.transit.taps import Taps
from services.transit.tariffs import Timetable
from services.transit.telling import Silent, Tells
from services.transit.trust import Trusting, TrustList

__all__ = ["Account", "Granted", "Pictured", "Ride", "Transit"]


class Payments(Collects, Contracts, Protocol):
    """What collects the transit's money (services/payments)."""

    async def pay_now(self, payment_id: str, citizen: str) -> None:
        """Try again at once to debit what is owed."""
        ...

    async def payment(self, payment_id: str) -> Payment:
        """A payment as it stands."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the transit is built of."""

    db: Database
    payments: Payments
    issuer: Issuer
    timetable: Timetable
    clock: Clock
    consents: Agrees
    tells: Tells = field(default_factory=Silent)
    debit_after: timedelta = DEBIT_AFTER  # a ride; 0 = in real time


class Transit:
    """Everything riders, gates and the clock ask of the transit; the owner of its payments, too."""

    def __init__(self, means: Parts) -> None:
        self._means = means
        self.timetable = means.timetable
        self._accounts = Accounts(means.db, means.payments, means.consents, means.clock)
        self._codes = Codes(means.db, self._accounts, means.issuer, means.timetable, means.clock)
        self._taps = Taps(means.db, means.timetable.network)
        dues = Dues(means.payments, means.clock, means.debit_after)
        standing = Standing(means.payments)
        self._suspending = Suspending(means.db, standing, means.clock)
        self._settling = Settling(means.db, means.timetable, dues, standing, means.tells, means.clock)
        self._till = Till(dues, standing, means.tells, means.timetable.network, means.clock)
        self._trusting = Trusting(means.db, means.issuer)
        self._devices = Devices(means.db, means.clock)

    @property
    def runs(self) -> bool:
        """Whether there is any line to ride on."""
        return bool(self.timetable.tariffs)

    def require_lines(self) -> None:
        """Refuse, `NoLines`, where there is none, or no fare is known for today."""
        if not self.timetable.runs(self._today()):
            raise NoLines

    async def account(self, citizen: str) -> Account:
        """How a citizen's account stands."""
        return await self._accounts.of(citizen)

    async def open(self, citizen: str, back: str) -> str:
        """The page where the contract is signed; refused without the consent."""
        return await self._accounts.open(citizen, back)

    async def close(self, citizen: str) -> Account:
        """Close the account, at once or as soon as nothing is open: see `Accounts.close` for the refusals."""
        return await self._accounts.close(citizen)

    async def suspend(self, name: str, who: str, reason: str) -> bool:
        """An operator lets an account, or a citizen, ride no more: see `Suspending.suspend`."""
        return await self._suspending.suspend(name, who, reason)

    async def restore(self, name: str, who: str, reason: str) -> bool:
        """An operator takes a suspension back: see `Suspending.restore`."""
        return await self._suspending.restore(name, who, reason)

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
        """Try again now to debit everything that is behind; how many payments there are.

        NotSigned where there is no contract to debit by: `open` first. What is being tried is left to that.
        """
        payments = await listing.payments_behind(self._means.db, citizen)
        for payment in payments:
            with suppress(AlreadyPaid, PaymentAsked):
                await self._means.payments.pay_now(payment, citizen)
        return len(payments)

    async def closed(self, citizen: str, effect: Effect) -> str:
        """`close` for a dialogue: the state it led to. A run that begins again finds it closed already."""
        del effect
        with suppress(NotOpened, Closing):
            await self.close(citizen)
        return (await self.account(citizen)).state.value

    async def tried(self, citizen: str, effect: Effect) -> str:
        """`pay` for a dialogue; what a run before tried already is left to that."""
        del effect
        return str(await self.pay(citizen))

    async def is_signed(self, citizen: str) -> bool:
        """Whether there is a contract to debit by."""
        async with self._means.db.transaction() as tx:
            return bool(await self._means.payments.signed(tx, [citizen], PLAN))

    async def is_asked(self, citizen: str) -> bool:
        """Whether a debit of what is behind is under way, its fate not known yet."""
        names = await listing.payments_behind(self._means.db, citizen)
        return any([(await self._means.payments.payment(each)).state is PaymentState.ASKED for each in names])

    def station(self, said: str) -> Station:
        """The station that somebody means; see `stations.station` for the refusals."""
        return stations.station(self.timetable.network, said)

    def buses(self, day: date | None = None) -> list[tuple[str, int]]:
        """The buses by name, each with its one fare in fen."""
        tariff = tariff_of(self.timetable.tariffs, day or self._today())
        lines = self.timetable.network.buses
        return [(lines[line].name, fen) for line, fen in sorted(tariff.bus.items())]

    def quote(self, start: str, end: str, day: date | None = None) -> Fare:
        """What a ride costs that is not over time; KeyError for an unknown station."""
        tariff = tariff_of(self.timetable.tariffs, day or self._today())
        metres = self.timetable.network.metres(start, end)
        fen = tariff.least if start == end else band_fare(tariff, metres)
        return Fare(rounded(fen), Because.SAME_STATION if start == end else Because.DISTANCE, metres)

    def _today(self) -> date:
        return service_day(self._means.clock.now())

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

    async def lock(self, tx: Transaction, citizen: str) -> None:
        await self._accounts.lock(tx, citizen)

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

    async def taken_twice(self, tx: Transaction, payment: Payment, amount: int) -> None:
        await self._till.taken_twice(tx, payment, amount)
