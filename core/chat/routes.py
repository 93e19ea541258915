"""The compiled routing table: words to handlers, handlers wired to services, everything checked at boot."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, NewType, get_type_hints

import msgspec

from core.chat.answers import bare, fold
from core.chat.besides import Heard
from core.chat.dialogue import Ask
from core.chat.events import Event, Kind
from core.chat.moments import is_past, is_wish, spoken
from core.chat.names import Found, Named, find
from core.chat.prompts import Prompt
from core.chat.replies import Reply
from core.chat.router import (
    Match,
    Route,
    Router,
    compile_pattern,
    follow,
    hole_names,
    holes_of,
    longest_piece,
    shape_of,
    ways_of_saying,
)
from core.chat.sessions import Option
from core.errors import BootError

CitizenId = NewType("CitizenId", str)  # who writes, as services/citizens names them
Rest = NewType("Rest", str)  # what followed the word that led here


class Notes(dict[str, str]):
    """Small things a handler wants to find again in this conversation; kept as long as the session."""


class Nearest(tuple[Option, ...]):
    """The services nearest to what was said, for a fallback to offer."""

    __slots__ = ()


_Namer = Callable[..., Awaitable[Sequence[Named]]]
_ROUTED_BY_CONTENT = frozenset((Kind.TEXT, Kind.VOICE, Kind.CLICK))


class Given(msgspec.Struct, frozen=True):
    """What a turn can hand to a handler."""

    event: Event
    match: Match
    notes: Notes
    nearest: Nearest
    citizen: Callable[[], Awaitable[str]]
    ask: Ask | None = None


class Wired:
    """A route whose handler's parameters are known: services bound, the rest given on each turn."""

    def __init__(self, route: Route, services: Mapping[type, object]) -> None:
        self.route = route
        self._services, self._turn = _sorted_out(route.handler, services)
        for name, wanted in self._turn:
            if not _can_be_given(name, wanted, route):
                raise BootError(
                    f"handler {route.name}: nothing is known to hand over as `{name}: {_called(wanted)}`;"
                    " add that service to the bot's services (Ask needs a dialogue, str a pattern's hole,"
                    " Prompt a handler that nothing else leads to)"
                )
        self._named = _bound(route.named, route, services) if route.named else None

    async def find(self, folded: str) -> Found | None:
        """What of its own a message names."""
        return find(folded, await self._named(folded)) if self._named is not None and folded else None

    def may_hear(self, folded: str) -> bool:
        """Tell whether `beside` may hear something; nearly always not, and that costs no coroutine."""
        return self.route.beside is not None and self.route.beside.hear(folded) is not None

    async def beside(self, folded: str) -> Heard | None:
        """What a message says beside all questions of this dialogue."""
        beside = self.route.beside
        if beside is None or not self.may_hear(folded):
            return None
        return beside.heard(folded, await self._named(folded) if self._named is not None else ())

    async def __call__(self, given: Given) -> Reply:
        """Call the handler with its services and what the turn gives."""
        arguments = dict(self._services)
        for name, type_ in self._turn:
            if type_ is CitizenId:
                arguments[name] = await given.citizen()
            else:
                arguments[name] = _GIVERS[type_](given, name)
        return await self.route.handler(**arguments)


_GIVERS: dict[Any, Callable[[Given, str], object]] = {
    Event: lambda given, _name: given.event,
    Ask: lambda given, _name: given.ask,
    Rest: lambda given, _name: given.match.rest,
    Notes: lambda given, _name: given.notes,
    Nearest: lambda given, _name: given.nearest,
    Prompt: lambda given, _name: given.match.prompt,
    str: lambda given, name: dict(given.match.holes).get(name, ""),
}


def _sorted_out(
    function: Callable[..., object], services: Mapping[type, object]
) -> tuple[dict[str, object], list[tuple[str, Any]]]:
    """The parameters of a function: those that are services, bound, and the rest with what each wants."""
    hints = get_type_hints(function)
    bound: dict[str, object] = {}
    rest: list[tuple[str, Any]] = []
    for name in inspect.signature(function).parameters:
        wanted = hints.get(name)
        if isinstance(wanted, type) and wanted in services:
            bound[name] = services[wanted]
        else:
            rest.append((name, wanted))
    return bound, rest


def _bound(
    loader: _Namer, route: Route, services: Mapping[type, object]
) -> Callable[[str], Awaitable[Sequence[Named]]]:
    """A route's loader of names with its services; it is called with the folded message, a `str`."""
    bound, rest = _sorted_out(loader, services)
    said = [name for name, wanted in rest if wanted is str]
    for name, wanted in rest:
        if name not in said[:1]:
            raise BootError(
                f"names of {route.name}: nothing is known to hand over as `{name}: {_called(wanted)}`"
            )

    def load(folded: str) -> Awaitable[Sequence[Named]]:
        return loader(**bound, **dict.fromkeys(said, folded))

    return load


def _can_be_given(name: str, wanted: object, route: Route) -> bool:
    """Tell whether a turn of this route has such a thing: questions in a dialogue, holes of its patterns."""
    if wanted is Ask:
        return route.dialogue
    if wanted is Prompt:
        return route.only_prompted
    if wanted is str:
        return any(name in hole_names(pattern) for pattern in (*route.patterns, *route.alone))
    return wanted in (Event, CitizenId, Rest, Notes, Nearest)


def _called(wanted: object) -> str:
    return getattr(wanted, "__name__", repr(wanted))


class Routes:
    """Everything a bot answers, ready to be looked up; building it refuses clashes and missing services."""

    def __init__(self, router: Router, services: Mapping[type, object]) -> None:
        self._named: dict[str, Wired] = {}
        self._words: dict[str, Wired] = {}
        self._anywhere: dict[str, Wired] = {}
        self._idle: dict[str, Wired] = {}
        self._around: dict[str, Wired] = {}
        self._clicks: dict[str, Wired] = {}
        self._prompts: dict[tuple[str, str], Wired] = {}
        self._kinds: dict[Kind, Wired] = {}
        self._patterns: list[tuple[str, re.Pattern[str], Wired]] = []  # each behind its longest fixed piece
        self._alone: list[tuple[str, re.Pattern[str], Wired]] = []
        patterns: dict[str, Wired] = {}
        fallbacks = []
        for route in router.routes():
            wired = Wired(route, services)
            self._register(wired, patterns)
            if route.fallback:
                fallbacks.append(wired)
        if len(fallbacks) != 1:
            raise BootError(f"a bot needs exactly one fallback handler, this one has {len(fallbacks)}")
        self.fallback = fallbacks[0]
        # What has none of the pieces fits no pattern: nearly every message, told by one look.
        self._pieces = re.compile("|".join(re.escape(piece) for piece, _, _ in self._patterns))
        beginnings = self._words.keys() - self._anywhere.keys()
        self._listening = [wired for wired in self._named.values() if wired.route.beside is not None]
        self._beginnings: dict[str, list[str]] = {}  # by their first character, the longest first
        for word in sorted(beginnings, key=len, reverse=True):
            self._beginnings.setdefault(word[0], []).append(word)
        self._services_offered = [
            Option(wired.route.name, wired.route.title, wired.route.words[1:])
            for wired in self._named.values()
            if wired.route.words and not (wired.route.anywhere or wired.route.idle)
        ]

    def _register(self, wired: Wired, patterns: dict[str, Wired]) -> None:
        route = wired.route
        _add(self._named, route.name, wired, "name")
        for word in route.words:
            if not fold(word):
                raise BootError(f"handler {route.name}: the word {word!r} says nothing")
            _add(self._idle if route.idle else self._words, fold(word), wired, "word")
            if route.anywhere:
                self._anywhere[fold(word)] = wired
        for word in route.around:
            _add(self._around, fold(word), wired, "word around a day")
        for key in route.clicks:
            _add(self._clicks, key, wired, "menu key")
        for option in route.prompts:
            _add(self._prompts, option, wired, "option of a prompt")
        for kind in route.kinds:
            if kind in _ROUTED_BY_CONTENT:
                raise BootError(f"handler {route.name}: {kind} is routed by words or key, not by kind")
            _add(self._kinds, kind, wired, "kind of event")
        self._register_patterns(wired, patterns)

    def _register_patterns(self, wired: Wired, patterns: dict[str, Wired]) -> None:
        route = wired.route
        for those, table in ((route.patterns, self._patterns), (route.alone, self._alone)):
            for pattern in those:
                _add(patterns, shape_of(pattern), wired, "pattern")
                table.append((longest_piece(pattern), compile_pattern(pattern), wired))

    def named(self, name: str) -> Wired | None:
        """The route a session remembers by name; None after a deploy that removed it."""
        return self._named.get(name)

    def anywhere(self, folded: str) -> Match | None:
        """The global word this whole message is."""
        return _matched(self._anywhere.get(folded))

    def click(self, key: str) -> Match | None:
        """The handler of a menu key."""
        return _matched(self._clicks.get(key))

    def prompted(self, kind: str, option: str) -> Wired | None:
        """Where an option of a message of ours leads; None after a deploy that removed it."""
        return self._prompts.get((kind, option))

    def kind(self, kind: Kind) -> Match | None:
        """The handler of a kind of event."""
        return _matched(self._kinds.get(kind))

    def whole(self, folded: str) -> Match | None:
        """The handler whose word this whole message is, polite words aside."""
        return next(
            (_matched(self._words[way]) for way in ways_of_saying(folded) if way in self._words), None
        )

    def within_alone(self, folded: str) -> Match | None:
        """The handler whose pattern for where nothing is open fits; the barest way of saying it first."""
        fitting = (_fitting(way, self._alone) for way in reversed(ways_of_saying(folded)))
        return next((max(found, key=lambda match: match.length) for found in fitting if found), None)

    def alone(self, folded: str, today: date) -> Match | None:
        """What is meant where nothing is open: words of its own for that, or one around a day (明天挂号)."""
        for way in ways_of_saying(folded):
            if way in self._idle:
                return Match(self._idle[way].route)
        named, rest = spoken(folded, today)
        if not named or is_past(folded, today):
            return None
        around = bare(fold(rest))
        if around in self._around and is_wish(folded, today):
            return Match(self._around[around].route, rest=named)
        match = self.within(fold(rest))
        if match is None or not match.route.dialogue:
            return None
        return msgspec.structs.replace(match, rest=named + match.rest)

    def within(self, folded: str) -> Match | None:
        """The handler whose word begins this message or whose pattern fits it; the longest wins."""
        # The barest way first: of equals it wins, and no 请问 is left in a hole.
        best: Match | None = None
        for way in reversed(ways_of_saying(folded)):
            for match in self._within(way):
                if best is None or match.length > best.length:
                    best = match
        return best

    async def naming(self, folded: str, dialogue: str = "") -> Match | None:
        """The dialogue that owns what this message names: the open one, or who owns the most of it."""
        under_way = self._named.get(dialogue)
        if under_way is not None and (hit := await under_way.find(folded)) is not None:
            return Match(under_way.route, folded, found=hit)
        found = [
            (wired, hit)
            for wired in self._named.values()
            if wired.route.named is not None
            and wired.route.by_name
            and wired is not under_way
            and (hit := await wired.find(folded)) is not None
        ]
        if not found:
            return None
        wired, hit = max(found, key=lambda each: each[1].length)
        return Match(wired.route, folded, found=hit)

    async def beside(self, folded: str) -> Match | None:
        """The dialogue that is asked for together with something that it hears beside its questions."""
        for wired in self._listening:
            if not wired.may_hear(folded) or (heard := await wired.beside(folded)) is None:
                continue
            rest = fold(heard.rest)
            match = self.whole(rest) or self.within(rest) or await self.naming(folded)
            if match is not None and match.route is wired.route:
                return msgspec.structs.replace(match, about=heard.about)
        return None

    def offered(self) -> list[Option]:
        """Every service that can be offered by name."""
        return self._services_offered

    def _within(self, text: str) -> list[Match]:
        found = _fitting(text, self._patterns) if self._pieces.search(text) else []
        for word in self._beginnings.get(text[:1], ()):
            if text.startswith(word):
                found.append(Match(self._words[word].route, follow(text, word), length=len(word)))
                break
        return found


def _fitting(text: str, patterns: Sequence[tuple[str, re.Pattern[str], Wired]]) -> list[Match]:
    """The patterns that this whole text is."""
    return [
        Match(wired.route, holes=holes_of(hit), length=len(text) - sum(map(len, hit.groups())))
        for piece, pattern, wired in patterns
        if piece in text and (hit := pattern.fullmatch(text))
    ]


def _matched(wired: Wired | None) -> Match | None:
    return Match(wired.route) if wired else None


def _add(table: dict[Any, Wired], key: object, wired: Wired, what: str) -> None:
    if key in table:
        both = f"{table[key].route.name} and {wired.route.name}"
        raise BootError(f"{both} both claim the {what} {key!r}; give one of them another")
    table[key] = wired
