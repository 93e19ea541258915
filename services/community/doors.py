"""Doors: a community's own list of residents, of which the gateway keeps as little as it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from core.clock import Clock
from core.seal import Seal
from core.sheets.reading import Bad, Good
from core.stores.database import Database
from services.community import doors_store as store
from services.community import places_store
from services.community.door_sheet import DoorRow
from services.community.errors import DoorElsewhere
from services.community.model import Home, Place, PlaceKind

_SKIPPED = (PlaceKind.DISTRICT, PlaceKind.STREET, PlaceKind.COMMUNITY, PlaceKind.GRID)


class Listed(StrEnum):
    """What the list says to a home that somebody asks for."""

    SAME = "same"  # the door is listed, with this name
    OTHER = "other"  # the door is listed, with other names
    NAMELESS = "nameless"  # the door is listed, and nobody's name with it
    NO_DOOR = "no_door"  # this community has a list, and the door is not in it
    NO_LIST = "no_list"


class Door(msgspec.Struct, frozen=True):
    """What is sealed of a door."""

    room: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """What loading a list does. With any `bad` row nothing is loaded."""

    new: int = 0
    known: int = 0
    gone: int = 0
    bad: Sequence[Bad] = ()


@dataclass(slots=True)
class _Door:
    place: str
    room: str
    names: dict[str, None] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)


class Doors:
    """The doors of all communities."""

    def __init__(self, db: Database, seal: Seal, clock: Clock) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock

    async def load(self, rows: Sequence[Good[DoorRow]], *, dry_run: bool) -> DoorPlan:
        """Put a list in the place of what was there of its communities, all of it or nothing."""
        codes = sorted({each.value.code for each in rows})
        async with self._db.transaction() as tx:
            await places_store.alone(tx)
            doors, bad = _together(rows, await places_store.under(tx, codes))
            hashed = {self._door(each.place, each.room): each for each in doors}
            before = await store.of_communities(tx, codes)
            plan = DoorPlan(
                new=len(hashed.keys() - before),
                known=len(hashed.keys() & before),
                gone=len(before - hashed.keys()),
                bad=tuple(bad),
            )
            if not dry_run and not bad:
                await store.replace(tx, codes, self._kept(hashed), self._clock.now())
        return plan

    async def listed(self, homes: Sequence[Home]) -> dict[str, Listed]:
        """What the lists say to each of these homes."""
        doors = {each.id: self._door(each.place, each.room) for each in homes}
        found = await store.named(self._db, list(doors.values()))
        lists = await store.having_lists(self._db, [each.place for each in homes])
        return {
            each.id: self._said(each, found.get(doors[each.id]), has_list=each.place in lists)
            for each in homes
        }

    def _said(self, home: Home, names: Sequence[bytes] | None, *, has_list: bool) -> Listed:
        if names is None:
            return Listed.NO_DOOR if has_list else Listed.NO_LIST
        if not names:
            return Listed.NAMELESS
        return Listed.SAME if self._name(home.place, home.room, home.name) in names else Listed.OTHER

    def _kept(self, doors: Mapping[bytes, _Door]) -> list[store.NewDoor]:
        return [
            store.NewDoor(
                place=each.place,
                door=door,
                sealed=self._seal.seal(
                    msgspec.json.encode(Door(each.room, tuple(each.tags))), f"door:{door.hex()}"
                ),
                names=[self._name(each.place, each.room, name) for name in each.names],
            )
            for door, each in doors.items()
        ]

    def _door(self, place: str, room: str) -> bytes:
        return self._seal.fingerprint(f"{place}\0{room}", "door")

    def _name(self, place: str, room: str, name: str) -> bytes:
        return self._seal.fingerprint(f"{place}\0{room}\0{name}", "resident")


def _together(rows: Sequence[Good[DoorRow]], places: Sequence[Place]) -> tuple[list[_Door], list[Bad]]:
    """Bring the rows of one door together; a door in a place that nobody knows is bad."""
    ways = _ways(places)
    doors: dict[tuple[str, str], _Door] = {}
    bad = []
    for each in rows:
        row = each.value
        place = ways.get((row.code, *row.path))
        if place is None:
            bad.append(Bad(each.row, "", DoorElsewhere(path=" ".join(row.path))))
            continue
        door = doors.setdefault((place, row.room), _Door(place, row.room))
        door.names |= dict.fromkeys(row.names)
        door.tags |= dict.fromkeys(row.tags)
    return list(doors.values()), bad


def _ways(places: Sequence[Place]) -> dict[tuple[str, ...], str]:
    """Places where somebody lives, by their community's code and the names that lead there from it."""
    known = {each.id: each for each in places}
    above = {each.parent for each in places}
    found = {}
    for each in places:
        if each.kind in _SKIPPED or each.id in above:
            continue
        names: list[str] = []
        here: Place | None = each
        while here is not None and here.kind not in _SKIPPED:
            names.insert(0, here.name)
            here = known.get(here.parent)
        found[each.community, *names] = each.id
    return found
