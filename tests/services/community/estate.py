"""A small neighbourhood: places, citizens who agreed that staff sees where they live, and the service."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.clock import ManualClock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from services.citizens.consent_texts import COMMUNITY
from services.citizens.consents import Consents
from services.citizens.service import Citizens
from services.community.place_sheet import read_places
from tests.support.neighbourhood import community_of
from tests.support.rights import TEXTS
from tests.support.workbooks import workbook

SPRING, LAKE = "420106001003", "420106001004"


@dataclass(frozen=True)
class Clerk:
    """A member of staff, and the places they work for."""

    member: str
    scopes: frozenset[str]


LI, WANG = Clerk("s_li", frozenset({SPRING})), Clerk("s_wang", frozenset({LAKE}))
_HEAD: Sequence[str] = ["社区编码", "区", "街道", "社区", "网格", "小区", "楼栋", "单元", "户数"]
_ROWS: Sequence[Sequence[str | int]] = [
    [SPRING, "武昌区", "水果湖街道", "春风社区", "第一网格", "春风小区", "1栋", "1单元", 24],
    [SPRING, "武昌区", "水果湖街道", "春风社区", "第一网格", "春风小区", "1栋", "2单元", 24],
    [SPRING, "武昌区", "水果湖街道", "春风社区", "第二网格", "春风小区", "2栋", "", 60],
    [SPRING, "武昌区", "水果湖街道", "春风社区", "第二网格", "春风小区", "10栋", "", 60],
    [LAKE, "武昌区", "水果湖街道", "东湖社区", "", "", "老邮局宿舍", "", 18],
    [LAKE, "武昌区", "水果湖街道", "东湖社区", "", "春风里", "1栋", "", 30],
]
_numbers = itertools.count(1)


def once() -> Effect:
    """Another wish of another run."""
    return Effect(f"home{next(_numbers)}", "do", b"d" * 32)


@dataclass
class Estate:
    """The neighbourhood of one test."""

    db: Database
    seal: Seal
    clock: ManualClock

    def __post_init__(self) -> None:
        self.community = community_of(self.db, self.seal, self.clock)
        self.homes, self.places = self.community.homes, self.community.places
        self.citizens = Citizens(self.db, self.seal)
        self.consents = Consents(self.db, self.clock, TEXTS)

    async def build(self) -> None:
        """Let its places be."""
        await self.places.load(read_places(workbook([_HEAD, *_ROWS])).good, dry_run=False)

    async def place(self, *names: str) -> str:
        """A place by the last names that lead to it: ("春风小区", "2栋")."""
        found = await self.places.named(names[0])
        place = next(each.id for each in found if each.name == names[0])
        for name in names[1:]:
            down = await self.places.parts(place)
            place = next(each.id for each in down if each.name == name)
        return place

    async def citizen(self, *, agrees: bool = True) -> str:
        """Somebody who follows us."""
        number = next(_numbers)
        citizen = await self.citizens.arrive(f"city:{number:032x}", "city", f"o-{number}")
        if agrees:
            await self.consents.ask(citizen, COMMUNITY, "", (), once())
            await self.consents.grant(citizen, COMMUNITY, "", "m1", once())
        return citizen

    async def asks(self, citizen: str, *names: str, room: str = "502", name: str = "王秀英") -> str:
        """Ask for a home; its number."""
        place = await self.place(*(names or ("春风小区", "2栋")))
        return await self.homes.request(self.homes.wish(place, "owner", room, name), citizen, once())

    async def approves(self, home: str, clerk: Clerk = LI) -> str:
        return await self.homes.approve(home, clerk.member, once(), scopes=clerk.scopes)

    async def refuses(self, home: str, reason: str = "不住这里", clerk: Clerk = LI) -> str:
        return await self.homes.refuse(home, reason, clerk.member, once(), scopes=clerk.scopes)

    async def state(self, home: str) -> str:
        return str(await self.db.fetchval("SELECT state FROM community_homes WHERE id = $1", home))

    async def events(self, home: str) -> list[tuple[str, str]]:
        rows = await self.db.fetch(
            "SELECT what, decided_by FROM community_home_events WHERE home = $1 ORDER BY id", home
        )
        return [(row["what"], row["decided_by"]) for row in rows]

    async def told(self) -> list[str]:
        """The kinds of everything on its way to anybody."""
        return [row["kind"] for row in await self.db.fetch("SELECT kind FROM outbox ORDER BY id")]

    def passes(self, **time: float) -> None:
        self.clock.move(timedelta(**time))
