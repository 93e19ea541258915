"""What a message names: things found by their names inside a sentence, and the questions they settle."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.chat.answers import fold, is_refused

_LONGEST = 80  # characters; who names what they want says little, who tells a story wants something else
_SHORTEST = 2
DESPITE = "despite"  # settled with what was meant where other words of the message contradict it


@dataclass(frozen=True, slots=True)
class Named:
    """Something a dialogue can be opened with, and the questions its name settles: {"department": id}.

    `it` is what templates may say of it. One that settles nothing only keeps its words together: 中医院 is
    not 中医. `besides` is the case with it and settles nothing: another name that says otherwise is wrong.
    `among`: alone it is meant only among words like these; 人民医院 is named in many a story.
    """

    names: tuple[str, ...]
    settles: Mapping[str, str] = field(default_factory=dict)
    it: object = None
    besides: Mapping[str, str] = field(default_factory=dict)
    among: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class WhileOpen:
    """A loader of names that turn a dialogue another way while it is open, and do not open it."""

    load: Callable[..., Awaitable[Sequence[Named]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a message names: answers by question, the words left over, the one thing meant if it is one."""

    settles: Mapping[str, str]
    rest: str
    length: int  # characters of the message that are names
    it: object = None


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    thing: Named

    def inside(self, other: "_Hit") -> bool:
        return other.start <= self.start and self.end <= other.end and self.length < other.length

    @property
    def length(self) -> int:
        return self.end - self.start


def find(folded: str, things: Iterable[Named]) -> Found | None:
    """Find what a folded message names; None if it is nothing, or too long a message.

    Things that settle the same questions are of one kind: of several only what they have in common is
    settled. Where kinds contradict one another, the one that settles more is meant, and `DESPITE` says which.
    """
    if len(folded) > _LONGEST:
        return None
    hits = [hit for thing in things for hit in _hits(folded, thing)]
    hits = [hit for hit in hits if hit.thing.settles and not any(hit.inside(other) for other in hits)]
    if not hits:
        return None
    settles: dict[str, str] = {}
    besides: dict[str, str] = {}
    meant: list[_Hit] = []
    for kind in _kinds(hits):
        common = _common([hit.thing for hit in kind])
        if any((settles | besides).get(key, value) != value for key, value in common.items()):
            settles[DESPITE] = next(value for key, value in reversed(settles.items()) if key not in common)
            continue
        settles = common | settles
        if len({id(hit.thing) for hit in kind}) == 1:
            meant.extend(kind)
            besides.update(kind[0].thing.besides)
    rest = _without(folded, meant)
    if meant and all(hit.thing.among and not hit.thing.among.fullmatch(rest) for hit in meant):
        return None
    length = sum(hit.length for hit in hits)
    return Found(settles, rest, length, meant[0].thing.it if meant else None)


def _hits(folded: str, thing: Named) -> list[_Hit]:
    """Find where a message names a thing without putting it aside (不要骨科)."""
    hits = []
    for name in map(fold, thing.names):
        at = folded.find(name) if len(name) >= _SHORTEST else -1
        if at >= 0 and not is_refused(folded, at):
            hits.append(_Hit(at, at + len(name), thing))
    return hits


def _kinds(hits: Sequence[_Hit]) -> list[list[_Hit]]:
    """Sort hits by the questions they settle, those that settle most first."""
    kinds: dict[frozenset[str], list[_Hit]] = {}
    for hit in hits:
        kinds.setdefault(frozenset(hit.thing.settles), []).append(hit)
    return sorted(kinds.values(), key=lambda kind: -len(kind[0].thing.settles))


def _common(things: Sequence[Named]) -> dict[str, str]:
    first, *others = things
    return {
        key: value
        for key, value in first.settles.items()
        if all(other.settles[key] == value for other in others)
    }


def _without(folded: str, hits: Sequence[_Hit]) -> str:
    """Take names out of a message."""
    named = {place for hit in hits for place in range(hit.start, hit.end)}
    return fold("".join(each for place, each in enumerate(folded) if place not in named))
