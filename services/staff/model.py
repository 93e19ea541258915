"""Members of staff, in shapes, and the rules for what they call themselves."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.staff.errors import PasswordWeak, StaffNameStrange, StaffRoleUnknown, StaffScopeStrange

IDLE = timedelta(minutes=30)
LASTS = timedelta(hours=12)
LOCKED_FOR = timedelta(minutes=15)
MOST_PER_NAME = 5  # passwords tried, each within LOCKED_FOR of the one before
MOST_PER_ADDRESS = 30  # a whole office may share one
LEAST_PASSWORD, MOST_PASSWORD = 12, 128
_LEAST_DIFFERENT = 5
_MOST_TYPED = 1_000
_NAME = re.compile(r"[\w.-]{2,32}")
_SCOPE = re.compile(r"[a-z0-9][a-z0-9_:./-]{0,79}")


class Role(StrEnum):
    """What a member may do. None includes another: who writes a notice does not review it by being admin."""

    CLERK = "clerk"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of staff. `scopes`: the places and institutions they work for, in words of those domains."""

    id: str
    name: str
    roles: frozenset[Role]
    scopes: frozenset[str]
    since: datetime
    disabled_at: datetime | None = None

    def may(self, roles: Collection[Role]) -> bool:
        """Tell whether one of these roles is theirs; with none named, whoever is staff may."""
        return not roles or not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Session:
    """A member who is logged in."""

    member: Member
    opened_at: datetime

    @property
    def until(self) -> datetime:
        """When it ends, however much it is used."""
        return self.opened_at + LASTS


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the audit: ids only."""

    id: int
    at: datetime
    who: str
    what: str
    object: str
    outcome: str


def name_of(typed: str) -> str:
    """A name as it is compared: full-width and capital letters make no other one."""
    name = _folded(typed)
    if not _NAME.fullmatch(name):
        raise StaffNameStrange(name=name)
    return name


def folded(typed: str) -> str:
    """What was typed where a name belongs, whatever it is."""
    return _folded(typed)[:200]


def roles_of(given: Iterable[str]) -> frozenset[Role]:
    """Roles by their names; one at least."""
    names = set(given)
    for name in names or {""}:
        if name not in Role.__members__.values():
            raise StaffRoleUnknown(role=name, roles=tuple(Role))
    return frozenset(Role(each) for each in names)


def scopes_of(given: Iterable[str]) -> frozenset[str]:
    """Scopes as they are compared."""
    scopes = frozenset(given)
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise StaffScopeStrange(scope=scope)
    return scopes


def password_of(typed: str, name: str) -> str:
    """A password as it is hashed; one that is quickly guessed is refused."""
    password = typed_password(typed)
    too_plain = len(set(password)) < _LEAST_DIFFERENT or name in password.casefold()
    if too_plain or not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise PasswordWeak(least=LEAST_PASSWORD, most=MOST_PASSWORD)
    return password


def typed_password(typed: str) -> str:
    """A password as it is compared; whoever types far more than there can be has typed none."""
    return unicodedata.normalize("NFKC", typed) if len(typed) <= _MOST_TYPED else ""


def _folded(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed).strip().casefold()
