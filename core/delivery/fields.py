"""What may stand in the fields of a template or subscription notice (wechat-facts 2.4)."""

import re
from collections.abc import Callable

_KEY = re.compile(r"([a-z_]+?)([1-9]\d?)")
_DATE = r"\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?"
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DAY = rf"{_DATE}( ?{_CLOCK})?"
_MOMENT = rf"({_DAY}|{_CLOCK})"


def _fits(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def _is_name(value: str) -> bool:
    """At most 10 characters where any is Chinese, else 20."""
    return 0 < len(value) <= (20 if value.isascii() else 10)


_TYPES: dict[str, tuple[Callable[[str], bool], str]] = {
    "thing": (_fits(r"[^\r\n]{1,20}"), "1 to 20 characters in one line"),
    "number": (_fits(r"-?(?=.{1,32}$)\d+(\.\d+)?"), "a number of at most 32 digits"),
    "letter": (_fits(r"[A-Za-z]{1,32}"), "1 to 32 letters"),
    "symbol": (_fits(r"[^\w\s]{1,5}"), "1 to 5 symbols"),
    "character_string": (_fits(r"[!-~ ]{1,32}"), "1 to 32 letters, digits and symbols"),
    "time": (_fits(rf"{_MOMENT}(~{_MOMENT})?"), "a time such as 2026-11-25 09:00, or two joined by ~"),
    "date": (_fits(rf"{_DAY}(~{_DAY})?"), "a date such as 2026-11-25 09:00, or two joined by ~"),
    "amount": (_fits(r"[¥￥$€£]?(?!(\d\.?){11})\d+(\.\d+)?元?"), "an amount such as 12.50元"),
    "phone_number": (_fits(r"[\d+() -]{1,17}"), "at most 17 digits and symbols"),
    "car_number": (_fits(r"[^\s]{1,8}"), "a number plate of at most 8 characters"),
    "name": (_is_name, "at most 10 Chinese characters or 20 letters"),
    "phrase": (_fits(r"[\u4e00-\u9fff]{1,5}"), "1 to 5 Chinese characters"),
    "enum": (_fits(r"[^\r\n]{1,20}"), "one of the values WeChat lists for it"),
}  # fmt: skip


def type_of(key: str) -> str:
    """The type in a field's key (`thing1`: thing); ValueError if WeChat has no such type."""
    found = _KEY.fullmatch(key)
    if found is None or found[1] not in _TYPES:
        raise ValueError(f"{key!r} is no field of WeChat's: a type ({', '.join(_TYPES)}) and a number")
    return found[1]


def fault(key: str, value: str) -> str:
    """What a value of this field should have been; "" where it is just that."""
    fits, wanted = _TYPES[type_of(key)]
    return "" if fits(value) else wanted
