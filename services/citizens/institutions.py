"""What the city asks an institution about its people: a code to their phone, and whose child is whose."""
# ruff: noqa: N818 - a refusal is named by what is the case

import re
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import DomainError

_REQUEST = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_REQUEST_BYTES = 24


class InstitutionGone(DomainError):
    """The institution cannot be reached, or answers with what was not agreed; fact `institution` (its title).

    Nothing is known to have happened: a code may have been sent. `why` is for the operator and holds nothing
    personal.
    """

    code = "institution_gone"

    def __init__(self, *, institution: str, why: str = "") -> None:
        super().__init__(institution=institution)
        self.why = why


class TooManyCodes(DomainError):
    """The institution sends no more codes for this person for a while, known or not; fact `institution`."""

    code = "too_many_codes"


@dataclass(frozen=True, slots=True)
class Identity:
    """Name and ID number as they are written; printed, it keeps both."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What an institution confirmed: `patient` is its own name for the person, "" where it confirmed nothing.

    Nobody hears why nothing was confirmed: an unknown person, a wrong code, one that is old.
    """

    patient: str = ""

    def __bool__(self) -> bool:
        return bool(self.patient)


NOT_CONFIRMED = Checked()


class Institution(Protocol):
    """A register of people, such as a hospital's (domain-rules B4 b and d).

    `request` is a name from `new_request`, one for each code that is sent. Every question may raise
    `InstitutionGone`.
    """

    @property
    def name(self) -> str:
        """Its key in the settings."""
        ...

    @property
    def title(self) -> str:
        """What citizens call it."""
        ...

    @property
    def knows_guardians(self) -> bool:
        """Whether it can say whose child is whose; one that cannot confirms nobody."""
        ...

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        """Have a code sent to the phone that the institution knows, which we never learn; `TooManyCodes`.

        No answer tells whether the person is known. The same request again sends no second code.
        """
        ...

    async def check_code(self, request: str, code: str) -> Checked:
        """Confirm the person of a request by the code they were sent; asked again it says the same.

        Whoever asks may die before they have written it down. It confirms for this request alone.
        """
        ...

    async def guardian(self, request: str, guardian: Identity, child: Identity) -> Checked:
        """Confirm a child under 14 as one of this guardian's; `patient` is the child.

        It confirms a relation, and proves nobody: ask only for a guardian who has proven who they are.
        """
        ...


def new_request() -> str:
    """A name for a request, that nobody can guess."""
    return secrets.token_urlsafe(_REQUEST_BYTES)


def is_request(text: str) -> bool:
    """Whether this can be a request's name: 16 to 64 of letters, digits, _ and -."""
    return _REQUEST.fullmatch(text) is not None
