"""What is asked for trips agrees with what they cost: it is asked for, taken back, or sent back in part."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from core.clock import Clock
from core.stores.database import Transaction
from services.payments.service import Debt
from services.transit import trips_store as store
from services.transit.model import PLAN, PURPOSE, Money, Stored
from services.transit.trips_store import Charge, Posting

DEBIT_AFTER = timedelta(minutes=10)  # so that what gates upload late is in the price
Charges = Mapping[int, list[Charge]]


class Collects(Protocol):
    """What collects debts, and sends back (services/payments)."""

    async def owe_all(self, tx: Transaction, debts: Sequence[Debt]) -> list[str]:
        """The payments of debts, in their order."""
        ...

    async def cancel_all(self, tx: Transaction, payments: Sequence[str], why: str) -> set[str]:
        """Take back what is not paid; which of them that were. The others are being asked for just now."""
        ...

    async def refund(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        """Send back so much of a payment; for the same `why` once."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """So much (more) is asked for a trip; `behind`: in place of something that was behind already."""

    trip: int
    account: str
    version: int
    fen: int
    behind: bool = False


class Dues:
    """Asks for what trips cost. Whoever calls has locked the citizens (`accounts_store.alone`)."""

    def __init__(self, payments: Collects, clock: Clock, debit_after: timedelta = DEBIT_AFTER) -> None:
        self._payments = payments
        self._clock = clock
        self._debit_after = debit_after

    async def owe(self, tx: Transaction, asks: Sequence[Ask], citizens: Mapping[str, str]) -> None:
        """Let whose the accounts are be debited; what stands in place of something behind is advanced."""
        if not asks:
            return
        now = self._clock.now()
        debts = [
            Debt(
                citizen=citizens[ask.account],
                plan=PLAN,
                amount_fen=ask.fen,
                purpose=PURPOSE,
                object=str(ask.trip),
                text="乘车费",
                due_at=now if ask.behind else now + self._debit_after,
                version=ask.version,
            )
            for ask in asks
        ]
        owed = list(zip(await self._payments.owe_all(tx, debts), asks, strict=True))
        await store.charge(
            tx, [(payment, ask.trip, ask.version, ask.fen, ask.behind) for payment, ask in owed]
        )
        await store.post(
            tx, [advanced(ask.trip, payment, ask.fen) for payment, ask in owed if ask.behind], now
        )

    async def put_right(
        self, tx: Transaction, trips: Sequence[Stored], citizens: Mapping[str, str]
    ) -> list[Stored]:
        """Trips that cost something else now, or of which something was paid or failed, one version further.

        What is too much and not paid is taken back, and what is left asked for anew; what is paid goes
        back. What is being asked for just now waits for its fate: then this is called again.
        """
        charges = await store.charges(tx, [trip.id for trip in trips])
        over = [trip for trip in trips if _charged(charges[trip.id]) > trip.fare_fen]
        were_behind = await self._take_back(tx, over, charges)
        for trip in over:
            await self._send_back(tx, trip, charges[trip.id])
        asks = [
            Ask(trip.id, trip.account, trip.version, missing, behind=trip.id in were_behind)
            for trip in trips
            if (missing := trip.fare_fen - _charged(charges[trip.id])) > 0
        ]
        await self.owe(tx, asks, citizens)
        for ask in asks:
            charges[ask.trip].append(Charge("", ask.fen, paid=False, behind=ask.behind, refunding_fen=0))
        written = [_standing(trip, charges[trip.id]) for trip in trips]
        await store.change(tx, written, self._clock.now())
        return written

    async def _take_back(self, tx: Transaction, trips: Sequence[Stored], charges: Charges) -> Collection[int]:
        """Cancel what is not paid of these trips; those of which something was behind."""
        unpaid = {each.payment: each for trip in trips for each in charges[trip.id] if not each.paid}
        gone = await self._payments.cancel_all(tx, sorted(unpaid), "fare") if unpaid else set()
        if not gone:
            return ()
        back = [(trip.id, each) for trip in trips for each in charges[trip.id] if each.payment in gone]
        await store.drop_charges(tx, gone)
        behind = [(trip, each) for trip, each in back if each.behind]
        await store.post(tx, [_withdrawn(trip, each) for trip, each in behind], self._clock.now())
        for trip, each in back:
            charges[trip].remove(each)
        return {trip for trip, _ in behind}

    async def _send_back(self, tx: Transaction, trip: Stored, charges: list[Charge]) -> None:
        """What was paid beyond the fare, less what may yet turn out not to be paid."""
        asked = sum(each.fen for each in charges if not each.paid)
        over = _charged(charges) - asked - trip.fare_fen
        for place, each in enumerate(charges):
            part = min(over, each.fen - each.refunding_fen) if each.paid else 0
            if part > 0:
                total = each.refunding_fen + part
                await self._payments.refund(tx, each.payment, part, f"fare/{trip.id}/{total}")
                charges[place] = replace(each, refunding_fen=total)
                await store.note_charge(tx, charges[place])
                over -= part


def advanced(trip: int, payment: str, fen: int) -> Posting:
    """The rider did not pay: somebody else does so far (T3)."""
    return Posting(trip, "advanced", "advance", "rider", fen, f"{payment}/advanced")


def _withdrawn(trip: int, charge: Charge) -> Posting:
    return Posting(trip, "withdrawn", "rider", "advance", charge.fen, f"{charge.payment}/withdrawn")


def _charged(charges: Sequence[Charge]) -> int:
    return sum(each.fen - each.refunding_fen for each in charges)


def _standing(trip: Stored, charges: Sequence[Charge]) -> Stored:
    """The one rule for how a trip is paid, by what stands for it; `accounts_store.BEHIND` counts alike."""
    missing = trip.fare_fen - sum(each.fen - each.refunding_fen for each in charges if each.paid)
    unpaid = [each for each in charges if not each.paid]
    if missing > 0 and any(each.behind for each in unpaid):
        money = Money.ARREARS
    elif missing > 0 or unpaid:
        money = Money.OWED
    else:
        money = Money.SETTLED if any(each.paid for each in charges) else Money.NONE
    return replace(trip, charged_fen=_charged(charges), money=money)
