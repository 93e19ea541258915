"""What may stand in a field of a template: one rule for each type of field (wechat-facts §2.4)."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

_CHINESE = r"[\u3400-\u4dbf\u4e00-\u9fff\u3007]"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_DAY = r"([0-9]{4})(?:年|[-/.])([0-9]{1,2})(?:月|[-/.])([0-9]{1,2})"

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LETTERS = re.compile(r"[A-Za-z]{1,32}")
_TIME = re.compile(rf"(?:{_DAY}(?:日\s*|\s+))?{_CLOCK}")
_DATE = re.compile(rf"{_DAY}(?:日?|(?:日\s*|\s+){_CLOCK})")
_AMOUNT = re.compile(r"[^\w\s]?([0-9]+(?:\.[0-9]+)?)元?")
_CAR = re.compile(rf"(?:{_CHINESE}|[A-Za-z0-9])[A-Za-z0-9·-]{{0,6}}(?:{_CHINESE}|[A-Za-z0-9])?")
_PHRASE = re.compile(rf"{_CHINESE}{{1,5}}")
_TYPED = re.compile(r"([a-z_]+?)([0-9]+)")

MOST_MOMENTS = 2


def type_of(key: str) -> str:
    """The type in a field's key, as `thing` in `thing1`; "" where the key names none that is known."""
    found = _TYPED.fullmatch(key)
    return found[1] if found and found[1] in RULES else ""


def fits(kind: str, value: str) -> bool:
    """Whether a field of this type may hold the value."""
    return bool(value) and RULES[kind](value)


def _symbol(one: str) -> bool:
    return unicodedata.category(one)[0] in "PS"


def _thing(value: str) -> bool:
    return len(value) <= 20  # noqa: PLR2004 (WeChat's figure, as below)


def _number(value: str) -> bool:
    return bool(_NUMBER.fullmatch(value)) and _digits(value) <= 32  # noqa: PLR2004


def _letter(value: str) -> bool:
    return bool(_LETTERS.fullmatch(value))


def _symbols(value: str) -> bool:
    return len(value) <= 5 and all(map(_symbol, value))  # noqa: PLR2004


def _character_string(value: str) -> bool:
    return len(value) <= 32 and all(_plain(one) or _symbol(one) for one in value)  # noqa: PLR2004


def _phone_number(value: str) -> bool:
    return len(value) <= 17 and all(one in "0123456789" or _symbol(one) for one in value)  # noqa: PLR2004


def _plain(one: str) -> bool:
    return one.isascii() and one.isalnum()


def _moments(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    def fit(value: str) -> bool:
        moments = [pattern.fullmatch(part.strip()) for part in value.split("~")]
        return len(moments) <= MOST_MOMENTS and all(found is not None and _real(found) for found in moments)

    return fit


def _real(found: re.Match[str]) -> bool:
    """Whether the day stands in the calendar, where there is one."""
    if found[1] is None:
        return True
    try:
        date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def _amount(value: str) -> bool:
    found = _AMOUNT.fullmatch(value)
    if found is None or _digits(found[1]) > 10:  # noqa: PLR2004
        return False
    return value[0].isdigit() or unicodedata.category(value[0]) == "Sc"


def _digits(value: str) -> int:
    return sum(one.isdigit() for one in value)


def _car_number(value: str) -> bool:
    return bool(_CAR.fullmatch(value))


def _name(value: str) -> bool:
    if any(one.isdigit() or (one.isspace() and one != " ") for one in value):
        return False
    return len(value) <= (20 if value.isascii() else 10)


def _phrase(value: str) -> bool:
    return bool(_PHRASE.fullmatch(value))


RULES: dict[str, Callable[[str], bool]] = {
    "thing": _thing,
    "number": _number,
    "letter": _letter,
    "symbol": _symbols,
    "character_string": _character_string,
    "time": _moments(_TIME),
    "date": _moments(_DATE),
    "amount": _amount,
    "phone_number": _phone_number,
    "car_number": _car_number,
    "name": _name,
    "phrase": _phrase,
    "enum": _thing,  # what is listed is looked up where the list is known
}
