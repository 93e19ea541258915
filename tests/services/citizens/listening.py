"""Who may hear of whom: told from what happened alone, and asked of every message that reaches a phone."""

from collections import defaultdict
from dataclasses import dataclass, field

import asyncpg

from core.delivery.letters import letters
from core.seal import Seal
from core.stores.database import Database

_EVENTS = """
SELECT what, citizen, person, binding, relation, scopes, new, key FROM citizen_events
WHERE id > $1 ORDER BY id
"""
_IN_HAND = """
SELECT key, kind, sealed FROM outbox
WHERE conversation = $1 AND (state = 'sending' OR channel = 'reply') AND sealed IS NOT NULL ORDER BY id DESC
"""
_OF_THEIR_OWN_WISH = frozenset(("binding_refused", "binding_expired"))  # says no more than they entered
_OF_BINDINGS = "binding_"
_NUMBER_ONLY = "unread"  # says how many messages wait


@dataclass(frozen=True, slots=True)
class Held:
    """A binding as its last event left it."""

    citizen: str
    person: str | None
    relation: str
    scopes: tuple[str, ...]
    state: str


@dataclass
class Past:
    """What the event rows tell of accounts and bindings. Nothing that guards look at is asked."""

    citizens: dict[str, str] = field(default_factory=dict)  # behind each conversation
    following: dict[str, bool] = field(default_factory=dict)
    bindings: dict[int, Held] = field(default_factory=dict)

    def hear(self, row: asyncpg.Record) -> None:
        """One event more."""
        if row["what"] == "arrived":
            self.citizens[row["key"]] = row["citizen"]
        if row["what"] == "united":
            joined = [place for place, citizen in self.citizens.items() if citizen == row["citizen"]]
            self.citizens |= dict.fromkeys(joined, row["new"])
        if row["what"] in {"arrived", "left", "returned"}:
            self.following[row["key"]] = row["new"] == "following"
        if row["binding"] is not None:
            before = self.bindings.get(row["binding"])
            person = row["person"] or (before.person if before else None)
            scopes = tuple(row["scopes"])
            now = Held(row["citizen"], person, row["relation"], scopes, row["new"])
            self.bindings[row["binding"]] = now

    def holds(self, citizen: str, person: str | None, scope: str = "") -> bool:
        """Tell whether a citizen may act for a person now, in this or in anything."""
        return any(
            (each.citizen, each.person, each.state) == (citizen, person, "active")
            and (not scope or scope in each.scopes)
            for each in self.bindings.values()
        )

    def is_any(self, citizen: str, persons: set[str]) -> bool:
        """Tell whether a citizen is one of these persons now."""
        return any(
            (each.citizen, each.relation, each.state) == (citizen, "self", "active")
            and each.person in persons
            for each in self.bindings.values()
        )


class Listener:
    """Stands at every phone and judges what arrives (domain-rules 9, 5)."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self.asked_for: dict[str, str] = {}  # request → the ID number of whom it is for
        self.heard: dict[str, int] = defaultdict(int)  # kind → how many
        self._db = db
        self._seal = seal
        self._since = 0

    async def begin(self) -> None:
        """What happened before is of another history."""
        self.asked_for, self.heard = {}, defaultdict(int)
        self._since = await self._db.fetchval("SELECT coalesce(max(id), 0) FROM citizen_events")

    async def hears(self, conversation: str, words: str) -> None:
        """A message arrives; an `AssertionError` if nobody may tell it here now."""
        key, kind = await self._found(conversation, words)
        if kind == _NUMBER_ONLY:
            return
        self.heard[kind] += 1
        past = await self._past()
        assert past.following[conversation], f"{kind} reached somebody who has left"
        assert await self._may(past, kind, key.split(":")[1], past.citizens[conversation]), (
            f"invariant 5: {key} reached {conversation}"
        )

    async def _found(self, conversation: str, words: str) -> tuple[str, str]:
        """Which row says this."""
        for row in await self._db.fetch(_IN_HAND, conversation):
            letter = letters.unpack(row["sealed"], self._seal, row["key"])
            if words.startswith(letter.text):
                return row["key"], row["kind"]
        raise LookupError(words)

    async def _past(self) -> Past:
        past = Past()
        for row in await self._db.fetch(_EVENTS, self._since):
            past.hear(row)
        return past

    async def _may(self, past: Past, kind: str, about: str, citizen: str) -> bool:
        """Tell whether this citizen may hear of what a message is about."""
        if kind == "booking_reminder":
            person = await self._db.fetchval("SELECT person FROM bookings WHERE id = $1", about)
            return past.holds(citizen, person, "book")
        held = past.bindings[int(about)]
        if kind == "access_digest":
            return past.is_any(citizen, {held.person or ""})
        assert kind.startswith(_OF_BINDINGS), f"say here whom {kind} is about"
        if held.citizen != citizen:  # whoever it is for hears of it
            is_open = kind != "binding_consent" or held.state == "requested"
            return is_open and past.is_any(citizen, self._persons(past, self.asked_for[about]))
        if kind == "binding_revoked" or kind in _OF_THEIR_OWN_WISH:
            return True
        return past.holds(citizen, held.person)

    def _persons(self, past: Past, number: str) -> set[str]:
        """Who was ever registered with an ID number."""
        return {
            each.person
            for binding, each in past.bindings.items()
            if each.person and self.asked_for.get(str(binding)) == number
        }
