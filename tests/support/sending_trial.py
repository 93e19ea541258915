"""The kill trial of the outbox: workers killed at random, faults at the platform, and what must hold."""

import asyncio
import itertools
import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

import simulator.app
from commands.cards import cards_of
from core.chat.durations import Durations
from core.chat.inbox import Inbox, Run, Who, Window
from core.chat.replies import Said
from core.chat.words import Words
from core.clock import SystemClock
from core.delivery import guards, jobs
from core.delivery.jobs import Draft
from core.delivery.kinds import Kinds
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.notices import Notice, Notices
from core.delivery.owed import Owed
from core.delivery.standing import doubts
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import FOLLOWERS, Citizens
from simulator.accounts import Account
from simulator.faults import Fault
from simulator.people import Phone, Standing
from simulator.wechat import Rules, WeChat
from simulator.windows import Limits, Trigger
from tests.support.sending_worker import CITY, NOTICES, ROOT, ring
from tests.support.waiting import until

PHONES = 40
WORKERS = 2
_PROGRAM = ROOT / "tests/support/sending_worker.py"
_CALLS = ("message/custom/send", "message/template/send")
_NUMBER = re.compile(r"\d{4,}")
_FIRST = 1000  # messages carry numbers of four digits, by which they are known on the phones
_ENDED = ("accepted", "delivered", "failed", "unknown", "expired", "cancelled", "read")
_UNSENT = ("failed", "expired", "cancelled")
_PATIENCE_S = 90.0
_PERHAPS = {"cut": "after", "errcode": -1}


def platform(port_of_nobody: int) -> tuple[WeChat, web.Application]:
    """WeChat, whose windows take any number, and whose receipts go nowhere."""
    kinds = Kinds(NOTICES, Words(ROOT / "templates"))
    account = Account(
        key="city",
        name="城市",
        original_id="gh_trial",
        appid=CITY.appid,
        secret=CITY.secret,
        token="trial",
        aes_key="",
        mode="plain",
        webhook_url=f"http://127.0.0.1:{port_of_nobody}/",
        templates=cards_of(kinds, "city"),
    )
    rules = Rules(limits=Limits(per_message=10_000), receipt_s=3600.0)
    app = simulator.app.build([account], rules=rules)
    return app[simulator.app.WECHAT], app


@dataclass
class Worker:
    """One process, and the holders of its lanes."""

    process: "subprocess.Popen[str]"
    holders: list[str]


@dataclass
class Trial:
    """Queues messages, kills workers among them, and judges."""

    redis: Redis
    db: Database
    stores: tuple[str, str]
    wechat: WeChat
    wechat_url: str
    chance: random.Random
    mistake: str = ""
    workers: list[Worker] = field(default_factory=list)
    in_flight: int = 0  # under way in workers when they were killed
    perhaps: int = 0  # calls after which nobody could know whether they had been heard
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_FIRST))

    def __post_init__(self) -> None:
        self._seal = ring()
        self._kinds = Kinds(NOTICES, Words(ROOT / "templates"))
        self._notices = Notices(
            self._kinds, Words(ROOT / "templates"), self._seal, SystemClock(), "http://city.example"
        )
        self._inbox = Inbox(self.redis, Durations(flood=0), window_sends=10_000)
        self._owed = Owed(self.db, self._seal)
        self._openids = [f"o-trial-{number:03}" for number in range(PHONES)]
        self._there = [self._seal.conversation("city", openid) for openid in self._openids]

    async def settle(self) -> None:
        """Everybody follows; every other citizen has just written."""
        citizens, now = Citizens(self.db, self._seal), SystemClock().now().timestamp()
        for place, (openid, where) in enumerate(zip(self._openids, self._there, strict=True)):
            await citizens.arrive(where, "city", openid)
            phone = self.wechat.people.meet("city", openid, Standing.FOLLOWER)
            if place % 2:
                phone.windows.opened(Trigger.MESSAGE, now, Limits(per_message=10_000))
                run = await self._inbox.enter(f"{where}:1{place:031x}", Who.NEW, Window.MESSAGE)
                assert isinstance(run, Run)
                await self._inbox.commit(run, b"session", b"reply")

    def arm(self) -> None:
        """What goes wrong at the platform, with the chance of the trial."""
        for call in _CALLS:
            for given in ({"errcode": -1}, {"cut": "after"}, {"cut": "before"}):
                seed = self.chance.randrange(2**31)
                self.wechat.faults.add(Fault(call=call, probability=0.02, seed=seed, **given))
        # More often than once in half a minute, and WeChat gives no other token for a while.
        self.wechat.faults.add(Fault(call=_CALLS[0], errcode=40001, times=1))
        for call in _CALLS:
            self.wechat.faults.add(Fault(call=call, latency_s=0.03))

    async def start(self) -> None:
        """One more worker."""
        process = await asyncio.to_thread(self._spawn)
        line = await asyncio.to_thread(process.stdout.readline)  # type: ignore[union-attr]
        self.workers.append(Worker(process, json.loads(line)))

    def _spawn(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(_PROGRAM), *self.stores, self.wechat_url, self.mistake],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    async def queue_some(self, count: int) -> None:
        """Messages of every lane; some hang on an object that changes at once."""
        for _ in range(count):
            kind = self.chance.choice(("urgent", "personal", "personal", "late"))
            place = self.chance.randrange(PHONES)
            number, where = next(self._numbers), self._there[place]
            if kind == "late":
                place |= 1
                said = Said(type="text", at=0, text=f"回答 {number}")
                await self._owed.send_later(f"{self._there[place]}:{number:032x}", said, 0)
                continue
            notice = Notice(kind, f"n{number}", where, {"count": number}, guards=(f"object:{number}",))
            async with self.db.transaction() as tx:
                await self._notices.queue(tx, notice)
        if self.chance.random() < 0.5:
            async with self.db.transaction() as tx:
                await guards.bump(tx, f"object:{self.chance.randrange(_FIRST, next(self._numbers))}")

    async def announce(self) -> None:
        """A notice to everybody."""
        number, kind = next(self._numbers), self._kinds["bulk"]
        at = SystemClock().now()
        until_ = at + timedelta(hours=1)
        notice = Notice("bulk", f"n{number}", "city:", {"count": number})
        letter = self._notices.letter(kind, notice, until_, at)
        draft = Draft(f"bulk:n{number}:0", "bulk", "city", FOLLOWERS, letter, at, until_, "trial")
        async with self.db.transaction() as tx:
            await jobs.make(tx, self._seal, draft)

    async def kill_some(self, kills: int) -> None:
        """Kill so often, each time after some more messages have reached phones; a dead one is followed."""
        for number in range(kills):
            await self.queue_some(12)
            if number % 4 == 0:
                await self.announce()
            goal = self._received() + self.chance.randrange(1, 12)
            await until(lambda goal=goal: self._received() >= goal, "messages arrive", _PATIENCE_S)  # type: ignore[misc]
            victim = self.workers.pop(self.chance.randrange(len(self.workers)))
            victim.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(victim.process.wait)
            held = await self.db.fetchval(
                """
                SELECT count(*) FROM outbox
                WHERE holder = ANY($1) AND state = 'sending' AND attempted_at IS NOT NULL
                """,
                victim.holders,
            )
            assert held <= SUB_BATCH * len(Lane), "a process has at most so many under way"
            self.in_flight += held
            await self.start()

    async def end(self) -> None:
        """Let the platform be well again, and wait until every row has come to its end."""
        perhaps = sum(
            fault["struck"]
            for fault in self.wechat.faults.as_json()
            if any(fault.get(key) == value for key, value in _PERHAPS.items())
        )
        self.perhaps = perhaps
        self.wechat.faults.clear()
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while open_ones := await self.db.fetch(
            "SELECT id, state, hold, reason, channel FROM outbox WHERE state <> ALL($1) LIMIT 5", _ENDED
        ):
            assert asyncio.get_running_loop().time() < deadline, f"not every row is terminal: {open_ones}"
            await asyncio.sleep(0.1)
        for worker in self.workers:
            worker.process.kill()
            await asyncio.to_thread(worker.process.wait)

    async def judge(self) -> None:
        """Everything the outbox promises, in its own words where one is broken."""
        rows = await self.db.fetch("SELECT id, key, conversation, state, job FROM outbox")
        shown = {where: self._shown(phone) for where, phone in self._phones()}
        wrong: list[str] = []
        for row in rows:
            number = int(_NUMBER.search(_marked(row["key"])).group())  # type: ignore[union-attr]
            times = shown[row["conversation"]][number]
            if times > 1:
                wrong.append(f"shown {times} times: {row['key']} ({row['state']})")
            if times and row["state"] in _UNSENT:
                wrong.append(f"received and booked as {row['state']}: {row['key']}")
            if not times and row["state"] in {"accepted", "delivered", "read"}:
                wrong.append(f"booked as {row['state']} and not received: {row['key']}")
        unknown = sum(row["state"] == "unknown" for row in rows)
        if unknown > self.in_flight + self.perhaps:
            wrong.append(f"{unknown} unknown, with {self.in_flight} in flight and {self.perhaps} injected")
        if len(await doubts(self.db, None, len(rows))) != unknown:
            wrong.append("what is unknown is not all listed for the operator")
        assert not wrong, "\n".join(wrong)

    def stop(self) -> None:
        for worker in self.workers:
            worker.process.kill()

    def _phones(self) -> list[tuple[str, Phone]]:
        found = []
        for openid, where in zip(self._openids, self._there, strict=True):
            phone = self.wechat.people.find("city", openid)
            assert phone is not None
            found.append((where, phone))
        return found

    def _received(self) -> int:
        return sum(len(phone.entries) for _, phone in self._phones())

    def _shown(self, phone: Phone) -> Counter[int]:
        """How often each number stands on a phone."""
        texts = (json.dumps(entry.as_json(), ensure_ascii=False) for entry in phone.entries)
        return Counter(int(found) for text in texts for found in _numbers_in(text))


def _numbers_in(text: str) -> set[str]:
    words = json.loads(text)
    said = json.dumps([words.get("content"), words.get("rows"), words.get("fields")], ensure_ascii=False)
    return set(re.findall(r"(?<!\d)\d{4}(?!\d)", said))


def _marked(key: str) -> str:
    """The number in a key: `urgent:n1234:0:…`, `late:city:…:<32 hex digits of 1234>`."""
    if key.startswith("late:"):
        return f"{int(key.rpartition(':')[2], 16)}"
    return key.split(":")[1]
