"""Homes: a citizen says where they live, staff of the place whether that is so (domain-rules 3.1)."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

import msgspec

from core.clock import Clock
from core.delivery.notices import Notice
from core.delivery.telling import or_left_out
from core.effects import Effect, perform
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.community import homes_store as store
from services.community.errors import (
    HomeDecided,
    HomeKnown,
    NoSuchHome,
    NoSuchPlace,
    ReasonMissing,
    RoomStrange,
    TooManyHomes,
)
from services.community.homes_store import New, Row, Step
from services.community.model import Home, HomeRole, HomeState

ANSWERED = "home_answered"
WAITS = timedelta(days=7)
MOST_HOMES = 5
LEAST_REASON, MOST_REASON = 2, 60
_LONGEST_ROOM = 12
# 502, A-1203, 2单元502, 地下1, 301东; not 2栋, which is a house.
_ROOM = re.compile(r"[\w-]*\d[A-Z]?(?:[东西南北中左右甲乙]户?)?")
_EVERY = timedelta(days=7)


class Residents(Protocol):
    """Who residents are, what they agreed to, and how they are told."""

    async def require(self, tx: Transaction, citizen: str) -> None:
        """Refuse who has not agreed that staff sees where they live."""
        ...

    async def conversation(self, tx: Transaction, citizen: str) -> str | None:
        """Where a citizen is reached."""
        ...

    async def queue(self, tx: Transaction, notice: Notice) -> bool:
        """Tell them once the transaction commits."""
        ...


class _Door(msgspec.Struct, frozen=True):
    """What is sealed of a home."""

    room: str
    name: str
    reason: str = ""  # why staff said no


class HomeWish:
    """Where somebody says that they live: personal, so it shows itself to nobody (as core.effects asks)."""

    __slots__ = ("door", "fingerprint", "place", "role")

    def __init__(self, seal: Seal, place: str, role: str, room: str, name: str) -> None:
        self.place, self.role, self.door = place, HomeRole(role), _Door(room, name)
        self.fingerprint = seal.fingerprint(f"{place}\0{role}\0{room}\0{name}", "home")

    def __repr__(self) -> str:
        return f"<HomeWish {self.place}>"


class Homes:
    """The homes of all citizens."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, residents: Residents) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._residents = residents

    def wish(self, place: str, role: str, room: str, name: str) -> HomeWish:
        """What is asked for; `room` and `name` are as they were checked."""
        return HomeWish(self._seal, place, role, room, name)

    async def shown(self, wish: HomeWish) -> Home:
        """A wish as it would stand; `NoSuchPlace`."""
        where = await self._db.fetchval("SELECT community_where($1)", wish.place)
        if where is None or not await store.is_dwelling(self._db, wish.place):
            raise NoSuchPlace
        now, door = self._clock.now(), wish.door
        state = HomeState.REQUESTED
        return Home("", wish.place, where, door.room, wish.role, door.name, state, now, now + WAITS)

    async def request(self, wish: HomeWish, citizen: str, effect: Effect) -> str:
        """Ask for a home; its number. `NoSuchPlace`, `HomeKnown`, `TooManyHomes`, `ConsentMissing`."""
        return await perform(self._db, effect, partial(self._request, wish, citizen))

    async def mine(self, citizen: str) -> list[Home]:
        """What a citizen has, and asks for."""
        return [self._home(row) for row in await store.of_citizen(self._db, citizen)]

    async def leave(self, home: str, citizen: str, effect: Effect) -> str:
        """A citizen lives there no more, or takes their request back; the home. `NoSuchHome`."""
        return await perform(self._db, effect, partial(self._leave, home, citizen))

    async def waiting(self, scopes: Collection[str], after: str = "", limit: int = 20) -> list[Home]:
        """What waits for staff of these places, the oldest first."""
        return [self._home(row) for row in await store.waiting(self._db, scopes, after, limit)]

    async def count_waiting(self, scopes: Collection[str]) -> int:
        """How many wait for them."""
        return await store.count_waiting(self._db, scopes)

    async def asked(self, home: str, scopes: Collection[str]) -> Home:
        """A request in these places; `NoSuchHome` for one of other places, too."""
        row = await store.of_staff(self._db, home, scopes)
        if row is None or row["sealed"] is None:
            raise NoSuchHome
        return self._home(row)

    async def approve(self, home: str, member: str, effect: Effect, *, scopes: Collection[str]) -> str:
        """A member of staff, who works for these places, says that they live there.

        `NoSuchHome`, `HomeDecided`.
        """
        step = Step("approved", HomeState.ACTIVE, self._clock.now(), member)
        return await perform(self._db, effect, partial(self._decide, home, step, "", scopes))

    async def refuse(
        self, home: str, reason: str, member: str, effect: Effect, *, scopes: Collection[str]
    ) -> str:
        """They say why not. `ReasonMissing`, `NoSuchHome`, `HomeDecided`."""
        step, said = Step("refused", HomeState.REJECTED, self._clock.now(), member), reason_of(reason)
        return await perform(self._db, effect, partial(self._decide, home, step, said, scopes))

    async def expire(self, limit: int = 200) -> int:
        """End the requests that nobody decided in time, and tell who asked; how many. For the schedule."""
        ended = 0
        for seen in await store.overdue(self._db, self._clock.now(), limit):
            async with self._db.transaction() as tx:
                step = Step("expired", HomeState.EXPIRED, self._clock.now())
                if await store.step(tx, seen["id"], HomeState.REQUESTED, step):
                    await self._tell(tx, seen, step)
                    ended += 1
        return ended

    async def _request(self, wish: HomeWish, citizen: str, tx: Transaction) -> str:
        await self._residents.require(tx, citizen)
        await store.alone(tx, citizen)
        if not await store.is_dwelling(tx, wish.place):
            raise NoSuchPlace
        open_ones = await store.of_citizen(tx, citizen)
        for row in open_ones:
            if row["place"] == wish.place and self._home(row).room == wish.door.room:
                raise HomeKnown(active=row["state"] == HomeState.ACTIVE)
        now = self._clock.now()
        asked = await store.asked_since(tx, citizen, now - _EVERY)
        if max(len(open_ones), asked) >= MOST_HOMES:
            raise TooManyHomes(most=MOST_HOMES)
        number = await store.number(tx)
        sealed = self._seal.seal(msgspec.json.encode(wish.door), context(number))
        await store.add(tx, number, New(citizen, wish.place, wish.role, now + WAITS), sealed, now)
        return number

    async def _leave(self, home: str, citizen: str, tx: Transaction) -> str:
        await store.alone(tx, citizen)
        row = await store.one(tx, home, citizen)
        if row is None or row["state"] not in {HomeState.REQUESTED, HomeState.ACTIVE}:
            raise NoSuchHome
        await store.step(tx, home, row["state"], Step("left", HomeState.REVOKED, self._clock.now()))
        return home

    async def _decide(
        self, home: str, step: Step, reason: str, scopes: Collection[str], tx: Transaction
    ) -> str:
        row = await store.of_staff(tx, home, scopes)
        if row is None:
            raise NoSuchHome
        await store.alone(tx, row["citizen"])
        if reason:
            door = msgspec.structs.replace(self._door(row), reason=reason)
            step = replace(step, sealed=self._seal.seal(msgspec.json.encode(door), context(home)))
        is_over = row["until"] <= step.at
        if is_over or not await store.step(tx, home, HomeState.REQUESTED, step):
            now = await store.of_staff(tx, home, scopes)
            late = is_over and now is not None and now["state"] == HomeState.REQUESTED
            raise HomeDecided(state=HomeState.EXPIRED if late or now is None else now["state"])
        await self._tell(tx, row, step, reason)
        return home

    async def _tell(self, tx: Transaction, row: Row, step: Step, reason: str = "") -> None:
        where = await self._residents.conversation(tx, row["citizen"])
        if where is None:
            return
        facts = {"state": step.state, "reason": reason, "where": row["where_"]}
        notice = Notice(ANSWERED, row["id"], where, facts)
        await or_left_out(self._residents.queue(tx, notice), "home_notice_left_out", home=row["id"])

    def _door(self, row: Row) -> _Door:
        return msgspec.json.decode(self._seal.open(row["sealed"], context(row["id"])), type=_Door)

    def _home(self, row: Row) -> Home:
        door = self._door(row)
        role, state = HomeRole(row["role"]), HomeState(row["state"])
        asked_at, until = row["asked_at"], row["until"]
        return Home(
            row["id"], row["place"], row["where_"], door.room, role, door.name, state, asked_at, until
        )


async def let_go(clock: Clock, tx: Transaction, citizen: str) -> None:
    """End every home of who does not agree any more that staff sees them."""
    await store.alone(tx, citizen)
    for row in await store.active(tx, citizen):
        what = "ended" if row["state"] == HomeState.ACTIVE else "left"
        await store.step(tx, row["id"], row["state"], Step(what, HomeState.REVOKED, clock.now()))


def room_of(said: str) -> str:
    """A room as it stands on the door: 502, 2单元502, A-1203; `RoomStrange`."""
    folded = (
        "".join(unicodedata.normalize("NFKC", said).split()).upper().removesuffix("室").removesuffix("号")
    )
    if len(folded) > _LONGEST_ROOM or not _ROOM.fullmatch(folded):
        raise RoomStrange
    return folded


def reason_of(said: str) -> str:
    """Why not, in staff's words; `ReasonMissing`."""
    reason = " ".join(said.split())
    if not LEAST_REASON <= len(reason) <= MOST_REASON or not reason.isprintable():
        raise ReasonMissing(least=LEAST_REASON, most=MOST_REASON)
    return reason


def context(home: str) -> str:
    """Name the only place where a sealed door opens."""
    return f"home:{home}"
