"""Which word opens which service: handlers register here, and clashes stop the boot."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypedDict, TypeVar, Unpack

import msgspec

from core.chat.answers import bare, fold
from core.chat.besides import Beside
from core.chat.events import Kind
from core.chat.names import Found, Named, WhileOpen
from core.chat.prompts import Prompt
from core.chat.replies import Reply
from core.errors import BootError

_F = TypeVar("_F", bound=Callable[..., Awaitable[Reply]])
_HOLE = re.compile(r"\{(\w+)\}")
_HOLE_SIZE = 64  # characters; without a bound three holes make a long message cost minutes


@dataclass(frozen=True, slots=True)
class Route:
    """One handler and all that leads to it.

    `words` open it as a whole message or as a prefix, `patterns` have holes (`{a}到{b}多少钱`), `clicks` are
    menu keys, `kinds` events. `anywhere` words work in every state: whole message only, before any question;
    `idle` words only where nothing is open, and there `around` words stand around a day (今天有号吗); `alone`
    are patterns for there: 改到三点 is an answer to many a question. What is said `aside` leaves an open
    question on the screen as it is, and does not ask it again. `named` loads what has a name of its own and
    is wanted here; its parameters are services and, as a `str`, the folded message. Names alone open a
    dialogue if `by_name`, else they only turn it another way while it is open. `returns` are words that lead
    back to the last answered one of some questions: {"换个医生": ["doctor"]}. `beside` is what people say at
    any point of it. `prompts` are the options of messages of ours that lead here, as (kind, option), each
    with the question of a dialogue that what the message is about settles, or "".
    """

    handler: Callable[..., Awaitable[Reply]]
    domain: str
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    dialogue: bool = False
    anywhere: bool = False
    idle: bool = False
    around: tuple[str, ...] = ()
    aside: bool = False
    fallback: bool = False
    named: Callable[..., Awaitable[Sequence[Named]]] | None = None
    returns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    beside: Beside | None = None
    alone: tuple[str, ...] = ()
    by_name: bool = True
    prompts: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def only_prompted(self) -> bool:
        """Tell whether nothing but an answer to a message of ours leads here."""
        others = (self.words, self.patterns, self.clicks, self.kinds)
        return bool(self.prompts) and not any(others) and not self.dialogue

    @property
    def name(self) -> str:
        """What names it in sessions and run ids: `<domain>.<function>`."""
        return f"{self.domain}.{self.handler.__name__}"

    @property
    def title(self) -> str:
        """What a citizen calls it: its first word."""
        return self.words[0] if self.words else self.handler.__name__


class _Further(TypedDict, total=False):
    """What few dialogues need."""

    returns: Mapping[str, Sequence[str]]
    beside: Beside
    prompts: Mapping[tuple[str, str], str]


class Router:
    """The handlers of one domain; `domain` is also the folder of their templates."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self._routes: list[Route] = []
        self._included: list[Router] = []

    def on(
        self,
        *words: str,
        click: str = "",
        kinds: Iterable[Kind] = (),
        anywhere: bool = False,
        idle: bool = False,
        aside: bool = False,
        prompts: Mapping[tuple[str, str], str] | None = None,
    ) -> Callable[[_F], _F]:
        """Answer these words, this menu key, these kinds of event, these options with one reply."""
        more = {"anywhere": anywhere, "idle": idle, "aside": aside, "prompts": prompts or {}}
        return self._register(words, click, kinds, **more)

    def dialogue(
        self,
        *words: str,
        click: str = "",
        anywhere: bool = False,
        alone: Sequence[str] = (),
        named: Callable[..., Awaitable[Sequence[Named]]] | WhileOpen | None = None,
        **further: Unpack[_Further],
    ) -> Callable[[_F], _F]:
        """Open a dialogue on these words or this menu key; the first word is its title.

        `alone` opens it where nothing is open: words together with a day or a time (今天有号吗; "" lets a day
        do by itself), and patterns. `named` loads things whose names open it, too (not those of
        `WhileOpen`), and settle some of its questions. `returns` are words that lead back to a question,
        where there is an answer to it. What `beside` hears, in opening words or later, answers its question
        (`Ask.said_beside`). `prompts` are options of messages of ours that open it:
        {("booking_reminder", "move"): "which"}.
        """
        more: dict[str, Any] = {
            **further,
            "anywhere": anywhere,
            "around": tuple(word for word in alone if not _HOLE.search(word)),
            "alone": tuple(word for word in alone if _HOLE.search(word)),
            "named": named.load if isinstance(named, WhileOpen) else named,
            "by_name": not isinstance(named, WhileOpen),
            "returns": {fold(word): keys for word, keys in further.get("returns", {}).items()},
        }
        return self._register(words, click, (), dialogue=True, **more)

    def fallback(self, handler: _F) -> _F:
        """Answer what nobody else understood."""
        self._routes.append(Route(handler, self.domain, fallback=True))
        return handler

    def include(self, *routers: "Router") -> "Router":
        """Take in the handlers of other routers."""
        self._included.extend(routers)
        return self

    def routes(self) -> list[Route]:
        """List every route, own ones first."""
        return [*self._routes, *(route for router in self._included for route in router.routes())]

    def _register(
        self, words: tuple[str, ...], click: str, kinds: Iterable[Kind], **more: Any
    ) -> Callable[[_F], _F]:
        def register(handler: _F) -> _F:
            plain = tuple(word for word in words if not _HOLE.search(word))
            self._routes.append(
                Route(
                    handler,
                    self.domain,
                    words=plain,
                    patterns=tuple(word for word in words if _HOLE.search(word)),
                    clicks=(click,) if click else (),
                    kinds=tuple(kinds),
                    **more,
                )
            )
            return handler

        return register


class Match(msgspec.Struct, frozen=True):
    """A route that fits a message, what followed its word, what filled the holes of its pattern."""

    route: Route
    rest: str = ""
    holes: tuple[tuple[str, str], ...] = ()
    length: int = 0
    found: Found | None = None  # what the message names, where that is known already
    about: str = ""  # what was said beside it: the dialogue's `beside`
    prompt: Prompt | None = None  # the message of ours that was answered


# In "预约下周五" the 下 belongs to the day.
_BETWEEN = re.compile(r"^(?:一下|一个|个|下(?!下|午|个?(?:周|星期|礼拜|月))|[:：，,、 ])+")


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Turn `{a}到{b}多少钱` into an expression with named groups."""
    pieces = _HOLE.split(pattern)
    if len(set(pieces[1::2])) < len(pieces[1::2]):
        raise BootError(f"pattern {pattern!r} uses a hole twice; give each its own name")
    out = [
        re.escape(fold(piece)) if i % 2 == 0 else f"(?P<{piece}>.{{1,{_HOLE_SIZE}}}?)"
        for i, piece in enumerate(pieces)
    ]
    return re.compile("".join(out))


def longest_piece(pattern: str) -> str:
    """The longest fixed part of a pattern, folded: what lacks it need not be compared with the rest."""
    return max((fold(piece) for piece in _HOLE.split(pattern)[::2]), key=len)


def hole_names(pattern: str) -> tuple[str, ...]:
    """Name the holes of a pattern, in order."""
    return tuple(_HOLE.findall(pattern))


def shape_of(pattern: str) -> str:
    """Tell a pattern without the names of its holes: two of one shape clash."""
    return _HOLE.sub("{}", pattern)


@lru_cache(maxsize=64)  # a turn asks several times about its one message
def ways_of_saying(folded: str) -> tuple[str, ...]:
    """The message as it is, and without the polite words around it."""
    plain = bare(folded)
    return (folded, plain) if plain and plain != folded else (folded,)


def follow(text: str, word: str) -> str:
    """What follows a word in a message, without the joint between them."""
    return _BETWEEN.sub("", text[len(word) :]).strip()


def holes_of(found: re.Match[str]) -> tuple[tuple[str, str], ...]:
    """Say what filled the holes of a pattern, as pairs."""
    groups: dict[str, Any] = found.groupdict()
    return tuple((name, str(value).strip()) for name, value in groups.items())
