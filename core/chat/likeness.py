"""Which options words are like, where they name none: the order of a list, and what a miss asks about."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from rapidfuzz import fuzz

from core.chat.answers import is_nod, meant, names_of
from core.chat.sessions import Option

_NEAR = 45  # of 100; below this two words have nothing to do with one another
_NEAREST_TIMES = 2
_COMPARED = 64  # characters of a message that are compared with names
# 什么时候轮到我 is not like 什么时候取号.
_ASKING_WORDS = re.compile(
    "什么时候|什么|怎么办|怎么样|怎么|如何|在?哪[里儿个]?|[几多][点少天久]|可不?可以|能不能|要不要|有没有|需要|时候|好了|了$"
)


def guesses(folded: str, options: Sequence[Option], most: int) -> list[Option]:
    """What these words may have meant, the likeliest first; nothing where they share no word with any option.

    A word of asking (怎么, 在哪里) is none, and neither is a single character: 天气 is not like 几天.
    """
    telling = _ASKING_WORDS.sub(" ", folded[:_COMPARED])
    sharing = [option for option in options if any(_share_a_word(telling, name) for name in names_of(option))]
    near = _ranked(folded, options)
    alike = sorted(near, key=lambda option: option not in sharing)
    return alike[:most] if sharing else []


def nearest(folded: str, options: Sequence[Option], today: date | None = None) -> list[Option]:
    """The options in the order of likeness to these words; unlike ones keep their order behind.

    Of days and times the nearest two come first. Who shares no word with an option is not like it, unless a
    character of its name was misheard: 取消 is not like 消化内科, 骨课 is like 骨科.
    """
    if (moment := meant(folded, options, today)) is not None:
        timed = [option for option in options if option.when is not None]
        near = sorted(timed, key=lambda option: moment.distance(option.when) if option.when else timedelta())
        near = near[:_NEAREST_TIMES]
    else:
        near = [option for option in _ranked(folded, options) if _is_like(folded[:_COMPARED], option)]
    return near + [option for option in options if option not in near]


def likeness(folded: str, option: Option) -> float:
    """How alike words and an option's names are, 0–100."""
    said = folded[:_COMPARED]
    return max((fuzz.partial_ratio(said, name) for name in names_of(option)), default=0.0) if said else 0.0


def _ranked(folded: str, options: Sequence[Option]) -> list[Option]:
    """The options that are anything like these words, the likeliest first."""
    alike = [(likeness(folded, option), option) for option in options]
    return [option for score, option in sorted(alike, key=lambda pair: -pair[0]) if score >= _NEAR]


def _is_like(said: str, option: Option) -> bool:
    if is_nod(said):
        return False
    return any(_share_a_word(said, name) or _is_misheard(said, name) for name in names_of(option))


def _share_a_word(said: str, name: str) -> bool:
    """Tell whether two characters that stand together stand so in both."""
    pairs = {said[at : at + 2] for at in range(len(said) - 1)}
    return any(name[at : at + 2] in pairs for at in range(len(name) - 1))


def _is_misheard(said: str, name: str) -> bool:
    """Tell whether one character, and no other, stands for another."""
    return (
        len(said) == len(name) > 1 and sum(one != other for one, other in zip(said, name, strict=True)) == 1
    )
