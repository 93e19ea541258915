"""Lines and stations, and how far it is from one to another on the rails."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the metro; `aliases` are further names that riders use."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetroLine:
    """Stations in their order, and the metres from each to the next."""

    id: str
    name: str
    stations: tuple[str, ...]
    metres: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BusLine:
    """A line with one fare, paid on boarding."""

    id: str
    name: str


@dataclass(frozen=True)
class Network:
    """Everything that runs, by id. Made by `tariffs.read`, which refuses what does not fit together."""

    operator: str
    stations: Mapping[str, Station]
    metro: Mapping[str, MetroLine]
    buses: Mapping[str, BusLine]
    _metres: dict[str, Mapping[str, int]] = field(default_factory=dict, compare=False, repr=False)

    def metres(self, start: str, end: str) -> int:
        """The shortest way on the rails; KeyError for an unknown station."""
        if start not in self._metres:
            self._metres[start] = self._from(start)
        return self._metres[start][end]

    @cached_property
    def longest(self) -> int:
        """The longest of all shortest ways, in metres."""
        return max((self.metres(start, end) for start in self.stations for end in self.stations), default=0)

    @property
    def is_connected(self) -> bool:
        """Whether every station can be reached from every other."""
        anywhere = next(iter(self.stations), None)  # rails lead both ways
        return anywhere is None or len(self._from(anywhere)) == len(self.stations)

    def stops(self, line: str, station: str) -> bool:
        """Whether a metro line calls at a station."""
        return line in self.metro and station in self.metro[line].stations

    def knows(self, line: str, station: str, vehicle: str) -> bool:
        """Whether a gate can be there: in a station where its metro line calls, or in a bus of its line."""
        return line in self.buses if vehicle else self.stops(line, station)

    @cached_property
    def _neighbours(self) -> dict[str, list[tuple[str, int]]]:
        found: dict[str, list[tuple[str, int]]] = {station: [] for station in self.stations}
        for line in self.metro.values():
            for here, there, metres in zip(line.stations, line.stations[1:], line.metres, strict=False):
                found[here].append((there, metres))
                found[there].append((here, metres))
        return found

    def _from(self, start: str) -> dict[str, int]:
        """How far every station is that can be reached (Dijkstra)."""
        found: dict[str, int] = {}
        edge = [(0, self.stations[start].id)]
        while edge:
            metres, station = heapq.heappop(edge)
            if station in found:
                continue
            found[station] = metres
            for other, further in self._neighbours[station]:
                if other not in found:
                    heapq.heappush(edge, (metres + further, other))
        return found
