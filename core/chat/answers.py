"""How people say numbers, yes, no and the names of things."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from core.chat.sessions import Option

MORE, BACK, AGAIN, HUMAN = "9", "8", "7", "0"

_EDGES = " \t\r\n。，、；：？！…“”‘’「」『』《》〈〉【】〔〕.,;:?!~'\"()[]<>-_—·"
_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_NUMBER = re.compile(
    r"(?:请)?(?:我)?(?:就)?(?:选择|选|要|按|回复|回)?(?:第)?"
    r"(?P<number>\d{1,2}|[零〇一二两三四五六七八九])"
    r"(?:个|项|种|位|条|行|号)?(?:选项)?(?:吧|的|哦|啊|呀|了)?"
)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Text as words are compared: NFKC, lower case, without white space and punctuation at its edges."""
    return unicodedata.normalize("NFKC", text).strip(_EDGES).strip().casefold()


def fold_all(spaced: str) -> frozenset[str]:
    """A set of folded words out of one spaced line."""
    return frozenset(fold(word) for word in spaced.split())


_YES = fold_all("是 是的 对 对的 好 好的 行 可以 嗯 嗯嗯 确认 确定 同意 没错 没问题 ok yes y 要 要的")
_NO = fold_all("否 不 不是 不对 不要 不用 不用了 不行 不可以 算了 不了 不同意 先不 no n")
_NEAR = 45  # of 100; below this two words have nothing to do with one another
_SHORTEST_PART = 2


def number(folded: str) -> int | None:
    """The number a short answer names: 1, １, 一, ①, 选1, 第一个, 要一; None if it names none."""
    found = _NUMBER.fullmatch(folded.replace(" ", ""))
    if not found:
        return None
    digits = found["number"]
    return int(digits) if digits.isdecimal() else _DIGITS[digits]


def yes_or_no(folded: str) -> bool | None:
    """True for a yes, False for a no, None for neither."""
    if folded in _YES:
        return True
    return False if folded in _NO else None


def pick(folded: str, options: Sequence[Option]) -> Option | None:
    """The one option these words or this number mean; None if none or several do."""
    named = by_name(folded, options)
    if named is not None:
        return named
    place = number(folded)
    return options[place - 1] if place is not None and 1 <= place <= len(options) else None


def by_name(folded: str, options: Sequence[Option]) -> Option | None:
    """The one option these words name: wholly, or as the longest name found inside them."""
    if not folded:
        return None
    wholly = [option for option in options if folded in _names(option)]
    if wholly:
        return wholly[0] if len(wholly) == 1 else None
    best: dict[str, int] = {}
    for option in options:
        length = max((_shared(folded, name) for name in _names(option)), default=0)
        if length:
            best[option.id] = length
    longest = [option for option in options if best.get(option.id, 0) == max(best.values(), default=-1)]
    return longest[0] if len(longest) == 1 else None


def nearest(folded: str, options: Sequence[Option]) -> list[Option]:
    """The options in the order of likeness to these words; unlike ones keep their order behind."""
    ranked = sorted(options, key=lambda option: -likeness(folded, option))
    near = [option for option in ranked if likeness(folded, option) >= _NEAR]
    return near + [option for option in options if option not in near]


def likeness(folded: str, option: Option) -> float:
    """How alike words and an option's names are, 0–100."""
    return max((fuzz.partial_ratio(folded, name) for name in _names(option)), default=0.0) if folded else 0.0


def _names(option: Option) -> list[str]:
    return [name for name in (fold(option.label), *(fold(alias) for alias in option.aliases)) if name]


def _shared(said: str, name: str) -> int:
    """Length of the name if the words contain it, of the words if the name contains them, else 0."""
    shorter, longer = sorted((said, name), key=len)
    usable = len(shorter) >= _SHORTEST_PART and not shorter.isdecimal()
    return len(shorter) if usable and shorter in longer else 0
