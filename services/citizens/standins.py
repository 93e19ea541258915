"""Stands in for what branch `institution` brings; delete at the merge and import from there instead.

`fingerprint` is `Seal.fingerprint`, `age` is of identity.py, `compared` and `masked_name` of names.py,
`Institution` and `Checked` of institutions.py.
"""

import base64
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from core.seal import Seal


def fingerprint(seal: Seal, text: str, context: str) -> bytes:
    """16 bytes that only we can make of a text; the same for the same text and context."""
    return base64.urlsafe_b64decode(seal.capability(f"print:{context}", text) + "==")


def age(number: str, today: date) -> int:
    """Whole years on a day."""
    birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def compared(name: str) -> str:
    """What two ways of writing one name have in common."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(each for each in folded if unicodedata.category(each)[0] == "L")


def masked_name(name: str) -> str:
    """欧*锋: the first character and the last one; of two the first."""
    return f"{name[:1]}*" if len(name) <= 2 else f"{name[0]}*{name[-1]}"  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Checked:
    """What an institution found: an opaque reference to its patient; "" reveals only that it was not so."""

    reference: str


class InstitutionGoneError(Exception):
    """The institution could not be asked; nothing is known to have happened."""


class Institution(Protocol):
    """An institution that knows patients, and where to reach them."""

    name: str
    title: str
    knows_guardians: bool

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        """Send a code to the phone the institution has on record, if it knows such a patient."""
        ...

    async def check_code(self, request: str, code: str) -> Checked:
        """Say whether this is the code that was sent for the request."""
        ...

    async def match_guardian(
        self, request: str, guardian: tuple[str, str], child: tuple[str, str]
    ) -> Checked:
        """Say whether the roster has this guardian (name, ID number) for this child."""
        ...
