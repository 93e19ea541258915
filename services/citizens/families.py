"""Who may act for whom: asking, looking up, taking back (domain-rules 0.1). Proving: `proving.py`."""

import secrets
from collections.abc import Sequence
from functools import partial

import asyncpg

from core.clock import Clock
from core.effects import Effect, perform
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.citizens import bindings_store as store
from services.citizens import kept_store, relations
from services.citizens.asking import Asking
from services.citizens.cabinet import Cabinet
from services.citizens.errors import NoSuchBinding, NotBound, RequestOver, SelfStays
from services.citizens.model import (
    FIRST_SCOPES,
    FORMER,
    SELF,
    Asked,
    Holder,
    Limits,
    Relative,
    Request,
    UnknownCitizen,
)
from services.citizens.names import compared
from services.citizens.persons import asks_for, number_of
from services.citizens.telling import Messenger, Telling, ordered
from services.citizens.wishes import Wish


class Families:
    """The persons of a citizen, and who holds them. Bindings are named by text, as effects are."""

    def __init__(
        self, db: Database, seal: Seal, clock: Clock, messenger: Messenger, limits: Limits | None = None
    ) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._limits = limits or Limits()
        self._cabinet = Cabinet(seal)
        self._telling = Telling(messenger, self._cabinet)
        self._asking = Asking(self._cabinet, self._limits)

    def wish(
        self,
        relation: str,
        name: str,
        id_number: str,
        asker: str = "",
        scopes: Sequence[str] = FIRST_SCOPES,
    ) -> Wish:
        """What `request` takes; name and number as `names.person_name` and `identity.id_number` read them.

        `asker` is what the citizen calls themselves (小王): the bound person is told. For `relation` "self"
        it is not used.
        """
        if relation not in relations.FAMILY | {SELF}:
            raise ValueError(f"nobody asks for {relation!r}")
        asker = "" if relation == SELF else asker
        return Wish(self._seal, relation=relation, name=name, id_number=id_number, asker=asker, scopes=scopes)

    async def people(self, citizen: str, scope: str = "book", *, former: bool = False) -> list[Relative]:
        """Whom a citizen may act for in this, themselves first; if asked with their `former` self."""
        return [
            self._relative(row)
            for row in await self._rows(citizen)
            if row["state"] == "active" and (former or row["relation"] != FORMER) and scope in row["scopes"]
        ]

    async def meant(self, citizen: str, word: str, scope: str = "book") -> list[Relative]:
        """Those of `people` whom a word means: 我, 妈妈, 孩子, or a name. None: nobody yet; several: ask."""
        people, codes, name = await self.people(citizen, scope), relations.codes(word), compared(word)
        named = [each for each in people if name and name in map(compared, each.aliases[-1:]) and each.name]
        return named or [each for each in people if each.relation in codes]

    async def relative(self, citizen: str, person: str) -> Relative:
        """Somebody a citizen may act for; who was their own self before is one. `NotBound`."""
        for row in await self._rows(citizen):
            if row["person"] == person and row["state"] == "active":
                return self._relative(row)
        raise NotBound(scope="")

    async def request(self, wish: Wish, citizen: str, effect: Effect) -> str:
        """Ask to act for somebody and return the binding's id; it waits for a proof (`Proving`), 24 hours.

        The same wish again is the same open request; another one for the same ID number takes its place.
        `AlreadyBound`, `AlreadyProven`, `TooManyPersons`, `TooManyRequests`.
        """
        return await perform(self._db, effect, partial(self._request, wish, citizen, effect))

    async def open_requests(self, citizen: str) -> list[Request]:
        """The citizen's own requests that wait."""
        now = self._clock.now()
        rows = [
            row
            for row in await store.of_citizen(self._db, citizen)
            if row["state"] == "requested" and row["expires_at"] > now
        ]
        titles = await kept_store.titles(self._db, [row["id"] for row in rows])
        return [
            Request(
                binding=str(row["id"]),
                relation=row["relation"],
                title=relations.title(row["relation"]),
                name=self._cabinet.masked(self._cabinet.glimpse(row).name),
                scopes=ordered(row["scopes"]),
                expires_at=row["expires_at"],
                kept=titles.get(row["id"], ""),
            )
            for row in rows
        ]

    async def asked_of(self, citizen: str) -> list[Asked]:
        """The requests that wait for this citizen's own yes."""
        me, now = await store.oneself(self._db, citizen), self._clock.now()
        if me is None or me["identity"] is None:
            return []
        return [
            Asked(
                binding=str(row["id"]),
                asker=self._cabinet.asker(row),
                relation=row["relation"],
                title=relations.title(row["relation"]),
                scopes=ordered(row["scopes"]),
                expires_at=row["expires_at"],
            )
            for row in await store.requests_for(self._db, me["identity"], now)
            if asks_for(self._cabinet, row, citizen, me, self._limits.adult, now.date())
        ]

    async def holders(self, citizen: str) -> list[Holder]:
        """Who else may act for this citizen."""
        me = await store.oneself(self._db, citizen)
        if me is None or me["identity"] is None:
            return []
        return [
            Holder(
                binding=str(row["id"]),
                asker=self._cabinet.asker(row),
                relation=row["relation"],
                title=relations.title(row["relation"]),
                scopes=ordered(row["scopes"]),
                since=row["decided_at"],
            )
            for row in await store.holders(self._db, me["person"], citizen)
        ]

    async def revoke(self, binding: str, citizen: str, effect: Effect) -> str:
        """Take a binding back, by its holder or by the bound person, at once (B5); return its id.

        What hangs on `guard(binding)` is not sent any more. One that was replaced stands for the newer one.
        `NoSuchBinding`, `SelfStays`, `RequestOver`.
        """
        return await perform(self._db, effect, partial(self._revoke, number_of(binding), citizen, effect))

    async def revoke_in(self, tx: Transaction, binding: str, citizen: str, effect: Effect) -> str:
        """`revoke` in a transaction of somebody else's."""
        return await self._revoke(number_of(binding), citizen, effect, tx)

    async def active(self, tx: Transaction, citizen: str, person: str, scope: str) -> str | None:
        """The binding under which a citizen acts for a person in this now; None if there is none.

        Locked until the transaction ends: nobody takes it back before.
        """
        found = await store.active(tx, citizen, person, scope)
        return None if found is None else str(found)

    @staticmethod
    def guard(binding: str) -> str:
        """The key that a message hangs on which is sent because of a binding."""
        return store.guard(binding)

    async def _request(self, wish: Wish, citizen: str, effect: Effect, tx: Transaction) -> str:
        step = store.Step(citizen, self._clock.now(), effect.name)
        return str(await self._asking.ask(tx, wish, step, self._cabinet.of_effect(effect, "request")))

    async def _revoke(self, number: int, citizen: str, effect: Effect, tx: Transaction) -> str:
        seen = await store.binding(tx, number)
        if seen is None:
            raise NoSuchBinding
        await store.lock(tx, seen["citizen"], citizen)
        row = await store.latest(tx, number)  # as it is under the locks
        if row is None or not await self._is_theirs(tx, row, citizen):
            raise NoSuchBinding
        if row["state"] != "active":
            raise RequestOver(state=row["state"])
        if row["identity"] is None:
            raise SelfStays
        step = store.Step(citizen, self._clock.now(), effect.name)
        await store.bump(tx, row["id"])
        await store.end(tx, row["id"], "revoked", "revoked", step)
        if row["relation"] == SELF:
            await store.new_self(tx, row["citizen"], "p_" + secrets.token_urlsafe(12), step)
        await self._telling.revoked(tx, row, citizen)
        return str(number)

    async def _is_theirs(self, tx: Transaction, row: asyncpg.Record, citizen: str) -> bool:
        if row["citizen"] == citizen:
            return bool(row["state"] != "requested")
        me = await store.oneself(tx, citizen)
        if me is None or me["identity"] is None:
            return False
        return bool(me["person"] == row["person"])

    async def _rows(self, citizen: str) -> list[asyncpg.Record]:
        """A citizen's bindings; whoever has arrived has at least one, to themselves."""
        rows = await store.of_citizen(self._db, citizen)
        if not rows:
            raise UnknownCitizen(citizen=citizen)
        return rows

    def _relative(self, row: asyncpg.Record) -> Relative:
        name = self._cabinet.name(row["person"], row["name"])
        return Relative(
            id=row["person"],
            binding=str(row["id"]),
            relation=row["relation"],
            title=relations.title(row["relation"]),
            name=self._cabinet.masked(name),
            aliases=(*relations.words(row["relation"]), *([name] if name else [])),
            scopes=ordered(row["scopes"]),
        )
