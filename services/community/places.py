"""Places out of a sheet: what is new of it, what is known, and what it does not name any more."""

import re
import secrets
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core.clock import Clock
from core.sheets.reading import Bad, Good
from core.stores.database import Database
from services.community import places_store as store
from services.community.errors import OtherName, PlaceNotFound
from services.community.model import Place, PlaceKind
from services.community.place_sheet import Row

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTERS = 8
_CODED = {PlaceKind.DISTRICT: 6, PlaceKind.STREET: 9, PlaceKind.COMMUNITY: 12}
_COUNTED = (PlaceKind.BUILDING, PlaceKind.UNIT)
_MOST_NAMED = 20  # of one name: who means another one writes more of it
_MOST_PARTS = 500
_LONGEST_SAID = 40
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """What loading a sheet does: places to be added, counts that change, and what stays as it is.

    `missing` are places of its communities that the sheet does not name: they are kept, and told. With any
    `bad` row nothing is loaded.
    """

    new: Sequence[Place] = ()
    counted: Sequence[tuple[Place, int | None]] = ()
    known: int = 0
    missing: Sequence[Place] = ()
    bad: Sequence[Bad] = ()

    @property
    def added(self) -> Counter[PlaceKind]:
        """How many new ones of each kind."""
        return Counter(each.kind for each in self.new)


class Places:
    """The places of all communities."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def load(self, rows: Sequence[Good[Row]], *, dry_run: bool) -> Plan:
        """Add what is new and count households anew, all of it or nothing; a `dry_run` only says so."""
        async with self._db.transaction() as tx:
            await store.alone(tx)
            before = await store.under(tx, sorted({each.value.code for each in rows}))
            plan = planned(rows, before)
            if not dry_run and not plan.bad:
                await store.add(tx, plan.new, self._clock.now())
                await store.count(tx, [(place.id, number) for place, number in plan.counted])
        return plan

    async def below(self, parent: str, after: str = "", limit: int = 50) -> list[Place]:
        """What is right below a place, by name; "" for the districts."""
        return await store.within(self._db, parent, after, limit)

    async def named(self, said: str) -> list[Place]:
        """Compounds and communities of a name, the nearest first."""
        return await store.named(self._db, said[:_LONGEST_SAID], _MOST_NAMED)

    async def name(self, said: str) -> str:
        """What a citizen wrote, if anything is called like it; `PlaceNotFound`."""
        name = " ".join(said.split())[:_LONGEST_SAID]
        if not name or not await self.named(name):
            raise PlaceNotFound(said=said)
        return name

    async def titles(self, scopes: Collection[str]) -> list[str]:
        """How a member's scopes are called: a place by its name, anything else as it stands."""
        names = await store.names(self._db, scopes)
        return [names.get(each, each) for each in scopes]

    async def parts(self, parent: str) -> list[Place]:
        """What a place is made of, 2栋 before 10栋; nothing where people live in it itself."""
        found = await store.parts(self._db, parent, _MOST_PARTS)
        return sorted(found, key=lambda each: natural(each.name))


def planned(rows: Sequence[Good[Row]], before: Sequence[Place]) -> Plan:
    """Compare a sheet with what stands; a pure function but for the words of chance in new ids."""
    tree = _Tree(before)
    bad = []
    for each in rows:
        try:
            tree.take(each.value)
        except OtherName as refusal:
            bad.append(Bad(each.row, "社区编码", refusal))
    return tree.plan(bad)


class _Tree:
    """Places as they stand, and as a sheet says they should."""

    def __init__(self, before: Sequence[Place]) -> None:
        self._before = before
        self._places = {(each.parent, each.kind, each.name): each for each in before}
        self._coded = {each.id: each.name for each in before if each.kind in _CODED}
        self._new: dict[str, Place] = {}
        self._seen: dict[str, Place] = {}
        self._households: dict[str, int | None] = {}

    def take(self, row: Row) -> None:
        """Walk down to the place of a row, making what is new; `OtherName` for a code of another place."""
        parent = ""
        for kind, name in row.path:
            place = self._places.get((parent, kind, name)) or self._made(row.code, parent, kind, name)
            self._seen[place.id] = place
            if kind in _COUNTED:
                self._households[place.id] = None  # those of its units count, if it has any
            parent = place.id
        self._households[parent] = row.households

    def _made(self, code: str, parent: str, kind: PlaceKind, name: str) -> Place:
        made = code[: _CODED[kind]] if kind in _CODED else f"{code}-{_word()}"
        if (known := self._coded.get(made, name)) != name:
            raise OtherName(code=made, name=known)
        place = self._places[parent, kind, name] = self._new[made] = Place(made, parent, kind, name)
        return place

    def plan(self, bad: Sequence[Bad]) -> Plan:
        """What is to be done."""
        new = [replace(each, households=self._households.get(each.id)) for each in self._new.values()]
        known = [each for each in self._seen.values() if each.id not in self._new]
        counted = [(each, self._households[each.id]) for each in known if each.kind in _COUNTED]
        return Plan(
            new=new,
            counted=[(each, number) for each, number in counted if number != each.households],
            known=len(known),
            missing=[each for each in self._before if each.id not in self._seen and each.kind not in _CODED],
            bad=bad,
        )


def natural(name: str) -> list[tuple[int, str]]:
    """What a name is sorted by: the numbers in it count as numbers."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in _DIGITS.split(name)]


def _word() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))
