"""Some people with phones, an institution that knows them, and what they ask of one another."""

import itertools
from datetime import timedelta

from core.clock import Clock, ManualClock
from core.delivery.letters import Letter, letters
from core.delivery.notices import Notices
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from services.citizens.families import Families
from services.citizens.model import FIRST_SCOPES, Limits
from services.citizens.proving import Proving
from services.citizens.service import Citizens
from tests.services.citizens.clinic import Clinic
from tests.support.wording import house_words, kinds_in

_numbers = itertools.count(1)


def id_of(number: int, born: str = "19491231") -> str:
    """An ID number like any other."""
    return f"110105{born}{number:04d}"


def once() -> Effect:
    """Another wish of another run."""
    return Effect(f"run{next(_numbers)}", "do", b"d" * 32)


class Person:
    """Somebody with a name, an ID number and a phone."""

    def __init__(self, name: str, number: str, citizen: str, conversation: str) -> None:
        self.name = name
        self.number = number
        self.citizen = citizen
        self.conversation = conversation


class Kin:
    """The register, and whoever is in it."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, limits: Limits | None = None) -> None:
        self.db = db
        self.seal = seal
        self.clock = clock
        self.words = house_words()
        self.citizens = Citizens(db, seal)
        self.notices = Notices(kinds_in(), self.words, seal, clock, "http://x.example")
        self.limits = limits or Limits()
        self.clinic = Clinic(db)
        institutions = {self.clinic.name: self.clinic}
        self.families = Families(db, seal, clock, self.notices, limits)
        self.proving = Proving(db, seal, clock, institutions, self.notices, limits)

    async def person(
        self, name: str, *, born: str = "19491231", known: bool = True, proven: bool = False
    ) -> Person:
        """Somebody who follows us; `known` to the clinic; `proven`: they have proven who they are."""
        number, place = id_of(next(_numbers), born), f"city:{next(_numbers):032x}"
        citizen = await self.citizens.arrive(place, "city", f"o-{place[-8:]}")
        found = Person(name, number, citizen, place)
        if known:
            self.clinic.knows(name, number)
        if proven:
            await self.proves_self(found)
        return found

    async def stranger(self, name: str, *, born: str = "19491231") -> Person:
        """Somebody whom the clinic knows, and who has no phone that follows us."""
        number = id_of(next(_numbers), born)
        self.clinic.knows(name, number)
        return Person(name, number, "", "")

    async def asks(
        self, who: Person, whom: Person, relation: str = "mother", *scopes: str, calls: str = "小王"
    ) -> str:
        wish = self.families.wish(relation, whom.name, whom.number, calls, scopes or FIRST_SCOPES)
        return await self.families.request(wish, who.citizen, once())

    async def proves_self(self, who: Person) -> str:
        return await self.by_code(who, await self.asks(who, who, "self"))

    async def by_code(self, who: Person, binding: str) -> str:
        """Prove a request with the code that is sent for it."""
        await self.proving.send_code(binding, who.citizen, self.clinic.name, once())
        return await self.proving.check_code(binding, who.citizen, self.clinic.texts[-1][1], once())

    async def bound(self, who: Person, whom: Person, relation: str = "mother", *scopes: str) -> str:
        return await self.by_code(who, await self.asks(who, whom, relation, *scopes))

    async def titles(self, who: Person, scope: str = "book") -> list[str]:
        return [each.title for each in await self.families.people(who.citizen, scope)]

    async def state(self, binding: str) -> str:
        return str(await self.db.fetchval("SELECT state FROM bindings WHERE id = $1", int(binding)))

    async def told(self, who: Person) -> list[str]:
        """The kinds of everything that is on its way to somebody, oldest first."""
        rows = await self.db.fetch(
            "SELECT kind FROM outbox WHERE conversation = $1 ORDER BY id", who.conversation
        )
        return [row["kind"] for row in rows]

    async def letter(self, who: Person) -> Letter:
        """The latest that is on its way to somebody."""
        row = await self.db.fetchrow(
            "SELECT key, sealed FROM outbox WHERE conversation = $1 ORDER BY id DESC LIMIT 1",
            who.conversation,
        )
        assert row is not None
        return letters.unpack(row["sealed"], self.seal, row["key"])

    def passes(self, by: timedelta) -> None:
        """Let time go by; the clock is a manual one."""
        assert isinstance(self.clock, ManualClock)
        self.clock.move(by)
