"""What may stand in the fields of a template or subscription notice (wechat-facts 2.4).

Where the facts leave something open the narrower reading is ours: what WeChat refuses is found out too late.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import date

ENUM = "enum"
_KEY = re.compile(r"([a-z_]+?)([1-9][0-9]?)")
_HAN = r"[\u4e00-\u9fff]"
_MARK = r"[\u4e00-\u9fffA-Za-z0-9]"
_DATE = r"([0-9]{4})[-/年]([0-9]{1,2})[-/月]([0-9]{1,2})日?"
_THEN = r"(?: |(?<=日))"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MOST_SYMBOLS = 5
_LONGEST_NAME = {True: 20, False: 10}  # where all of it is ASCII, and where any of it is Chinese


def _fits(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: compiled.fullmatch(value) is not None


def _figure(pattern: str, most: int) -> Callable[[str], bool]:
    """A number of so many digits at most; a decimal point is none."""
    fits = _fits(pattern)
    return lambda value: fits(value) and sum(map(str.isdigit, value)) <= most


def _span(pattern: str) -> Callable[[str], bool]:
    """One moment, or two joined by ~, each on a day that the calendar has."""
    compiled = re.compile(pattern, re.ASCII)

    def fits(value: str) -> bool:
        first, joined, last = value.partition("~")
        return all(_is_moment(compiled, each) for each in ([first, last] if joined else [first]))

    return fits


def _is_moment(pattern: re.Pattern[str], value: str) -> bool:
    found = pattern.fullmatch(value)
    if found is None:
        return False
    if found[1] is None:  # a time of no day
        return True
    try:
        date(*map(int, found.group(1, 2, 3)))
    except ValueError:
        return False
    return True


def _is_symbols(value: str) -> bool:
    return 0 < len(value) <= _MOST_SYMBOLS and all(unicodedata.category(one)[0] in "PS" for one in value)


def _is_name(value: str) -> bool:
    """At most 10 characters where any is Chinese, else 20; letters and symbols, and no digit."""
    written = all(one == " " or unicodedata.category(one)[0] in "LPS" for one in value)
    return written and 0 < len(value) <= _LONGEST_NAME[value.isascii()]


_LINE = _fits(r"[^\r\n]{1,20}")
_TYPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "thing": (_LINE, "1 to 20 characters in one line"),
    "number": (_figure(r"[0-9]+(\.[0-9]+)?", 32), "a number of at most 32 digits, without a sign"),
    "letter": (_fits(r"[A-Za-z]{1,32}"), "1 to 32 letters"),
    "symbol": (_is_symbols, "1 to 5 symbols"),
    "character_string": (_fits(r"[!-~]{1,32}"), "1 to 32 letters, digits and symbols, without blanks"),
    "time": (_span(rf"(?:{_DATE}{_THEN})?{_CLOCK}"), "a time such as 2026-11-25 09:00, or two joined by ~"),
    "date": (_span(rf"{_DATE}(?:{_THEN}{_CLOCK})?"), "a date such as 2026-11-25, or two joined by ~"),
    "amount": (_figure(r"[¥￥$€£]?[0-9]+(\.[0-9]+)?元?", 10), "an amount such as 12.50元"),
    "phone_number": (_fits(r"[0-9+()-]{1,17}"), "at most 17 digits and symbols, without blanks"),
    "car_number": (_fits(rf"{_MARK}[A-Za-z0-9]{{0,6}}{_MARK}?"), "a number plate such as 辽A12345"),
    "name": (_is_name, "at most 10 Chinese characters or 20 letters, without digits"),
    "phrase": (_fits(rf"{_HAN}{{1,5}}"), "1 to 5 Chinese characters"),
    ENUM: (_LINE, "1 to 20 characters in one line"),
}  # fmt: skip


def type_of(key: str) -> str:
    """The type in a field's key (`thing1`: thing); ValueError if WeChat has no such type."""
    found = _KEY.fullmatch(key)
    if found is None or found[1] not in _TYPES:
        raise ValueError(f"{key!r} is no field of WeChat's: a type ({', '.join(_TYPES)}) and a number")
    return found[1]


def fault(key: str, value: str, listed: Collection[str] = ()) -> str:
    """What a value of this field should have been; "" where it is just that. An enum's are `listed`."""
    fits, wanted = _TYPES[type_of(key)]
    if not fits(value):
        return wanted
    return "" if not listed or value in listed else f"one of {', '.join(listed)}"
