"""How people say numbers, yes, no and the names of things."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from core.chat.sessions import Option

MORE, BACK, AGAIN, HUMAN = 9, 8, 7, 0

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
    r"(?:嗯|好的?|请|那|我|就|还是)*[,，、]?(?:选择|选|要|想要|按|点|回复|回|数字)*(?:第)?"
    r"(?P<number>\d{1,2}|[零〇一二两三四五六七八九])"
    r"(?:个|项|种|位|条|行|号)?(?:选项)?[,，、]?(?:就行|就好|可以|好了|吧|的|哦|啊|呀|了|谢谢你?)*"
)
# Stickers and emoji around words: [微笑], [OK], 🌹, 1️⃣. Alone they are kept, they may be all that was said.
_DECORATION = re.compile(
    "\\[[A-Za-z\u4e00-\u9fff]{1,8}\\]|[\u2600-\u27bf\ufe0f\u200d\u20e3\U0001f000-\U0001faff]+"
)
_POLITE = re.compile("[\\s,，。!！、]*(?:谢谢[你您]?|麻烦[你您]?了?|多谢|辛苦了?|[\U0001f3fb-\U0001f3ff])$")
# Before a name: it is exactly not wanted.
_REFUSED = re.compile(r"(?:不|别|没|除了)(?:要|想|是|去|看|挂|选|约)*$")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Text as words are compared: NFKC, lower case, without white space and punctuation at its edges."""
    plain = unicodedata.normalize("NFKC", text)
    if not plain.isalnum():
        plain = _DECORATION.sub("", plain).strip(_EDGES) or plain.strip(_EDGES)
    return plain.casefold()


def fold_all(spaced: str) -> frozenset[str]:
    """A set of folded words out of one spaced line."""
    return frozenset(fold(word) for word in spaced.split())


_YES = fold_all(
    "是 是的 是啊 对 对的 对啊 对对 对对对 好 好的 好吧 好啊 好嘞 好滴 行 行吧 行啊 可以 可以的 嗯 嗯嗯 恩"
    " 确认 确定 同意 没错 没问题 就这个 就这样 ok yes y 要 要的 确认无误 我确认 我同意 1确认 👌 👍 强"
)
_NO = fold_all(
    "否 不 不是 不是的 不对 不要 不要了 不用 不用了 不行 不可以 算了 算了吧 不了 不同意 不确认 不确定"
    " 先不 先不要 先不了 别 我不要 我不要了 no n 2不要了"
)
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
    said = _POLITE.sub("", folded).replace(" ", "")
    if said in _YES:
        return True
    return False if said in _NO else None


def agrees(folded: str, options: Sequence[Option]) -> bool | None:
    """Whether this confirms (True), declines (False) or neither (None); `options` are yes and no as shown.

    Nothing is confirmed by a word found inside a sentence: "先不确认" is no yes.
    """
    if (agreed := yes_or_no(folded)) is not None:
        return agreed
    named = _wholly(folded, options)
    if len(named) == 1:
        return named[0] is options[0]
    return {1: True, 2: False}.get(number(folded) or 0)


def pick(folded: str, options: Sequence[Option]) -> Option | None:
    """The one option these words or this number mean; None if none or several do."""
    wholly = _wholly(folded, options)
    if not wholly and (place := number(folded)) is not None and 1 <= place <= len(options):
        return options[place - 1]
    return by_name(folded, options)


def is_name(folded: str, options: Sequence[Option]) -> bool:
    """Tell whether these words are the whole name of an option."""
    return bool(_wholly(folded, options))


def by_name(folded: str, options: Sequence[Option]) -> Option | None:
    """The one option these words name: wholly, or as the longest name found inside them."""
    if not folded:
        return None
    wholly = _wholly(folded, options)
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


def _wholly(folded: str, options: Sequence[Option]) -> list[Option]:
    return [option for option in options if folded in _names(option)]


def _names(option: Option) -> list[str]:
    return [name for name in (fold(option.label), *(fold(alias) for alias in option.aliases)) if name]


def _shared(said: str, name: str) -> int:
    """Length of the name if the words contain it, of the words if the name contains them, else 0.

    A name that is refused ("不要内科") is not shared.
    """
    shorter, longer = sorted((said, name), key=len)
    if len(shorter) < _SHORTEST_PART or shorter.isdecimal() or shorter not in longer:
        return 0
    refused = longer is said and _REFUSED.search(said[: said.index(name)])
    return 0 if refused else len(shorter)
