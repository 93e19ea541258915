"""What communities speak of: places from the district down to the unit."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PlaceKind(StrEnum):
    """From the largest to the smallest; grid, compound and unit may be left out."""

    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"
    COMPOUND = "compound"
    BUILDING = "building"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class Place:
    """One place. `households` are its own: of a unit, or of a building that has none."""

    id: str
    parent: str
    kind: PlaceKind
    name: str
    households: int | None = None

    @property
    def community(self) -> str:
        """The code of the community it is in; of a street or district its own code."""
        return self.id.partition("-")[0]


class HomeRole(StrEnum):
    """As what somebody lives there."""

    OWNER = "owner"
    TENANT = "tenant"
    FAMILY = "family"


class HomeState(StrEnum):
    """Where a home stands (domain-rules 0.1)."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REJECTED = "rejected"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a citizen lives, or says that they do; `where` names it from the community down to the door.

    `name` is what they call themselves; `until` is when a request is over that nobody has decided.
    """

    id: str
    place: str
    where: str
    room: str
    role: HomeRole
    name: str
    state: HomeState
    asked_at: datetime
    until: datetime

    @property
    def is_active(self) -> bool:
        """Whether staff has approved it."""
        return self.state is HomeState.ACTIVE


def is_place(scope: str) -> bool:
    """Whether a scope of staff is a place: the code of a district, a street or a community."""
    return scope.isascii() and scope.isdecimal()


def is_within(place: str, scope: str) -> bool:
    """Whether a place belongs to what somebody works for: `scope` is the code of a community or above."""
    return bool(scope) and place.partition("-")[0].startswith(scope)
