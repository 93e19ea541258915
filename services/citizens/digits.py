"""Digits as people write and speak them: full-width, spaced, dashed, in a sentence, spelled in Chinese."""
# ruff: noqa: N818 - a refusal is named by what is the case

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Literal

from core.errors import DomainError

What = Literal["id_number", "phone", "code"]

_MOST_TEXT = 500  # characters that are looked at
_SPELLED = str.maketrans("零〇一幺二三四五六七八九叉", "0011" + "23456789X")
_SHORTEST_SPELLED = 4  # 第一次 is no number
# What looks like a dash or an X, and what cannot be seen at all.
_LIKE = str.maketrans(
    dict.fromkeys("‐‑‒–—―−－﹣_~", "-")
    | dict.fromkeys("×ХΧ✕✖╳", "X")
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", "")
)
_PIECE = r"[0-9A-Z*]*[0-9][0-9A-Z*]*"
_LAST_X = r"X(?![0-9A-Z])"  # 11010519491231002 X


def _joined_over(gap: str) -> re.Pattern[str]:
    return re.compile(rf"\+?{_PIECE}(?:{gap}(?:{_PIECE}|{_LAST_X}))*")


_IN_A_LINE = _joined_over(r"[ \t()./·-]+")
_IN_PIECES = re.compile(rf"\+?{_PIECE}")
_OVER_LINES = _joined_over(r"[\s()./·-]+")


class NumberMissing(DomainError):
    """There is no number in what was written; `what` was asked for."""

    code = "number_missing"


class ManyNumbers(DomainError):
    """Two different numbers could be meant, and nobody guesses; `what` was asked for."""

    code = "many_numbers"


class NotADigit(DomainError):
    """The number, `what`, has a letter or a star in it: `stray`."""

    code = "not_a_digit"


def pick(text: str, what: What, read: Callable[[str], str]) -> str:
    """The one number of a text that `read` can make something of, as `read` made it; "" if there is none.

    `read` gets digits, letters in upper case and stars without gaps, "+" in front, and answers "" to what is
    no such number. `NumberMissing`, `ManyNumbers`.
    """
    folded = _folded(text)
    if not longest(text):
        raise NumberMissing(what=what)
    for pattern in (_IN_A_LINE, _IN_PIECES, _OVER_LINES):
        fitting = {fit for number in _found(pattern, folded) if (fit := read(number))}
        if len(fitting) > 1:
            raise ManyNumbers(what=what)
        if fitting:
            return fitting.pop()
    return ""


def longest(text: str) -> str:
    """The number that was most likely meant; "" if there is none."""
    return max(_found(_IN_A_LINE, _folded(text)), key=len, default="")


def require_digits(number: str, what: What) -> None:
    """Refuse a number with anything but digits in it, "+" apart: `NotADigit`."""
    stray = re.search("[^0-9]", number.removeprefix("+"))
    if stray:
        raise NotADigit(what=what, stray=stray.group())


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text[:_MOST_TEXT]).upper().translate(_LIKE)
    if re.search("[0-9]", plain):
        return plain
    spelled = plain.translate(_SPELLED)
    return spelled if re.search(f"[0-9]{{{_SHORTEST_SPELLED}}}", spelled) else plain


def _found(pattern: re.Pattern[str], folded: str) -> Iterator[str]:
    for number in pattern.findall(folded):
        plus = "+" if number.startswith("+") else ""
        yield plus + re.sub(r"^[A-Z]+|[^0-9A-Z*]", "", number)
