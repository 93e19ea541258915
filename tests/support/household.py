"""A family for tests of services: citizens, who they have proven to be, and who may act for whom."""

import itertools
from collections.abc import Sequence

from core.clock import Clock
from core.delivery.letters import letters
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from services.citizens.model import FIRST_SCOPES, SELF
from services.citizens.proving import Proving
from services.citizens.service import Citizens, Families
from services.citizens.wishes import Wish
from tests.support.city_hospital import notices_of

_WAITING = """
SELECT key, sealed FROM outbox WHERE conversation = $1 AND kind = $2 AND state IN ('queued', 'held')
  AND guards_hold(guard_keys, guard_ns) ORDER BY id
"""


class Household:
    """Citizens by the names a test gives them; `persons` who they are, `bindings` their latest."""

    def __init__(self, db: Database, seal: Seal, clock: Clock) -> None:
        self.db = db
        self._seal = seal
        notices = notices_of(seal, clock)
        self.register = Citizens(db, seal)
        self.families = Families(db, seal, clock, notices)
        self.proving = Proving(db, seal, clock, {}, notices)
        self.citizens: dict[str, str] = {}
        self.persons: dict[str, str] = {}
        self.bindings: dict[str, str] = {}
        self._numbers = itertools.count()

    def conversation(self, name: str) -> str:
        """Where somebody writes."""
        return self._seal.conversation("city", f"o-{name}")

    async def stranger(self, name: str) -> str:
        """Somebody arrives."""
        citizen = await self.register.arrive(self.conversation(name), "city", f"o-{name}")
        self.citizens[name] = citizen
        self.persons[name] = await self.register.self_person(citizen)
        return citizen

    async def proven(self, name: str, called: str, number: str, scopes: Sequence[str] = FIRST_SCOPES) -> None:
        """Somebody proves who they are, at a counter."""
        citizen = await self.stranger(name)
        wish = self.families.wish(SELF, called, number, scopes=scopes)
        self.bindings[name] = await self._approved(citizen, wish)
        self.persons[name] = await self.register.self_person(citizen)

    async def bound(
        self,
        name: str,
        to: str,
        called: str,
        number: str,
        *,
        asker: str,
        scopes: Sequence[str] = FIRST_SCOPES,
    ) -> None:
        """Somebody may act for somebody else, their mother, who need not write here."""
        citizen = await self.stranger(name)
        self.bindings[name] = await self._approved(
            citizen, self.families.wish("mother", called, number, asker, scopes)
        )
        people = await self.families.people(citizen)
        self.persons[to] = next(each.id for each in people if each.binding == self.bindings[name])

    async def revoke(self, name: str, binding: str) -> None:
        """Somebody takes a binding back."""
        await self.families.revoke(binding, self.citizens[name], self.effect())

    async def waiting(self, name: str, kind: str) -> list[str]:
        """The notices of a kind that are on their way to somebody."""
        rows = await self.db.fetch(_WAITING, self.conversation(name), kind)
        return [letters.unpack(row["sealed"], self._seal, row["key"]).text for row in rows]

    def effect(self) -> Effect:
        """One that nobody has used."""
        return Effect(f"test:{next(self._numbers)}", "step", b"")

    async def _approved(self, citizen: str, wish: Wish) -> str:
        binding = await self.families.request(wish, citizen, self.effect())
        return await self.proving.approve_at_counter(binding, "li", self.effect())
