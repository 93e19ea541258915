"""Mobile numbers and the codes that institutions send, read as people write them."""
# ruff: noqa: N818 - a refusal is named by what is the case

import re

from core.errors import DomainError
from services.citizens.digits import longest, pick, require_digits

CODE_DIGITS = 6
_PHONE_DIGITS = 11
_ABROAD = re.compile(r"\+(?!86)|00(?!86)")
_FRONT = re.compile(r"\+86|0086|86(?=\d{11}$)|0(?=1[3-9]\d{9}$)")  # the country, or a long-distance 0
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{9,11}|[48]00\d{7}|[2-9]\d{6,7}", re.ASCII)


class PhoneForeign(DomainError):
    """A number of another country or of Hong Kong, Macao or Taiwan."""

    code = "phone_foreign"


class PhoneLandline(DomainError):
    """A telephone that gets no short messages."""

    code = "phone_landline"


class PhoneLength(DomainError):
    """Not 11 digits: `digits` were seen."""

    code = "phone_length"


class PhoneStart(DomainError):
    """No mobile number begins with `start`."""

    code = "phone_start"


class CodeLength(DomainError):
    """Not six digits: `digits` were seen."""

    code = "code_length"


def phone(text: str) -> str:
    """The mainland mobile number in what somebody wrote, 11 digits; a refusal says what is wrong."""
    number = pick(text, "phone", _mobile)
    if not number:
        raise _no_mobile(longest(text))
    return number


def masked_phone(number: str) -> str:
    """138****5678: the first three digits and the last four."""
    return f"{number[:3]}****{number[-4:]}"


def code(text: str) -> str:
    """The six-digit code in what somebody wrote, such as a whole short message; zeros in front stay."""
    found = pick(text, "code", _six)
    if not found:
        number = longest(text)
        require_digits(number, "code")
        raise CodeLength(digits=len(number.removeprefix("+")))
    return found


def _mobile(number: str) -> str:
    plain = _FRONT.sub("", number, count=1) if _FRONT.match(number) else number
    return plain if _MOBILE.fullmatch(plain) else ""


def _no_mobile(number: str) -> DomainError:
    """Why this is no mobile number; raises `NotADigit` where a letter or a star is in it."""
    require_digits(number, "phone")
    if _ABROAD.match(number):
        return PhoneForeign()
    plain = _FRONT.sub("", number, count=1) if _FRONT.match(number) else number
    if _LANDLINE.fullmatch(plain):
        return PhoneLandline()
    if len(plain) != _PHONE_DIGITS:
        return PhoneLength(digits=len(plain))
    return PhoneStart(start=plain[:2])


def _six(number: str) -> str:
    return number if len(number) == CODE_DIGITS and number.isdecimal() else ""
