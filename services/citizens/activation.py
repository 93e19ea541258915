"""How a request ends: as a binding to a registered person, or not (domain-rules B1, B2, B4, B4a)."""

import secrets
from dataclasses import dataclass

import asyncpg

from core.stores.database import Transaction
from services.citizens import bindings_store as store
from services.citizens import kept_store, relations
from services.citizens.bindings_store import Proof, Step
from services.citizens.cabinet import Cabinet
from services.citizens.errors import (
    AlreadyBound,
    AlreadyProven,
    NoSuchBinding,
    TooManyAccounts,
    TooManyPersons,
)
from services.citizens.model import FORMER, SELF, Limits
from services.citizens.persons import require_open
from services.citizens.telling import Telling


@dataclass(frozen=True, slots=True)
class End:
    """A request that becomes no binding: the step, the state it leads to, and whether its asker is told."""

    what: str
    state: str
    told: str = ""


REFUSED = End("refused", "rejected", "refused")
EXPIRED = End("expired", "expired", "expired")
WITHDRAWN = End("withdrawn", "withdrawn")


class Activation:
    """Ends requests, under the locks of asker and target."""

    def __init__(self, cabinet: Cabinet, telling: Telling, limits: Limits) -> None:
        self._cabinet = cabinet
        self._telling = telling
        self._limits = limits

    async def locked(self, tx: Transaction, number: int, step: Step | None = None) -> asyncpg.Record:
        """An open request, which nobody else ends until the transaction does; `step` has the time.

        `NoSuchBinding`, or `RequestOver` for one that was decided or whose time is over.
        """
        seen = await store.binding(tx, number)
        if seen is None or seen["ticket"] is None:
            raise NoSuchBinding
        await store.lock(tx, seen["citizen"], target=seen["target"])
        row = await store.binding(tx, number)
        if row is None or row["citizen"] != seen["citizen"]:  # it was just handed over: ask again
            raise NoSuchBinding
        require_open(row, step.at if step is not None else None)
        return row

    async def approve(self, tx: Transaction, row: asyncpg.Record, proof: Proof, step: Step) -> str:
        """Make it a binding; return its person. The asker is told if it was somebody else's step."""
        citizen = row["citizen"]
        person = await store.registered(tx, row["target"])
        await self._require_room(tx, row, person)
        await store.bump(tx, row["id"])
        if row["relation"] == SELF:
            person = await self._become(tx, row, person, step)
        elif person is None:
            person = "p_" + secrets.token_urlsafe(12)
            await self._register(tx, row, person, step)
        else:
            await self._replace(tx, row, person, step)
        await store.approve(tx, row["id"], person, proof, step)
        await self._telling.made(tx, row, proof.kind, step.who)
        if step.who != citizen:
            until = step.at + self._limits.kept_on
            kept = await kept_store.prolong(tx, row["id"], step.at, until)
            await self._telling.approved(tx, row, kept, until)
        return person

    async def end(self, tx: Transaction, row: asyncpg.Record, end: End, step: Step) -> None:
        """End it without a binding; what waited for it is dropped."""
        await store.bump(tx, row["id"])
        kept = (await kept_store.titles(tx, [row["id"]])).get(row["id"], "")
        await store.end(tx, row["id"], end.what, end.state, step)
        if end.told == "refused":
            await self._telling.refused(tx, row, kept)
        elif end.told == "expired":
            await self._telling.expired(tx, row, kept)

    async def _require_room(self, tx: Transaction, row: asyncpg.Record, person: str | None) -> None:
        """B1 and B2 as they stand now, and whether the asker holds the person already."""
        held = [each for each in await store.of_citizen(tx, row["citizen"]) if each["state"] == "active"]
        for each in held:
            if (
                each["relation"] == SELF
                and row["relation"] == SELF
                and each["identity"] not in {None, row["target"]}
            ):
                raise AlreadyProven
            if each["relation"] == SELF and row["relation"] != SELF and each["person"] == person:
                raise AlreadyBound(title=relations.title(SELF))
        others = [
            each for each in held if each["relation"] not in {SELF, FORMER} and each["person"] != person
        ]
        if (
            row["relation"] != SELF and len(others) + 2 > self._limits.persons
        ):  # they themselves, and this one
            raise TooManyPersons(most=self._limits.persons)
        accounts = await store.holders(tx, person, row["citizen"]) if person is not None else []
        if len(accounts) + 1 > self._limits.accounts:
            raise TooManyAccounts(most=self._limits.accounts)

    async def _become(self, tx: Transaction, row: asyncpg.Record, person: str | None, step: Step) -> str:
        """B4a: join the citizen's self to the identity; what was booked for it stays theirs.

        Where nobody is registered yet, the self person becomes the registered one; else the self moves there,
        and the old one is what they were before.
        """
        me = await store.oneself(tx, row["citizen"])
        if me is None:
            raise NoSuchBinding
        if person is None or me["person"] == person:
            await store.end(tx, me["binding"], "replaced", "expired", step)
            if person is None:
                await self._register(tx, row, me["person"], step)
            return str(me["person"])
        await store.set_aside(tx, me["binding"], step)
        await self._replace(tx, row, person, step)
        return person

    async def _replace(self, tx: Transaction, row: asyncpg.Record, person: str, step: Step) -> None:
        for each in await store.of_citizen(tx, row["citizen"]):
            if each["person"] == person and each["state"] == "active":
                await store.end(tx, each["id"], "replaced", "expired", step)

    async def _register(self, tx: Transaction, row: asyncpg.Record, person: str, step: Step) -> None:
        sealed = self._cabinet.file(self._cabinet.entered(row), person)
        await store.register(tx, row["citizen"], person, row["target"], sealed, step)
