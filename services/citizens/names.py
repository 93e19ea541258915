"""Names of persons: read as people write them, compared as they are meant, shown masked."""
# ruff: noqa: N818 - a refusal is named by what is the case

import re
import unicodedata

from core.errors import DomainError

DOT = "·"
SHORTEST = 2
LONGEST_HAN = 25
LONGEST_LATIN = 40
_MOST_TEXT = 200  # characters that are looked at
_MOST_STARS = 2

# Every unified ideograph up to Unicode 15.1 (extensions A to I), the compatibility ones, and 〇.
_HAN = (
    "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002ee5f\U0002f800-\U0002fa1f\U00030000-\U000323af"
)
_IS_HAN = re.compile(f"[{_HAN}]")
_HAN_NAME = re.compile(f"[{_HAN}]+(?:{DOT}[{_HAN}]+)*")
_NOT_OF_HAN = re.compile(f"[^{_HAN}{DOT}]")
_DOTS = re.compile(r"\s*[·•‧∙⋅・･．.﹒ᐧ⸳\u0387]+\s*")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_RADICALS = re.compile("[\u2f00-\u2fd5]")  # look like characters, and are none
_WIDE = re.compile("[\uff01-\uff5e]")
_WHOSE = "我|他|她|孩子|我?的?(?:妈妈?|爸爸?|母亲|父亲|爷爷|奶奶|外公|外婆|爱人|老公|老婆|儿子|女儿|孩子)"
_LEAD = re.compile(rf"^(?:(?:{_WHOSE})(?:的?名字)?[叫是]|(?:姓名|名字)(?:[叫是]|(?=[:：\s])))[:：\s]*")
_EDGE = " \t\r\n\u3000，。,.！!？?、；;：:“”\"'‘’ʼ`´（）()【】[]《》~…-·•"
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
_NOT_OF_LATIN = re.compile(r"[^\w '.-]|[\d_]")
_BETWEEN_LATIN = re.compile(r"[ '.-]")


class NameMissing(DomainError):
    """There is no name in what was written."""

    code = "name_missing"


class NameLength(DomainError):
    """Too short for a whole name, or too long for any: `count` characters, `shortest` to `longest`."""

    code = "name_length"


class NameDigits(DomainError):
    """There are digits in it."""

    code = "name_digits"


class NameStrange(DomainError):
    """No name has the character `stray`, or not beside the others."""

    code = "name_strange"


def person_name(text: str) -> str:
    """The name in what somebody wrote: in Chinese characters, as rare as they may be, or in Latin letters.

    What stands on the ID card stays as it is: no character is exchanged for a more usual one.
    """
    name = _bare(text)
    if not name:
        raise NameMissing
    if any(unicodedata.category(each) in {"Nd", "No"} for each in name):
        raise NameDigits
    return _of_han(name) if _IS_HAN.search(name) else _of_latin(name)


def compared(name: str) -> str:
    """What two ways of writing one name have in common: for comparing and for keyed hashes, never shown.

    Compatibility ideographs count as the usual ones; dots, spaces, case and accents do not count.
    """
    folded = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES)).casefold()
    return "".join(each for each in folded if unicodedata.category(each)[0] == "L" or _IS_HAN.match(each))


def masked_name(name: str) -> str:
    """欧*锋: the first character and the last one; of two the first.

    Between them is a star for each that is hidden, two at most, so that long names do not show how long
    they are; dots and spaces are not shown.
    """
    shown = [each for each in name if each != DOT and not each.isspace()]
    if len(shown) <= SHORTEST:
        return f"{''.join(shown[:1])}*"
    return shown[0] + "*" * min(_MOST_STARS, len(shown) - 2) + shown[-1]


def _bare(text: str) -> str:
    """Without what cannot be seen, what leads up to the name, and what stands around it."""
    seen = _UNSEEN.sub("", text[:_MOST_TEXT])
    for lookalikes in (_WIDE, _RADICALS):
        seen = lookalikes.sub(lambda found: unicodedata.normalize("NFKC", found.group()), seen)
    lead = _LEAD.match(seen.strip(_EDGE))
    rest = seen.strip(_EDGE)[lead.end() :] if lead else seen
    return rest.strip(_EDGE)


def _of_han(name: str) -> str:
    name = "".join(_DOTS.sub(DOT, name).split())
    stray = _NOT_OF_HAN.search(name)
    if stray or not _HAN_NAME.fullmatch(name):
        raise NameStrange(stray=stray.group() if stray else DOT)
    return _fitting(name, LONGEST_HAN)


def _of_latin(name: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(name.translate(_APOSTROPHES).split()))
    stray = _NOT_OF_LATIN.search(name)
    foreign = [each for each in _BETWEEN_LATIN.sub("", name) if not _is_latin(each)]
    if stray or foreign:
        raise NameStrange(stray=stray.group() if stray else foreign[0])
    return _fitting(name, LONGEST_LATIN)


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN ")


def _fitting(name: str, longest: int) -> str:
    if not SHORTEST <= len(name) <= longest:
        raise NameLength(count=len(name), shortest=SHORTEST, longest=longest)
    return name
