"""What a dialogue cannot do though people ask for it while they open or answer it; going on takes a yes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from core.chat.answers import fold
from core.chat.names import Named


class Heard(NamedTuple):
    """What was asked for, in a word, and the message without it."""

    about: str
    rest: str


@dataclass(frozen=True, slots=True)
class Caveat:
    """One thing a dialogue cannot do, and how it is heard in a folded message.

    It is asked about before anything else, as a confirmation with `key`: its words are those of any
    confirmation of the domain, `it` in them is what was heard. `yes` are further words for going on without.
    `hides` tells which things have names that say nothing of it: 奶奶庙医院 is no grandmother.
    """

    key: str
    hear: Callable[[str], Heard | None]
    yes: tuple[str, ...] = ()
    hides: Callable[[Named], bool] = lambda _named: True

    def heard(self, folded: str, names: Iterable[Named]) -> Heard | None:
        """What of it stands in a message and not only inside a name."""
        covered = folded
        for name in sorted(map(fold, self._hiding(names)), key=len, reverse=True):
            covered = covered.replace(name, "\0" * len(name))
        return self.hear(folded) if self.hear(covered) else None

    def _hiding(self, names: Iterable[Named]) -> list[str]:
        return [name for each in names if self.hides(each) for name in each.names]
