"""Stations as riders call them: by their names, by other names, and nearly by them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping

from rapidfuzz.distance import Levenshtein

from services.transit.errors import StationUnclear, StationUnknown
from services.transit.network import Network, Station

_AROUND = re.compile(
    r"^(?:地铁|轻轨|轨道交通|从|我在|在|到|去)+|(?:地铁站|车站|站|那里|那边|上车|下车|进站|出站)+$"
)
_MOST_SHOWN = 3
_SHORTEST = 2  # characters of a name that may stand for it
_SHORTEST_GUESSED = 3  # characters: of two, one wrong character is another station
_LONGEST = 40


def station(network: Network, said: str) -> Station:
    """The station that is meant. `StationUnclear` names those it may be, `StationUnknown` those near it."""
    names = dict(_names(network))
    called = _bare(said)
    for whole in (_folded(said), called):
        if whole in names:
            return names[whole]
    meant = _unique(names, (name for name in names if len(called) >= _SHORTEST and called in name))
    if len(meant) == 1:
        return meant[0]
    slips = _unique(names, (name for name in names if _is_slip(called, name)))
    if len(slips) == 1 and not meant:
        return slips[0]
    found = (meant or slips)[:_MOST_SHOWN]
    if found:
        raise StationUnclear(said=said, near=[each.name for each in found])
    raise StationUnknown(said=said, near=[each.name for each in _near(names, called)])


def _names(network: Network) -> Iterator[tuple[str, Station]]:
    for each in network.stations.values():
        for name in (each.name, *each.aliases):
            yield _folded(name), each


def _folded(said: str) -> str:
    return unicodedata.normalize("NFKC", said).casefold().replace(" ", "")


def _bare(said: str) -> str:
    """A name without what people say around it; a station that is called so keeps it."""
    folded = _folded(said)[:_LONGEST]
    return _AROUND.sub("", folded) or folded


def _unique(names: Mapping[str, Station], found: Iterator[str]) -> list[Station]:
    return list({names[name].id: names[name] for name in found}.values())


def _is_slip(called: str, name: str) -> bool:
    """One character too many, too few, or another one, as recognised speech has it."""
    return len(name) >= _SHORTEST_GUESSED and Levenshtein.distance(called, name, score_cutoff=1) <= 1


def _near(names: Mapping[str, Station], called: str) -> list[Station]:
    """Those that have most of their characters in common with it; none where there is hardly any."""
    shared = {name: len(set(name) & set(called)) for name in names}
    likely = sorted((name for name in names if shared[name]), key=lambda name: (-shared[name], name))
    return _unique(names, iter(likely))[:_MOST_SHOWN]
