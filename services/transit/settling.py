"""From taps to trips to money: what is new of an account's day is paired, priced, booked and asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from core.clock import Clock
from core.errors import StoreGoneError
from core.stores.database import Database, Transaction
from services.transit import accounts_store, listing
from services.transit import trips_store as store
from services.transit.accounts_store import Step
from services.transit.dues import Ask, Dues
from services.transit.fares import tariff_of
from services.transit.model import PURPOSE, Money, Stored
from services.transit.pairing import Trip, TripState, day_end, service_day, trips
from services.transit.standing import Standing
from services.transit.tariffs import Timetable
from services.transit.telling import Missed, Tells
from services.transit.trips_store import Day, Posting, TripRow

AT_ONCE = 500  # account-days in one transaction
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)  # what cannot be settled is tried again then

_log = structlog.get_logger("transit")


@dataclass(frozen=True, slots=True)
class _Changed:
    """A trip of which the taps say something else now."""

    before: Stored
    trip: Stored


@dataclass(slots=True)
class _Changes:
    """What one round of pairing finds."""

    new: list[TripRow] = field(default_factory=list)
    changed: list[_Changed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Settling:
    """Pairs what is due. Any number of processes may: an account's day is in one hand at a time."""

    db: Database
    timetable: Timetable
    dues: Dues
    standing: Standing
    tells: Tells
    clock: Clock

    async def settle(self) -> int:
        """Pair up to `AT_ONCE` account-days anew; how many there were.

        Where that fails each is paired by itself, so that one that cannot be holds up nobody else's (M9).
        """
        days: list[Day] = []
        try:
            async with self.db.transaction() as tx:
                days = await store.take_due(tx, AT_ONCE, self.clock.now())
                if days:
                    await self._pair(tx, days)
        except StoreGoneError:
            raise
        except Exception:
            if not days:
                raise
            await self._each_by_itself(days)
        return len(days)

    async def close_days(self) -> int:
        """Let who is under way since a day that is over be without an exit (J5); how many account-days."""
        now = self.clock.now()
        return await store.mark_over(self.db, service_day(now) - timedelta(days=1), now)

    async def _each_by_itself(self, days: Sequence[Day]) -> None:
        """What fails still is told with its reason, and put off."""
        for day in days:
            begun = self.clock.now()
            try:
                async with self.db.transaction() as tx:
                    if await store.take_one(tx, day):
                        await self._pair(tx, [day])
            except StoreGoneError:
                raise
            except Exception:  # noqa: BLE001 - the others get theirs, and a person looks into it
                _log.exception("day_not_settled", account=day[0], day=str(day[1]))
                await store.put_off(self.db, day, begun, _FIRST, _LONGEST)

    async def _pair(self, tx: Transaction, days: Sequence[Day]) -> None:
        now = self.clock.now()
        citizens = await accounts_store.alone_with(tx, {account for account, _ in days})
        tapped, before = await store.taps(tx, days), await store.trips(tx, days)
        changes = _Changes()
        for day in days:
            tariff = tariff_of(self.timetable.tariffs, day[1])
            over = now >= day_end(day[1])
            said = trips(tapped[day], self.timetable.network, tariff, over=over)
            _compare(day, tariff.version, said, before[day], changes)
        missing = await self._write_new(tx, changes.new, citizens)
        missing += await self._write_changed(tx, changes.changed, citizens)
        await self._tell_missing(tx, missing)

    async def _write_new(
        self, tx: Transaction, rows: Sequence[TripRow], citizens: Mapping[str, str]
    ) -> list[int]:
        """Write, book and ask for new trips; those without a way out."""
        now = self.clock.now()
        ids = await store.add(tx, rows, now)
        fares = [Ask(ids[row.first_tap], row.account, 1, row.fare_fen) for row in rows if row.fare_fen]
        await store.post(tx, [_priced(ask) for ask in fares], now)
        await self.dues.owe(tx, fares, citizens)
        return [ids[row.first_tap] for row in rows if row.state == TripState.MISSING_EXIT.value]

    async def _write_changed(
        self, tx: Transaction, changed: Sequence[_Changed], citizens: Mapping[str, str]
    ) -> list[int]:
        """Book each difference and put right what is asked for; those that are without a way out now."""
        now = self.clock.now()
        dearer_or_cheaper = [each for each in changed if each.trip.fare_fen != each.before.fare_fen]
        await store.post(tx, [_repriced(each) for each in dearer_or_cheaper], now)
        trips = [each.trip for each in changed]
        after = await self.dues.put_right(tx, trips, citizens) if changed else []
        behind = [each for each in (*after, *(one.before for one in changed)) if each.money is Money.ARREARS]
        if behind:
            step = Step(PURPOSE, "repriced", now)
            await self.standing.follow(tx, {citizens[each.account] for each in behind}, step)
        lost = TripState.MISSING_EXIT
        ends = {each.id for each in after if each.money is not Money.ARREARS}
        over = [
            one.trip.id
            for one in changed
            if (one.before.state is lost is not one.trip.state)
            or (one.before.money is Money.ARREARS and one.trip.id in ends)
        ]
        await self.tells.changed(tx, over)
        return [each.trip.id for each in changed if each.trip.state is lost is not each.before.state]

    async def _tell_missing(self, tx: Transaction, missing: Sequence[int]) -> None:
        if missing:
            rides = await listing.of_trips(tx, self.timetable.network, missing)
            await self.tells.missing_exit(tx, [Missed(citizen, ride) for citizen, ride in rides])


def _compare(
    day: Day, tariff: str, said: Sequence[Trip], before: Mapping[int, Stored], changes: _Changes
) -> None:
    """What the taps say now beside what stood there."""
    for trip in said:
        stood = before.get(trip.first.id)
        if stood is None:
            changes.new.append(_row(day, trip, tariff))
        elif (moved := _moved(stood, trip)) != stood:
            changes.changed.append(_Changed(stood, replace(moved, version=stood.version + 1)))
    firsts = {trip.first.id for trip in said}
    for first, stood in before.items():
        if first not in firsts and stood.state is not TripState.VOID:
            void = replace(stood, state=TripState.VOID, last_tap=None, fare_fen=0, because="", metres=0)
            changes.changed.append(_Changed(stood, replace(void, version=stood.version + 1)))


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


def _priced(ask: Ask) -> Posting:
    return Posting(ask.trip, "priced", "rider", "fares", ask.fen, f"{ask.trip}/priced")


def _repriced(changed: _Changed) -> Posting:
    """More is owed to the books as a fare, less as one that is taken back."""
    trip, more = changed.trip, changed.trip.fare_fen - changed.before.fare_fen
    debit, credit = ("rider", "fares") if more > 0 else ("fares", "rider")
    return Posting(trip.id, "repriced", debit, credit, abs(more), f"{trip.id}/repriced/{trip.version}")
