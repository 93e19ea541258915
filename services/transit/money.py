"""What payments tell of trips: paid, failed, sent back; books and account follow in the same transaction."""

from dataclasses import dataclass, replace

from core.clock import Clock
from core.stores.database import Transaction
from services.payments.service import Payment
from services.transit import listing, trips_store
from services.transit.accounts_store import Step
from services.transit.dues import Dues, advanced
from services.transit.model import PURPOSE, Stored
from services.transit.network import Network
from services.transit.standing import Standing
from services.transit.telling import Moved, Tells
from services.transit.trips_store import Charge, Posting


@dataclass(frozen=True, slots=True)
class Till:
    """The owner of the transit's payments; these have locked the citizen before (`Accounts.lock`)."""

    dues: Dues
    standing: Standing
    tells: Tells
    network: Network
    clock: Clock

    async def paid(self, tx: Transaction, payment: Payment) -> None:
        """What was asked for has arrived, also after it was advanced (T3)."""
        trip, charge = await _found(tx, payment.id)
        what, from_ = ("recovered", "advance") if charge.behind else ("paid", "rider")
        await self._post(tx, Posting(trip.id, what, "bank", from_, charge.fen, f"{charge.payment}/{what}"))
        await trips_store.note_charge(tx, replace(charge, paid=True, behind=False))
        moved = await self._follow(tx, trip, payment, charge.fen)
        await self.tells.paid(tx, moved, late=charge.behind)

    async def failed(self, tx: Transaction, payment: Payment, reason: str) -> None:
        """It did not arrive: the fare is advanced, once, and no new codes are given (T3).

        Where less is owed by now than was asked for, nobody is behind for it: what is left is asked for anew.
        """
        del reason
        trip, charge = await _found(tx, payment.id)
        falls = not charge.behind and trip.charged_fen <= trip.fare_fen
        if falls:
            await self._post(tx, advanced(trip.id, charge.payment, charge.fen))
            await trips_store.note_charge(tx, replace(charge, behind=True))
        if falls or trip.charged_fen > trip.fare_fen:
            moved = await self._follow(tx, trip, payment, charge.fen)
            if falls:
                await self.tells.behind(tx, moved)

    async def refunded(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """What was too much has gone back."""
        trip = await trips_store.trip_of(tx, payment.id)
        key = f"{payment.id}/refunded/{payment.refunded_fen}"
        await self._post(tx, Posting(trip, "refunded", "rider", "bank", amount, key))
        await self.tells.refunded(tx, await self._moved(tx, trip, payment, amount), twice=False)

    async def taken_twice(self, tx: Transaction, payment: Payment, amount: int) -> None:
        """What was taken again goes back, and was never in the books (P5)."""
        trip = await trips_store.trip_of(tx, payment.id)
        await self.tells.refunded(tx, await self._moved(tx, trip, payment, amount), twice=True)

    async def _follow(self, tx: Transaction, trip: Stored, payment: Payment, fen: int) -> Moved:
        """Trip and account follow what has become of a payment."""
        whose = {trip.account: payment.citizen}
        await self.dues.put_right(tx, [replace(trip, version=trip.version + 1)], whose)
        step = Step(PURPOSE, payment.id, self.clock.now())
        behind = await self.standing.follow(tx, [payment.citizen], step)
        return await self._moved(tx, trip.id, payment, fen, clear=payment.citizen not in behind)

    async def _moved(
        self, tx: Transaction, trip: int, payment: Payment, fen: int, *, clear: bool = True
    ) -> Moved:
        ((citizen, ride),) = await listing.of_trips(tx, self.network, [trip])
        return Moved(citizen, ride, payment.id, fen, clear)

    async def _post(self, tx: Transaction, posting: Posting) -> None:
        await trips_store.post(tx, [posting], self.clock.now())


async def _found(tx: Transaction, payment: str) -> tuple[Stored, Charge]:
    trip = await trips_store.trip(tx, await trips_store.trip_of(tx, payment))
    charges = await trips_store.charges(tx, [trip.id])
    return trip, next(each for each in charges[trip.id] if each.payment == payment)
