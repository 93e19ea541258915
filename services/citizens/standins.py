"""Stands in for `institutions.py` of branch `institution`; delete at the merge, import from there."""
# ruff: noqa: N818 - a refusal is named by what is the case

from dataclasses import dataclass, field
from typing import Protocol

from core.errors import DomainError


class InstitutionGone(DomainError):
    """The institution cannot be reached; nothing is known to have happened. Fact `institution`."""

    code = "institution_gone"

    def __init__(self, *, institution: str, why: str = "") -> None:
        super().__init__(institution=institution)
        self.why = why


@dataclass(frozen=True, slots=True)
class Identity:
    """Name and ID number as they are written; printed, it keeps both."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What an institution confirmed: `patient` is its name for the person, "" for nothing."""

    patient: str = ""

    def __bool__(self) -> bool:
        return bool(self.patient)


class Institution(Protocol):
    """A register of people, such as a hospital's. Every question may raise `InstitutionGone`."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def knows_guardians(self) -> bool: ...

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        """Have a code sent; the same request again sends no second one."""
        ...

    async def check_code(self, request: str, code: str) -> Checked:
        """Confirm the person of a request by the code they were sent."""
        ...

    async def guardian(self, request: str, guardian: Identity, child: Identity) -> Checked:
        """Confirm a child under 14 as one of this guardian's."""
        ...
