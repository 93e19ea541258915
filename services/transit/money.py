"""What payments tell of trips: paid, failed, sent back; books and account follow in the same transaction."""

from dataclasses import replace

from core.clock import Clock
from core.stores.database import Transaction
from services.payments.model import Payment
from services.transit import accounts_store, trips_store
from services.transit.model import Money, Stored
from services.transit.settling import PURPOSE, Collects, give_back
from services.transit.trips_store import Charge, Posting


class Till:
    """The owner of the transit's payments."""

    def __init__(self, payments: Collects, clock: Clock) -> None:
        self._payments = payments
        self._clock = clock

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        """What was asked for has arrived, also after it was advanced (T3)."""
        trip, charge = await _found(tx, payment.id)
        what, from_ = ("recovered", "advance") if charge.behind else ("paid", "rider")
        await self._post(tx, Posting(trip.id, what, "bank", from_, charge.fen, f"{charge.payment}/{what}"))
        await trips_store.note_charge(tx, replace(charge, paid=True, behind=False))
        trip = await give_back(tx, self._payments, trip)
        await self._stands(tx, trip)
        if not await trips_store.is_behind(tx, trip.account):
            await accounts_store.step(tx, trip.account, "paid_up", self._step(payment.id))

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        """It did not arrive: the fare is advanced, once, and no new codes are given (T3)."""
        del reason
        trip, charge = await _found(tx, payment.id)
        if charge.paid or charge.behind:
            return
        key = f"{charge.payment}/advanced"
        await self._post(tx, Posting(trip.id, "advanced", "advance", "rider", charge.fen, key))
        await trips_store.note_charge(tx, replace(charge, behind=True))
        await self._stands(tx, trip)
        await accounts_store.step(tx, trip.account, "fell_behind", self._step(payment.id))

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """What was too much has gone back."""
        trip, charge = await _found(tx, payment.id)
        key = f"{charge.payment}/refunded/{payment.refunded_fen}"
        await self._post(tx, Posting(trip.id, "refunded", "rider", "bank", amount, key))

    async def _stands(self, tx: Transaction, trip: Stored) -> None:
        """Write down how a trip is paid, by what stands for it."""
        charges = await trips_store.charges(tx, trip.id)
        if any(each.behind for each in charges):
            money = Money.ARREARS
        elif all(each.paid for each in charges) and trip.charged_fen == trip.fare_fen:
            money = Money.SETTLED
        else:
            money = Money.OWED
        moved = replace(trip, money=money, version=trip.version + 1)
        await trips_store.change(tx, [moved], self._clock.now())

    async def _post(self, tx: Transaction, posting: Posting) -> None:
        await trips_store.post(tx, [posting], self._clock.now())

    def _step(self, key: str) -> accounts_store.Step:
        return accounts_store.Step(PURPOSE, key, self._clock.now())


async def _found(tx: Transaction, payment: str) -> tuple[Stored, Charge]:
    trip = await trips_store.trip(tx, await trips_store.trip_of(tx, payment))
    charges = await trips_store.charges(tx, trip.id)
    return trip, next(each for each in charges if each.payment == payment)
