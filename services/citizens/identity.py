"""Mainland ID numbers (GB 11643): read as people write them, checked, and shown masked."""
# ruff: noqa: N818 - a refusal is named by what is the case

import re
from datetime import date

from core.errors import DomainError
from services.citizens.digits import longest, pick, require_digits

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"  # by the weighted sum modulo 11
_FORM = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_OLD_DIGITS = 15
_FIRST_YEAR = 1900
_SHOWN = 4


class IdNumberOld(DomainError):
    """15 digits: such numbers ended with 2012."""

    code = "id_number_old"


class IdNumberLength(DomainError):
    """Not 18 characters: `digits` were seen."""

    code = "id_number_length"


class IdNumberDate(DomainError):
    """No birth date: `year`, `month`, `day`; `why` is "no_day", "future" or "too_old"."""

    code = "id_number_date"


class IdNumberCheck(DomainError):
    """The last character does not fit the others: something is written wrongly."""

    code = "id_number_check"


def id_number(text: str, today: date) -> str:
    """The ID number in what somebody wrote, 18 characters (domain-rules B8); a refusal says what is wrong."""
    number = pick(text, "id_number", _formed)
    if not number:
        raise _unformed(longest(text))
    _require_date(number, today)
    if _check(number) != number[-1]:
        raise IdNumberCheck
    return number


def born(number: str) -> date:
    """The birth date in a checked ID number."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def age(number: str, today: date) -> int:
    """Whole years on a day; who was born on 29 February is a year older on 1 March."""
    birth = born(number)
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def masked_id(number: str) -> str:
    """1101**********002X: place and last four characters."""
    return number[:_SHOWN] + "*" * (len(number) - 2 * _SHOWN) + number[-_SHOWN:]


def _formed(number: str) -> str:
    return number if _FORM.fullmatch(number) else ""


def _unformed(number: str) -> DomainError:
    """Why this is no ID number; raises `NotADigit` where a letter or a star is in it."""
    number = number.removeprefix("+")
    require_digits(number.removesuffix("X"), "id_number")
    if len(number) == _OLD_DIGITS and number.isdecimal():
        return IdNumberOld()
    return IdNumberLength(digits=len(number))


def _require_date(number: str, today: date) -> None:
    facts = {"year": int(number[6:10]), "month": int(number[10:12]), "day": int(number[12:14])}
    try:
        birth = born(number)
    except ValueError:
        raise IdNumberDate(why="no_day", **facts) from None
    if birth > today:
        raise IdNumberDate(why="future", **facts)
    if birth.year < _FIRST_YEAR:
        raise IdNumberDate(why="too_old", **facts)


def _check(number: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return _CHECKS[total % len(_CHECKS)]
