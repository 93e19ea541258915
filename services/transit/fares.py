"""What a ride costs: pure functions of its taps and the tariff of its day (domain-rules F1, F6, J3, J4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.transit.network import Network

_STEP_FEN = 10  # F6


@dataclass(frozen=True, slots=True)
class Band:
    """A fare up to and including a distance."""

    up_to_m: int
    fen: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """The fares from one day on; `bus` by line, `metro` by growing distance."""

    version: str
    begins: date
    metro: tuple[Band, ...]
    bus: Mapping[str, int]
    same_station: timedelta = timedelta(minutes=20)  # J4
    longest_stay: timedelta = timedelta(minutes=210)  # J2

    @property
    def least(self) -> int:
        """The lowest metro fare, in fen."""
        return min(band.fen for band in self.metro)

    def most(self, network: Network) -> int:
        """What the longest way costs, in fen: the network's highest fare."""
        return band_fare(self, network.longest)


class Because(StrEnum):
    """What made the fare what it is."""

    DISTANCE = "distance"
    BACK_AT_ONCE = "back_at_once"  # J4, within the time that costs nothing
    SAME_STATION = "same_station"  # J4
    OVER_TIME = "over_time"  # J3
    FLAT = "flat"
    ACCIDENTAL = "accidental"  # F4
    CAPPED = "capped"  # C8
    UNKNOWN_PLACE = "unknown_place"  # the data files do not know it (any more): listed, and not charged


@dataclass(frozen=True, slots=True)
class Fare:
    """In fen, rounded once; `metres` of a metro ride."""

    fen: int
    because: Because
    metres: int = 0


def tariff_of(tariffs: tuple[Tariff, ...], day: date) -> Tariff:
    """The tariff of a service day: the last that began. LookupError before the first."""
    begun = [each for each in tariffs if each.begins <= day]
    if not begun:
        raise LookupError(f"no tariff for {day}")
    return max(begun, key=lambda each: each.begins)


def metro_fare(
    network: Network, tariff: Tariff, start: str, end: str, entered: datetime, left: datetime
) -> Fare:
    """From tapping in to tapping out."""
    stayed, metres = left - entered, network.metres(start, end)
    if start == end:
        back_at_once = stayed <= tariff.same_station
        fare = Fare(0, Because.BACK_AT_ONCE) if back_at_once else Fare(tariff.least, Because.SAME_STATION)
    else:
        fare = Fare(band_fare(tariff, metres), Because.DISTANCE, metres)
    if stayed > tariff.longest_stay:
        fare = Fare(fare.fen + tariff.most(network), Because.OVER_TIME, metres)
    return Fare(rounded(fare.fen), fare.because, fare.metres)


def bus_fare(tariff: Tariff, line: str) -> Fare:
    """Of one boarding; KeyError for a line without a fare."""
    return Fare(rounded(tariff.bus[line]), Because.FLAT)


def capped(fare: Fare, cap_fen: int) -> Fare:
    """What the code one went in with allows (C8); who stayed too long may pay that once more (J3)."""
    most = 2 * cap_fen if fare.because is Because.OVER_TIME else cap_fen
    return fare if fare.fen <= most else Fare(most, Because.CAPPED, fare.metres)


def band_fare(tariff: Tariff, metres: int) -> int:
    """The fare of the first band that reaches so far, in fen; tariffs reach as far as their network."""
    return next(band.fen for band in tariff.metro if metres <= band.up_to_m)


def rounded(fen: int) -> int:
    """Half up to whole tens of fen (F6)."""
    return (fen + _STEP_FEN // 2) // _STEP_FEN * _STEP_FEN
