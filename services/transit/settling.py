"""From taps to trips to money: what is new of an account's day is paired, priced, booked and asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from core.clock import Clock
from core.stores.database import Database, Transaction
from services.payments.service import Debt
from services.transit import trips_store as store
from services.transit.fares import tariff_of
from services.transit.model import Money, Stored
from services.transit.pairing import Trip, TripState, day_end, service_day, trips
from services.transit.tariffs import Timetable
from services.transit.trips_store import Day, Posting, TripRow

PURPOSE = PLAN = "transit"
DEBIT_AFTER = timedelta(minutes=10)  # so that what gates upload late is in the price
AT_ONCE = 500  # account-days in one transaction


class Collects(Protocol):
    """What collects debts, and sends back (services/payments)."""

    async def owe_all(self, tx: Transaction, debts: Sequence[Debt]) -> list[str]:
        """The payments of debts, in their order."""
        ...

    async def refund(self, tx: Transaction, payment_id: str, amount_fen: int, why: str) -> str:
        """Send back so much of a payment; for the same `why` once."""
        ...


@dataclass(frozen=True, slots=True)
class _Ask:
    """So much (more) is asked for a trip."""

    trip: int
    account: str
    version: int
    fen: int


@dataclass(frozen=True, slots=True)
class _Changed:
    """A trip of which the taps say something else now."""

    fare_before: int
    trip: Stored


@dataclass(slots=True)
class _Changes:
    """What one round of pairing finds."""

    new: list[TripRow] = field(default_factory=list)
    changed: list[_Changed] = field(default_factory=list)


class Settling:
    """Pairs what is due. Any number of processes may: an account's day is in one hand at a time."""

    def __init__(
        self,
        db: Database,
        timetable: Timetable,
        payments: Collects,
        clock: Clock,
        debit_after: timedelta = DEBIT_AFTER,
    ) -> None:
        self._db = db
        self._timetable = timetable
        self._payments = payments
        self._clock = clock
        self._debit_after = debit_after

    async def settle(self) -> int:
        """Pair up to `AT_ONCE` account-days anew; how many there were."""
        async with self._db.transaction() as tx:
            days = await store.take_due(tx, AT_ONCE)
            if days:
                await self._pair(tx, days)
        return len(days)

    async def close_days(self) -> int:
        """Let who is under way since a day that is over be without an exit (J5); how many account-days."""
        now = self._clock.now()
        return await store.mark_over(self._db, service_day(now) - timedelta(days=1), now)

    async def _pair(self, tx: Transaction, days: Sequence[Day]) -> None:
        now = self._clock.now()
        tapped, before = await store.taps(tx, days), await store.trips(tx, days)
        changes = _Changes()
        for day in days:
            tariff = tariff_of(self._timetable.tariffs, day[1])
            over = now >= day_end(day[1])
            said = trips(tapped[day], self._timetable.network, tariff, over=over)
            _compare(day, tariff.version, said, before[day], changes)
        await self._write_new(tx, changes.new, now)
        await self._write_changed(tx, changes.changed, now)

    async def _write_new(self, tx: Transaction, rows: Sequence[TripRow], now: datetime) -> None:
        ids = await store.add(tx, rows, now)
        fares = [_Ask(ids[row.first_tap], row.account, 1, row.fare_fen) for row in rows if row.fare_fen]
        await store.post(tx, [_priced(ask) for ask in fares], now)
        await self._owe(tx, fares, now)

    async def _write_changed(self, tx: Transaction, changed: Sequence[_Changed], now: datetime) -> None:
        """Book each difference, then ask for what is missing or send back what is too much."""
        await store.post(
            tx, [_repriced(each) for each in changed if each.trip.fare_fen != each.fare_before], now
        )
        written, missing = [], []
        for trip in (each.trip for each in changed):
            more = trip.fare_fen - trip.charged_fen
            if more > 0:
                missing.append(_Ask(trip.id, trip.account, trip.version, more))
                written.append(replace(trip, charged_fen=trip.fare_fen, money=Money.OWED))
            else:
                written.append(await give_back(tx, self._payments, trip))
        await self._owe(tx, missing, now)
        await store.change(tx, written, now)

    async def _owe(self, tx: Transaction, asks: Sequence[_Ask], now: datetime) -> None:
        if not asks:
            return
        citizens = await store.citizens(tx, {ask.account for ask in asks})
        debts = [
            Debt(
                citizen=citizens[ask.account],
                plan=PLAN,
                amount_fen=ask.fen,
                purpose=PURPOSE,
                object=str(ask.trip),
                text="乘车费",
                due_at=now + self._debit_after,
                version=ask.version,
            )
            for ask in asks
        ]
        payments = await self._payments.owe_all(tx, debts)
        stand = zip(payments, asks, strict=True)
        await store.charge(tx, [(payment, ask.trip, ask.version, ask.fen) for payment, ask in stand])


async def give_back(tx: Transaction, payments: Collects, trip: Stored) -> Stored:
    """Send back what was paid for a trip beyond its fare; what is not paid yet waits until it is."""
    over = trip.charged_fen - trip.fare_fen
    for charge in await store.charges(tx, trip.id) if over else []:
        part = min(over, charge.fen - charge.refunding_fen) if charge.paid else 0
        if part > 0:
            total = charge.refunding_fen + part
            await payments.refund(tx, charge.payment, part, f"fare/{trip.id}/{total}")
            await store.note_charge(tx, replace(charge, refunding_fen=total))
            trip = replace(trip, charged_fen=trip.charged_fen - part)
            over -= part
    return trip


def _compare(
    day: Day, tariff: str, said: Sequence[Trip], before: Mapping[int, Stored], changes: _Changes
) -> None:
    """What the taps say now beside what stood there."""
    for trip in said:
        stood = before.get(trip.first.id)
        if stood is None:
            changes.new.append(_row(day, trip, tariff))
        elif (moved := _moved(stood, trip)) != stood:
            changes.changed.append(_Changed(stood.fare_fen, replace(moved, version=stood.version + 1)))
    firsts = {trip.first.id for trip in said}
    for first, stood in before.items():
        if first not in firsts and stood.state is not TripState.VOID:
            void = replace(stood, state=TripState.VOID, last_tap=None, fare_fen=0, because="", metres=0)
            changes.changed.append(_Changed(stood.fare_fen, replace(void, version=stood.version + 1)))


def _row(day: Day, trip: Trip, tariff: str) -> TripRow:
    account, date_of = day
    return TripRow(
        account=account,
        day=date_of,
        first_tap=trip.first.id,
        last_tap=trip.last.id if trip.last else None,
        state=trip.state.value,
        money=(Money.OWED if trip.fen else Money.NONE).value,
        fare_fen=trip.fen,
        charged_fen=trip.fen,
        because=trip.fare.because.value if trip.fare else "",
        metres=trip.fare.metres if trip.fare else 0,
        tariff=tariff,
    )


def _moved(stood: Stored, trip: Trip) -> Stored:
    return replace(
        stood,
        last_tap=trip.last.id if trip.last else None,
        state=trip.state,
        fare_fen=trip.fen,
        because=trip.fare.because.value if trip.fare else "",
        metres=trip.fare.metres if trip.fare else 0,
    )


def _priced(ask: _Ask) -> Posting:
    return Posting(ask.trip, "priced", "rider", "fares", ask.fen, f"{ask.trip}/priced")


def _repriced(changed: _Changed) -> Posting:
    """More is owed to the books as a fare, less as one that is taken back."""
    trip, more = changed.trip, changed.trip.fare_fen - changed.fare_before
    debit, credit = ("rider", "fares") if more > 0 else ("fares", "rider")
    return Posting(trip.id, "repriced", debit, credit, abs(more), f"{trip.id}/repriced/{trip.version}")
