"""What people say beside what a dialogue asks: for whom it is; it answers one question, whenever it comes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from core.chat.answers import fold
from core.chat.names import Named


class Heard(NamedTuple):
    """What was said, in a word, and the message without it."""

    about: str
    rest: str


@dataclass(frozen=True, slots=True)
class Beside:
    """One thing that is said at any point of a dialogue, and how it is heard in a folded message.

    The dialogue's handler asks for it before all else, as the question `key` (`Ask.said_beside`); whoever
    says it later is asked again there, and all other answers stay. `hides` tells which things have names
    that say nothing of it: 奶奶庙医院 is no grandmother.
    """

    key: str
    hear: Callable[[str], Heard | None]
    hides: Callable[[Named], bool] = lambda _named: True

    def heard(self, folded: str, names: Iterable[Named]) -> Heard | None:
        """What of it stands in a message and not only inside a name."""
        covered = folded
        for name in sorted(map(fold, self._hiding(names)), key=len, reverse=True):
            covered = covered.replace(name, "\0" * len(name))
        return self.hear(folded) if self.hear(covered) else None

    def _hiding(self, names: Iterable[Named]) -> list[str]:
        return [name for each in names if self.hides(each) for name in each.names]
