"""The network and its fares out of data files; whatever does not fit together stops the boot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from core.errors import BootError
from services.transit.fares import Band, Tariff, rounded, tariff_of
from services.transit.files import File
from services.transit.network import BusLine, MetroLine, Network, Station

NETWORK_FILE = "network.toml"
TARIFF_FILES = "tariff-*.toml"
_MOST_FEN = 100_000  # of one ride: more is a slip of the finger
Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Name = Annotated[str, Meta(min_length=1, max_length=20)]
Fen = Annotated[int, Meta(ge=0, le=_MOST_FEN)]
Metres = Annotated[int, Meta(ge=1, le=100_000)]
Minutes = Annotated[int, Meta(ge=1, le=1440)]


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt field is an error, not a default."""


class _Station(_Entry, frozen=True, kw_only=True):
    id: Id
    name: Name
    aliases: tuple[Name, ...] = ()


class _Line(_Entry, frozen=True, kw_only=True):
    id: Id
    name: Name
    kind: Literal["metro", "bus"]
    stations: tuple[Id, ...] = ()
    metres: tuple[Metres, ...] = ()


class _NetworkFile(_Entry, frozen=True, kw_only=True):
    operator: Id
    stations: tuple[_Station, ...] = ()
    lines: tuple[_Line, ...] = ()


class _Band(_Entry, frozen=True, kw_only=True):
    up_to_m: Metres
    fen: Fen


class _Bus(_Entry, frozen=True, kw_only=True):
    line: Id
    fen: Fen


class _TariffFile(_Entry, frozen=True, kw_only=True):
    version: Id
    begins: date
    metro: tuple[_Band, ...] = ()
    bus: tuple[_Bus, ...] = ()
    same_station_min: Minutes = 20
    longest_stay_min: Minutes = 210


@dataclass(frozen=True, slots=True)
class Timetable:
    """What a folder of data files says: what runs, and what it costs from which day on."""

    network: Network
    tariffs: tuple[Tariff, ...]

    def runs(self, day: date) -> bool:
        """Whether it is known what a ride costs on a day."""
        return any(each.begins <= day for each in self.tariffs)

    def dearest(self, day: date) -> int:
        """The dearest ride of a day, in fen: no code is good for more (C8)."""
        tariff = tariff_of(self.tariffs, day)
        metro = tariff.most(self.network) if self.network.metro else 0
        return rounded(max(metro, *tariff.bus.values(), 0))


NOTHING = Timetable(Network("", {}, {}, {}), ())  # no line runs


def read(folder: Path) -> Timetable:
    """Read `network.toml` and every `tariff-*.toml`; `BootError` names file, line and field."""
    file = File(folder / NETWORK_FILE)
    network = _network(file, file.decode(_NetworkFile))
    paths = sorted(folder.glob(TARIFF_FILES))
    if not paths:
        raise BootError(f"{folder}: no tariff ({TARIFF_FILES}) here")
    tariffs = [_tariff(each, network) for each in map(File, paths)]
    for what in ("version", "begins"):
        _require_apart(paths, [getattr(each, what) for each in tariffs], what)
    return Timetable(network, tuple(sorted(tariffs, key=lambda each: each.begins)))


def _network(file: File, said: _NetworkFile) -> Network:
    _require_once(file, "stations", [each.id for each in said.stations])
    _require_once(file, "lines", [each.id for each in said.lines])
    names = [name for each in said.stations for name in (each.name, *each.aliases)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise file.wrong(["stations"], f"two stations are called {twice[0]}")
    known = {each.id for each in said.stations}
    for number, line in enumerate(said.lines):
        _require_line(file, number, line, known)
    network = Network(
        operator=said.operator,
        stations={each.id: Station(each.id, each.name, each.aliases) for each in said.stations},
        metro={
            each.id: MetroLine(each.id, each.name, each.stations, each.metres)
            for each in said.lines
            if each.kind == "metro"
        },
        buses={each.id: BusLine(each.id, each.name) for each in said.lines if each.kind == "bus"},
    )
    if not network.is_connected:
        raise file.wrong(["lines"], "not every station can be reached from every other")
    return network


def _require_line(file: File, number: int, line: _Line, known: set[str]) -> None:
    if line.kind == "bus":
        if line.stations or line.metres:
            raise file.wrong(["lines", number, "stations"], "a bus with one fare has no stations here")
        return
    for station in line.stations:
        if station not in known:
            raise file.wrong(["lines", number, "stations"], f"there is no station {station}")
    if len(set(line.stations)) < len(line.stations):
        raise file.wrong(["lines", number, "stations"], "a station stands there twice")
    if len(line.stations) < 2 or len(line.metres) != len(line.stations) - 1:  # noqa: PLR2004 - two ends
        stations, needed = len(line.stations), max(1, len(line.stations) - 1)
        said = f"{stations} stations need {needed} distances, not {len(line.metres)}"
        raise file.wrong(["lines", number, "metres"], said)


def _tariff(file: File, network: Network) -> Tariff:
    said = file.decode(_TariffFile)
    _require_bands(file, said.metro, network)
    _require_once(file, "bus", [each.line for each in said.bus])
    for number, each in enumerate(said.bus):
        if each.line not in network.buses:
            raise file.wrong(["bus", number, "line"], f"there is no bus line {each.line}")
    if missing := sorted(network.buses.keys() - {each.line for each in said.bus}):
        raise file.wrong(["bus"], f"the bus line {missing[0]} has no fare")
    return Tariff(
        version=said.version,
        begins=said.begins,
        metro=tuple(Band(each.up_to_m, each.fen) for each in said.metro),
        bus={each.line: each.fen for each in said.bus},
        same_station=timedelta(minutes=said.same_station_min),
        longest_stay=timedelta(minutes=said.longest_stay_min),
    )


def _require_bands(file: File, bands: Sequence[_Band], network: Network) -> None:
    """Bands that grow, in metres and in fen, and reach as far as one can ride."""
    for number, (band, further) in enumerate(pairwise(bands), start=1):
        if further.up_to_m <= band.up_to_m:
            raise file.wrong(["metro", number, "up_to_m"], "must be more than in the band before")
        if further.fen < band.fen:
            raise file.wrong(["metro", number, "fen"], "must not be less than in the band before")
    reached = bands[-1].up_to_m if bands else 0
    if network.metro and reached < network.longest:
        last: list[str | int] = ["metro", len(bands) - 1, "up_to_m"] if bands else ["metro"]
        raise file.wrong(last, f"fares end at {reached} m, and one can ride {network.longest} m")


def _require_once(file: File, what: str, ids: Sequence[str]) -> None:
    for number, each in enumerate(ids):
        if each in ids[:number]:
            raise file.wrong([what, number], f"{each} stands there twice")


def _require_apart(paths: Sequence[Path], values: Sequence[object], what: str) -> None:
    for number, value in enumerate(values):
        if value in values[:number]:
            earlier = paths[list(values).index(value)].name
            raise File(paths[number]).wrong([what], f"{value} is that of {earlier}, too")
