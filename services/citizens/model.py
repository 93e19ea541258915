"""What the city knows of those who write to it, in shapes."""

from dataclasses import dataclass

from core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Account:
    """One WeChat account of a citizen, as it stands in the database."""

    citizen: str
    following: bool


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message to a conversation goes. The openid is open here: use it, never store or log it."""

    account: str
    openid: str
    following: bool


class UnknownCitizen(DomainError):  # noqa: N818 - a refusal is named by what is the case, like its siblings
    """Nobody of that name has ever arrived."""

    code = "unknown_citizen"
    stranger = True
