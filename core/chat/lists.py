"""The list of a question of choice: its lines, which can be had on a wished day, which are full then."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, Protocol, TypeVar

from core.chat import answers
from core.chat.likeness import nearest
from core.chat.moments import Moment, When, named_moment
from core.chat.sessions import Option
from core.chat.words import QuestionWords

PAGE = 6  # options a message shows (design 3: at most six)


class Choosable(Protocol):
    """What a loader returns: an id, and the other words by which a citizen may name it."""

    @property
    def id(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...


Item = TypeVar("Item", bound=Choosable)
Elsewhere = Callable[[Moment], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class View:
    """What of a list is shown: in the order of likeness to some words, or only what they mean."""

    near: str = ""
    page: int = 0
    narrowed: bool = False

    def turned(self, pages: int) -> "View":
        """So many pages on; behind the lines somebody asked for come all there are."""
        if not pages:
            return self
        return View() if self.narrowed else View(self.near, max(0, self.page + pages))


@dataclass(frozen=True, slots=True)
class Times(Generic[Item]):
    """What a list has to do with days and times.

    `when`: which day or time an item is. `opens`: or when it can be had, where days are asked for later.
    `full`: loads items of the same kind that are not offered because they are 约满. `elsewhere`: names what
    else can be had at a moment when none of these can.
    """

    when: Callable[[Item], When | None] | None = None
    opens: Callable[[Item], Collection[When]] | None = None
    full: Callable[[], Awaitable[Sequence[Item]]] | None = None
    elsewhere: Elsewhere | None = None

    def lines(self, question: QuestionWords, items: Sequence[Item]) -> list[Option]:
        """Say every item."""
        return [
            Option(item.id, question.label(item), item.aliases, self.when(item) if self.when else None)
            for item in items
        ]

    def open_at(self, wish: Moment | None, items: Sequence[Item]) -> frozenset[str]:
        """The items that can be had then."""
        if wish is None or self.opens is None:
            return frozenset()
        opens = self.opens
        return frozenset(item.id for item in items if any(wish.fits(when) for when in opens(item)))

    def picked(self, said: str, shown: Sequence[Option], today: date) -> Option | None:
        """The line shown that these words pick."""
        return None if self._is_wish(said, shown, today) else answers.pick(said, shown, today)

    def named(self, said: str, options: Sequence[Option], today: date) -> Option | None:
        """The option that these words name, shown or not."""
        return None if self._is_wish(said, options, today) else answers.by_name(said, options, today)

    def several(self, said: str, options: Sequence[Option], today: date) -> list[Option]:
        """The options that these words mean, where they mean more than one."""
        return [] if self._is_wish(said, options, today) else answers.several(said, options, today)

    def _is_wish(self, said: str, options: Sequence[Option], today: date) -> bool:
        """Tell whether these words are a day only: 明天 is no name of the one line that says 明天有号."""
        if self.opens is None or wished(said, today) is None or answers.number(said) is not None:
            return False
        return not any(answers.fold(alias) in said for option in options for alias in option.aliases)

    async def others(self, said: str, options: Sequence[Option], today: date) -> Sequence[str]:
        """What else can be had at the day or time these words name, where nothing here can."""
        moment = answers.meant(said, options, today)
        if moment is None or moment.unclear or self.elsewhere is None:
            return ()
        if any(option.when is not None and moment.fits(option.when) for option in options):
            return ()
        return await self.elsewhere(moment)

    async def is_full(self, said: str, options: Sequence[Option], today: date) -> bool:
        """Tell whether these words name a day or time that is not offered only because it is full."""
        moment = answers.meant(said, options, today)
        if moment is None or self.when is None or self.full is None:
            return False
        if any(option.when is not None and moment.fits(option.when) for option in options):
            return False
        return any(when is not None and moment.fits(when) for when in map(self.when, await self.full()))


def wished(offered: str, today: date) -> Moment | None:
    """The day to come, with or without its part, that was named before days were asked for."""
    moment = named_moment(answers.fold(offered), today)
    if moment is None or moment.unclear or moment.day is None or moment.day < today:
        return None
    return moment


def ranked(view: View, options: Sequence[Option], today: date, fitting: Collection[str]) -> list[Option]:
    """The order in which options are shown: first what can be had as wished, then what is like the words."""
    meant = answers.several(view.near, options, today) if view.narrowed else []
    return sorted(meant or nearest(view.near, options, today), key=lambda option: option.id not in fitting)


def page_of(options: Sequence[Option], page: int) -> tuple[list[Option], int, bool]:
    """The lines of a page, which one it is after the last came the first, and whether another one follows."""
    page %= -(-len(options) // PAGE)
    return list(options[page * PAGE : (page + 1) * PAGE]), page, goes_on(len(options), page)


def goes_on(options: int, page: int) -> bool:
    """Tell whether a page follows this one."""
    return options > (page + 1) * PAGE
