"""One request to act for somebody: what stands against it, and what it writes (domain-rules B1, B7)."""

import secrets
from collections.abc import Sequence

import asyncpg

from core.stores.database import Transaction
from services.citizens import attempts_store as attempts
from services.citizens import bindings_store as store
from services.citizens import relations
from services.citizens.attempts_store import Try
from services.citizens.bindings_store import Step
from services.citizens.cabinet import Cabinet
from services.citizens.errors import AlreadyBound, AlreadyProven, TooManyPersons, TooManyRequests
from services.citizens.model import FORMER, SELF, Limits, UnknownCitizen
from services.citizens.wishes import Wish


class Asking:
    """Makes requests. Whether the person is known to anybody plays no part in it."""

    def __init__(self, cabinet: Cabinet, limits: Limits) -> None:
        self._cabinet = cabinet
        self._limits = limits

    async def ask(self, tx: Transaction, wish: Wish, step: Step, key: bytes) -> int:
        """Make a request, or find the one that says the same; `key` names the attempt."""
        citizen = step.who
        await store.lock(tx, citizen, target=wish.target)
        rows = await store.of_citizen(tx, citizen)
        if not rows:  # nobody, or somebody who is another citizen since
            raise UnknownCitizen(citizen=citizen)
        scopes = self._scopes(rows, wish)
        open_one = next((row for row in rows if row["target"] == wish.target), None)
        if open_one is not None and self._says(open_one, wish, scopes, step):
            return int(open_one["id"])
        if wish.relation != SELF:
            self._require_room(rows, wish, step)
        new = self._new(wish, citizen, scopes, step)
        tried = Try("request", self._cabinet.of_citizen(citizen), wish.target, 0, key, step.at)
        await self._require_calm(tx, tried)
        if open_one is not None:
            await self._make_way(tx, open_one, step)
        sealed, asker = (
            self._cabinet.enter(wish, new.ticket),
            self._cabinet.sign(wish.asker, new.ticket),
        )
        number = await store.ask(tx, new, sealed, asker, step)
        await attempts.note(tx, Try(tried.kind, tried.who, tried.target, number, key, step.at))
        return number

    def _new(self, wish: Wish, citizen: str, scopes: Sequence[str], step: Step) -> store.NewRequest:
        return store.NewRequest(
            citizen=citizen,
            relation=wish.relation,
            scopes=scopes,
            ticket=secrets.token_urlsafe(24),
            target=wish.target,
            expires_at=step.at + self._limits.lasts,
        )

    def _scopes(self, rows: Sequence[asyncpg.Record], wish: Wish) -> list[str]:
        """What the binding will allow: what is wished and what is held of this person; or a refusal."""
        held = next((row for row in rows if row["identity"] == wish.target), None)
        if wish.relation == SELF:
            me = next((row for row in rows if row["relation"] == SELF and row["state"] == "active"), None)
            if me is not None and me["identity"] not in {None, wish.target}:
                raise AlreadyProven
        if held is None:
            return sorted(wish.scopes)
        widened = sorted({*held["scopes"], *wish.scopes})
        is_self = held["relation"] == SELF
        same = widened == sorted(held["scopes"]) and (is_self or wish.relation != SELF)
        if same or (is_self and wish.relation != SELF):
            raise AlreadyBound(title=relations.title(held["relation"]))
        return widened

    def _says(self, row: asyncpg.Record, wish: Wish, scopes: Sequence[str], step: Step) -> bool:
        entered = self._cabinet.glimpse(row)
        return bool(
            row["expires_at"] > step.at
            and row["relation"] == wish.relation
            and sorted(row["scopes"]) == sorted(scopes)
            and (entered.name, entered.id_number) == (wish.name, wish.id_number)
            and self._cabinet.asker(row) == wish.asker
        )

    def _require_room(self, rows: Sequence[asyncpg.Record], wish: Wish, step: Step) -> None:
        """B1: persons, not bindings; who is asked for counts, and who is asked for twice counts once."""
        persons = {wish.target} | {
            row["identity"] or row["target"] or row["person"]
            for row in rows
            if row["relation"] != FORMER
            and (row["state"] == "active" or (row["relation"] != SELF and row["expires_at"] > step.at))
        }
        if len(persons) > self._limits.persons:
            raise TooManyPersons(most=self._limits.persons)

    async def _require_calm(self, tx: Transaction, tried: Try) -> None:
        again = await attempts.again_of_citizen(tx, tried, self._limits.requests_of_citizen)
        again = again or await attempts.again_of_pair(tx, tried, self._limits.requests_of_pair)
        if again is not None:
            raise TooManyRequests(at=again)

    async def _make_way(self, tx: Transaction, row: asyncpg.Record, step: Step) -> None:
        """End what was asked for before of the same ID number."""
        is_over = row["expires_at"] <= step.at
        what, state = ("expired", "expired") if is_over else ("withdrawn", "withdrawn")
        await store.bump(tx, row["id"])
        await store.end(tx, row["id"], what, state, step)
