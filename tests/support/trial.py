"""A city of gateway processes on one Redis and one PostgreSQL, and the platform in the test itself."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

import simulator.app
from core.clock import SystemClock
from core.seal import Seal
from core.stores import keys
from core.stores.database import Database
from simulator.accounts import Account
from tests.support.city_hospital import hospital_of
from tests.support.clinic import found_clinic
from tests.support.crowd import Crowd
from tests.support.judge import RETRY_S, Kill, Phone, complaints
from tests.support.killer import Killer
from tests.support.members import KILLED, Members
from tests.support.program import MAIN, Place
from tests.support.waiting import until
from tests.support.walks import MESSAGES, WALKS, Walk
from webhooks.serving import listen, serve

PROCESSES = 2
_LOOK_S = 0.1
_SETTLED_S = 60.0  # a late answer whose sender was killed is settled after half a minute
_ACCOUNT = {
    "name": "云汀便民",
    "original_id": "gh_0a1b2c3d4e5f",
    "appid": "wx00112233445566aa",
    "secret": "a-secret-of-the-tests",
    "token": "atokenofthetests",
    "aes_key": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
    "mode": "safe",
}
_NUMBERS = """
SELECT a.conversation, count(u.id) AS has, count(*) AS ever
FROM bookings b JOIN accounts a USING (citizen) LEFT JOIN units u ON u.booking = b.id AND u.state = 'booked'
GROUP BY a.conversation
"""
_REST = """
SELECT (SELECT count(*) FROM owed) AS owed,
       (SELECT count(*) FROM outbox WHERE state IN ('queued', 'held', 'sending')) AS outbox
"""
_LATE = "SELECT key, state, reason FROM outbox WHERE key LIKE 'late:%' ORDER BY id"


@dataclass(frozen=True, slots=True)
class Findings:
    """What one trial came to; `wrong` is everything nobody can explain."""

    messages: int
    retried: int
    third: int  # took all of the platform's attempts
    notices: int
    late: int
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """A running city for crowds and killers."""

    members: Members
    db: Database
    http: aiohttp.ClientSession
    platform: str
    seal: Seal
    slow: bool  # whether an answer may take longer than an attempt

    async def run(self, citizens: int, kills: int, chance: random.Random) -> Findings:
        """Let citizens walk while processes are killed; judge everything that came of it."""
        name = chance.randbytes(8).hex()
        walks = [Walk(f"o{name}{each:06d}", WALKS[each % len(WALKS)]) for each in range(citizens)]
        crowd = Crowd(self.http, self.platform)
        killer = Killer(self.members, crowd, chance)
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.walk(walks))
            await killer.end_some(kills, citizens * MESSAGES)
            crowd.let_go(citizens * MESSAGES)  # and whatever has to be said again
        return await self._judge(walks, crowd, killer.kills)

    async def _judge(self, walks: Sequence[Walk], crowd: Crowd, kills: Sequence[Kill]) -> Findings:
        await until(self.members.all_ready, "all processes are up", _SETTLED_S)
        wrong = await self._left_over() + await self._in_the_books()
        wrong += [f"a process ended by itself: {how}" for how in self.members.ended if how != KILLED]
        wrong += [
            f"the log has {word}" for word in ("Traceback", "handler_failed") if word in self.members.said
        ]
        numbers = {row["conversation"]: row for row in await self.db.fetch(_NUMBERS)}
        late = await self._late()
        for walk in walks:
            conversation = self.seal.conversation("city", walk.openid)
            received = await crowd.received(walk.openid)
            wrong += _sorted_out(
                walk, late[conversation], [words for kind, words in received if kind == "custom"]
            )
            row = numbers.get(conversation)
            phone = Phone(received, row["has"] if row else 0, row["ever"] if row else 0)
            found = complaints(walk, phone, kills, slow=self.slow)
            wrong += [*found, *(self._log_of(conversation) if found else [])]
        told = [each for walk in walks for each in walk.told]
        return Findings(
            len(told),
            sum(each.attempts > 1 for each in told),
            sum(each.attempts > 2 for each in told),
            sum(each.notice for each in told),
            sum(len(each.late) for each in told),
            wrong,
        )

    def _log_of(self, conversation: str) -> list[str]:
        """What the gateway said about a conversation."""
        return [line for line in self.members.said.splitlines() if conversation in line]

    async def _left_over(self) -> list[str]:
        """What is still owed or on its way when everything has had its time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _SETTLED_S
        while True:
            left = dict(await self.db.fetchrow(_REST) or {})
            if not any(left.values()):
                return []
            if loop.time() > end:
                return [f"left over: {left}"]
            await asyncio.sleep(_LOOK_S)

    async def _in_the_books(self) -> list[str]:
        hospital = hospital_of(self.db, self.seal, SystemClock())
        return [f"the books: {each}" for each in await hospital.audit()]

    async def _late(self) -> dict[str, list[tuple[int, str, str]]]:
        """Of each conversation the messages that were answered later: number, what became of it, and why."""
        found: defaultdict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for row in await self.db.fetch(_LATE):
            _, account, digest, _, number, _ = row["key"].split(":")
            found[f"{account}:{digest}"].append((int(number), row["state"], row["reason"]))
        return found


def _sorted_out(walk: Walk, rows: Sequence[tuple[int, str, str]], arrived: Sequence[str]) -> list[str]:
    """Give each late answer on the phone to its message: they arrive in the order of their rows."""
    told, wrong = {each.number: each for each in walk.told}, []
    for each in walk.told:
        each.late = []
    states = Counter(state for _, state, _ in rows)
    lost = (
        len(arrived) == states["accepted"]
    )  # what was being sent when the sender was killed has not arrived
    left = list(arrived)
    for number, state, reason in rows:
        if state == "accepted" or (state == "unknown" and not lost):
            told[number].late = [left.pop(0)] if left else []
        elif state == "unknown":
            told[number].perhaps = True
        elif (state, reason) != ("cancelled", "answered"):
            wrong.append(f"{walk.openid}: the late answer to {number} is {state}: {reason}")
    return wrong


@dataclass(frozen=True, slots=True)
class Ground:
    """What a trial stands on."""

    folder: Path
    redis_url: str
    db_url: str
    db: Database


@asynccontextmanager
async def running(ground: Ground, units: int, program: Path = MAIN) -> AsyncIterator[Trial]:
    """Start the city with a clinic of so many numbers; end it all."""
    stores = f'[stores]\nredis_url = "{ground.redis_url}"\ndatabase_url = "{ground.db_url}"\n'
    place = Place(ground.folder, stores)
    opened = listen("127.0.0.1", 0, "trial")  # not the phone's port: that is the second process's health page
    platform = f"http://127.0.0.1:{opened.getsockname()[1]}"
    account = "".join(f'{key} = "{value}"\n' for key, value in _ACCOUNT.items())
    with (ground.folder / "bianmin.toml").open("a") as file:
        file.write(f'[wechat]\napi_base = "{platform}"\n[accounts.city]\n{account}')
    place.data.mkdir(mode=0o700)
    seal = keys.create(place.data / "keys")
    await found_clinic(ground.db, units)
    known = Account(key="city", webhook_url=f"{place.url}/wechat/city", templates=(), **_ACCOUNT)
    runner = await serve(simulator.app.build([known], retry_s=RETRY_S), opened, drain_s=0.5)
    members = Members(place, PROCESSES, program)
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            await until(members.all_ready, "all processes are up", _SETTLED_S)
            yield Trial(members, ground.db, http, platform, seal, slow=program != MAIN)
        assert members.stop() == 0
    finally:
        members.close()
        await runner.cleanup()
