"""The lines a citizen chooses from when it is about who may act for whom."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from services.citizens.errors import NoSuchBinding
from services.citizens.families import Families
from services.citizens.model import SELF, Asked, Holder, Relative, Request, Way
from services.citizens.proving import Proving
from services.citizens.relations import FAMILY, TITLES, codes, words

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Relation:
    """One kind of relation: 妈妈."""

    id: str
    title: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WayLine:
    """One way to prove a request; its id names the institution, too."""

    way: Way

    @property
    def id(self) -> str:
        """`code:hospital`, `person`."""
        return f"{self.way.kind}:{self.way.institution}" if self.way.institution else self.way.kind

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else it may be called."""
        return _WAYS[self.way.kind]


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A request that waits for the citizen."""

    it: Asked

    @property
    def id(self) -> str:
        """The binding."""
        return self.it.binding

    @property
    def aliases(self) -> tuple[str, ...]:
        """How its asker calls themselves."""
        return (self.it.asker,)


@dataclass(frozen=True, slots=True)
class Before:
    """A request of before that waits, or somebody else (`it` is None)."""

    it: Request | None

    @property
    def id(self) -> str:
        """The binding."""
        return self.it.binding if self.it else ANOTHER

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else it may be called."""
        return _THE_SAME if self.it else _SOMEBODY_ELSE


@dataclass(frozen=True, slots=True)
class Held:
    """A binding that can be ended: `of_me`, to who may act for the citizen; else to whom they act for.

    `called` is "" where who may act for them did not say.
    """

    id: str
    called: str
    of_me: bool
    aliases: tuple[str, ...]
    is_me: bool = False  # who may act for the citizen has proven to be them, on another phone


ANOTHER = "another"
_THE_SAME, _SOMEBODY_ELSE = ("是", "是的", "就是", "就是她", "就是他"), ("另一个人", "别人", "不是")
_FIRST = ("mother", "father", "spouse", "son", "daughter", SELF)
_WAYS = {
    "person": ("微信", "微信同意", "对方同意", "让对方同意", "同意"),
    "counter": ("窗口", "到窗口", "柜台", "去医院办"),
    "code": ("验证码", "短信", "短信验证码", "发短信", "发验证码"),
    "roster": ("监护人", "核对监护人", "医院核对"),
}


def _rank(code: str) -> tuple[bool, int]:
    """The nearest first, the citizen on the first page, behind them the others."""
    order = list(TITLES)
    return code not in _FIRST, _FIRST.index(code) if code in _FIRST else order.index(code)


async def relations(called: str, *, oneself: bool = False) -> list[Relation]:
    """The relations that somebody who is called so may be, or every one; the commonest first.

    The citizens themselves are among them, if they may be meant after all (`oneself`).
    """
    every = (codes(called) - {SELF} or FAMILY) | ({SELF} if oneself else set())
    return [Relation(code, TITLES[code], words(code)) for code in sorted(every, key=_rank)]


async def ways(proving: Proving, binding: str, citizen: str) -> list[WayLine]:
    """How a request may be proven."""
    return [WayLine(way) for way in await proving.ways(binding, citizen)]


async def asked_of(families: Families, citizen: str) -> list[AskedLine]:
    """The requests that wait for the citizen's own yes."""
    return [AskedLine(each) for each in await families.asked_of(citizen)]


async def asked(families: Families, citizen: str, binding: str) -> Asked:
    """One of them."""
    return _one(each for each in await families.asked_of(citizen) if each.binding == binding)


async def asked_before(families: Families, citizen: str, relation: str) -> list[Before]:
    """The citizen's own requests that wait for somebody of a relation, and that it is about none of them."""
    found = [Before(each) for each in await families.open_requests(citizen) if each.relation == relation]
    return [*found, Before(None)] if found else []


async def held(families: Families, citizen: str) -> list[Held]:
    """Whom the citizen may act for, and who may act for them."""
    people = [_person(each) for each in await families.people(citizen) if not each.is_self]
    return [*people, *map(_holder, await families.holders(citizen))]


async def one_held(families: Families, citizen: str, binding: str) -> Held:
    """One of them."""
    return _one(each for each in await held(families, citizen) if each.id == binding)


async def bound(families: Families, citizen: str, binding: str) -> Relative:
    """Whom a binding is to."""
    return _one(each for each in await families.people(citizen) if each.binding == binding)


async def institution(proving: Proving, binding: str, citizen: str, name: str) -> Way:
    """The institution that sends a code."""
    return _one(way for way in await proving.ways(binding, citizen) if way.institution == name)


def _person(relative: Relative) -> Held:
    return Held(relative.binding, relative.called, of_me=False, aliases=relative.aliases)


def _holder(holder: Holder) -> Held:
    is_me = holder.relation == SELF
    aliases = (holder.asker,) if holder.asker else ("另一个微信",) if is_me else ("一位家人",)
    return Held(holder.binding, holder.asker, of_me=True, aliases=aliases, is_me=is_me)


def _one(found: Iterable[_T]) -> _T:
    """The first of them; what was there when it was shown may be over."""
    for each in found:
        return each
    raise NoSuchBinding
