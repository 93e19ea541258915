"""The lines a citizen chooses from when it is about where they live."""

import re
from dataclasses import dataclass

from services.community.errors import NoSuchHome
from services.community.model import Home, HomeRole, Place, PlaceKind
from services.community.service import Homes, Places

_ROLES = {
    HomeRole.OWNER: ("业主", "房主", "我的房子", "自己的房子"),
    HomeRole.TENANT: ("租户", "租客", "租的", "租房", "租的房子"),
    HomeRole.FAMILY: ("家人", "业主家人", "家属", "和家人住"),
}
_NUMBERED = re.compile(r"(\d+)\s*(?:栋|幢|号楼|座|楼|单元|号)?")
_CALLED = {
    PlaceKind.BUILDING: ("{n}栋", "{n}幢", "{n}号楼", "{n}座", "第{n}栋"),
    PlaceKind.UNIT: ("{n}单元", "第{n}单元", "{n}门"),
}
_NUMERALS = "〇一二三四五六七八九"
_MOST_WRITTEN = 100  # nobody writes a larger number of a house in characters


@dataclass(frozen=True, slots=True)
class RoleLine:
    """As what one lives there."""

    id: str
    aliases: tuple[str, ...]

    @property
    def title(self) -> str:
        """How it is shown."""
        return self.aliases[0]


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """A place to choose."""

    it: Place

    @property
    def id(self) -> str:
        """Its id."""
        return self.it.id

    @property
    def aliases(self) -> tuple[str, ...]:
        """What else people call it: 3幢 is said of 3栋."""
        found = _NUMBERED.fullmatch(self.it.name)
        ways = _CALLED.get(self.it.kind, ()) if found else ()
        numbers = (found[1], *_written(int(found[1]))) if found else ()
        return (self.it.name, *(each.format(n=number) for each in ways for number in numbers))


@dataclass(frozen=True, slots=True)
class HomeLine:
    """A home of the citizen's."""

    it: Home

    @property
    def id(self) -> str:
        """Its number."""
        return self.it.id

    @property
    def aliases(self) -> tuple[str, ...]:
        """Its place, and its door."""
        return (self.it.where, self.it.room)


def _written(number: int) -> tuple[str, ...]:
    """A number as it is written in characters: 十二."""
    if not 0 < number < _MOST_WRITTEN:
        return ()
    tens, ones = divmod(number, 10)
    lead = "" if not tens else "十" if tens == 1 else f"{_NUMERALS[tens]}十"
    return (lead + (_NUMERALS[ones] if ones else ""),)


async def roles() -> list[RoleLine]:
    """业主, 租户, 家人."""
    return [RoleLine(role, aliases) for role, aliases in _ROLES.items()]


async def named(places: Places, said: str) -> list[PlaceLine]:
    """Compounds and communities of a name."""
    return [PlaceLine(each) for each in await places.named(said)]


async def parts(places: Places, parent: str) -> list[PlaceLine]:
    """What a place is made of."""
    return [PlaceLine(each) for each in await places.parts(parent)]


async def these(found: list[PlaceLine]) -> list[PlaceLine]:
    """Lines that are loaded already."""
    return found


async def held(homes: Homes, citizen: str) -> list[HomeLine]:
    """The citizen's homes."""
    return [HomeLine(each) for each in await homes.mine(citizen)]


async def one_held(homes: Homes, citizen: str, home: str) -> Home:
    """One of them; `NoSuchHome`."""
    found = [each for each in await homes.mine(citizen) if each.id == home]
    if not found:
        raise NoSuchHome
    return found[0]
