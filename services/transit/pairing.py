"""Taps of one account on one service day become trips: a pure function, whatever order they arrived in.

Gate time orders them, never arrival (domain-rules J10), so that all taps once more give the same trips (J11).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from core.clock import CITY_ZONE
from services.transit.fares import Because, Fare, Tariff, bus_fare, capped, metro_fare
from services.transit.network import Network

DAY_ENDS = time(3)  # J5: what is tapped before it belongs to the day before
ACCIDENT = timedelta(minutes=3)  # F4
NO_CAP = 0xFFFFFF  # all that three bytes can say


class Way(StrEnum):
    """What a tap did: in and out of the metro, or onto a bus."""

    IN = "in"
    OUT = "out"
    BOARD = "board"


class TripState(StrEnum):
    """How a trip stands by its taps alone; money comes afterwards."""

    OPEN = "open"
    CLOSED = "closed"
    MISSING_EXIT = "missing_exit"
    ORPHAN_EXIT = "orphan_exit"
    VOID = "void"  # of a tap that another one has made part of another trip


@dataclass(frozen=True, slots=True)
class Tap:
    """A code that a gate let through. `at` is the gate's time; `companion` and `cap_fen` are its code's."""

    id: int
    at: datetime
    way: Way
    line: str
    station: str = ""
    vehicle: str = ""
    companion: bool = False
    cap_fen: int = NO_CAP


@dataclass(frozen=True, slots=True)
class Trip:
    """What taps say of one ride; its first tap names it. `fare` is None where nothing is charged (yet)."""

    first: Tap
    last: Tap | None
    state: TripState
    fare: Fare | None

    @property
    def fen(self) -> int:
        """What it costs."""
        return self.fare.fen if self.fare is not None else 0


def service_day(at: datetime) -> date:
    """The day of a moment: it ends at three in the morning."""
    local = at.astimezone(CITY_ZONE)
    return local.date() - timedelta(days=1) if local.time() < DAY_ENDS else local.date()


def day_end(day: date) -> datetime:
    """When a service day is over."""
    return datetime.combine(day + timedelta(days=1), DAY_ENDS, CITY_ZONE)


def trips(taps: Iterable[Tap], network: Network, tariff: Tariff, *, over: bool) -> list[Trip]:
    """Every trip of one account and service day. `over`: the day has ended, so nobody is under way."""
    ordered = sorted(taps, key=lambda tap: (tap.at, tap.id))
    rails = [tap for tap in ordered if tap.way is not Way.BOARD]
    boarded = [tap for tap in ordered if tap.way is Way.BOARD]
    found = [*_on_rails(rails, network, tariff, over=over), *_on_buses(boarded, tariff)]
    return sorted(found, key=lambda trip: (trip.first.at, trip.first.id))


def _on_rails(taps: list[Tap], network: Network, tariff: Tariff, *, over: bool) -> Iterator[Trip]:
    """One in, one out (J1); who goes in again had no way out noted (J9)."""
    entry: Tap | None = None
    for tap in taps:
        if tap.way is Way.IN:
            if entry is not None:
                yield Trip(entry, None, TripState.MISSING_EXIT, None)
            entry = tap
        elif entry is None:
            yield Trip(tap, None, TripState.ORPHAN_EXIT, None)
        else:
            fare = _metro(network, tariff, entry, tap)
            yield Trip(entry, tap, TripState.CLOSED, capped(fare, entry.cap_fen))
            entry = None
    if entry is not None:
        yield Trip(entry, None, TripState.MISSING_EXIT if over else TripState.OPEN, None)


def _on_buses(taps: list[Tap], tariff: Tariff) -> Iterator[Trip]:
    """A second tap on the same vehicle within three minutes of the one before was no ride (F4)."""
    before: dict[str, datetime] = {}
    for tap in taps:
        if tap.companion:
            yield Trip(tap, tap, TripState.CLOSED, capped(_bus(tariff, tap), tap.cap_fen))
            continue
        earlier = before.get(tap.vehicle)
        accident = earlier is not None and tap.at - earlier <= ACCIDENT
        fare = Fare(0, Because.ACCIDENTAL) if accident else _bus(tariff, tap)
        if not accident:
            before[tap.vehicle] = tap.at
        yield Trip(tap, tap, TripState.CLOSED, capped(fare, tap.cap_fen))


def _metro(network: Network, tariff: Tariff, entry: Tap, way_out: Tap) -> Fare:
    try:
        return metro_fare(network, tariff, entry.station, way_out.station, entry.at, way_out.at)
    except KeyError:  # nobody else's rides are to wait until the data files know it again
        return Fare(0, Because.UNKNOWN_PLACE)


def _bus(tariff: Tariff, boarding: Tap) -> Fare:
    try:
        return bus_fare(tariff, boarding.line)
    except KeyError:
        return Fare(0, Because.UNKNOWN_PLACE)
