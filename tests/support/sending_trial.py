"""The kill trial of the outbox: workers killed and stopped at random, and what goes wrong at the platform."""

import asyncio
import itertools
import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
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
from core.delivery import guards, jobs, receipts
from core.delivery.jobs import Draft, NoSuchJob
from core.delivery.kinds import Kinds
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.notices import Notice, Notices
from core.delivery.owed import Owed
from core.delivery.standing import doubts
from core.errors import StoreGoneError
from core.stores.database import Database, Transaction
from core.stores.redis import Redis
from services.citizens.service import FOLLOWERS, Citizens
from simulator.accounts import Account
from simulator.faults import Fault
from simulator.people import Phone, Standing
from simulator.wechat import Rules, WeChat
from simulator.windows import Limits, Trigger
from tests.support import sending_credits, sending_judge
from tests.support.sending_credits import FIRST, Purses
from tests.support.sending_judge import Doubt
from tests.support.sending_worker import CITY, LEASE, NOTICES, ROOT, TIMEOUT_S, ring
from tests.support.waiting import until

PHONES = 40
WORKERS = 2
_PROGRAM = ROOT / "tests/support/sending_worker.py"
_CUSTOM, _TEMPLATE, _SUBSCRIBE = "message/custom/send", "message/template/send", "message/subscribe/bizsend"
_NUMBER = re.compile(r"\d{4,}")
_FIRST = 1000  # messages carry numbers of four digits, by which they are known on the phones
_PATIENCE_S = 90.0
_LOOKED_AFTER_S = 3.0  # credits are, each second
_SLOW_S = 1.5 * TIMEOUT_S
_PERHAPS = {"cut": "after", "errcode": -1, "latency_s": _SLOW_S}
_UNDER_WAY = """
    SELECT count(*) FROM outbox
    WHERE holder = ANY($1) AND state = 'sending' AND attempted_at IS NOT NULL
      AND lease_until < now() + $2::interval  -- not what only waits for its receipt
"""
_CREDIT_UNDER_WAY = """
    SELECT holder FROM outbox
    WHERE state = 'sending' AND channel = 'subscription' AND attempted_at IS NOT NULL AND NOT perhaps
"""
# It reaches no phone any more.
_AWAITS_RECEIPT = (
    "state = 'sending' AND channel = 'subscription' AND lease_until > now() + interval '1 minute'"
)
_LEFT = """
    SELECT id, state, hold, reason, channel FROM outbox
    WHERE settled_at IS NULL AND (job IS NULL OR job IN (SELECT id FROM jobs WHERE state = 'running'))
    UNION ALL SELECT id, state, '', 'not filled', '' FROM jobs WHERE state = 'running' AND filled_at IS NULL
    LIMIT 5
"""
_ON_ITS_WAY = _LEFT.replace("settled_at IS NULL", f"settled_at IS NULL AND NOT ({_AWAITS_RECEIPT})")


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
    in_flight: int = 0  # under way in workers when they were killed or stopped
    injected: int = 0  # calls after which nobody could know whether they had been heard
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_FIRST))
    _asleep: dict["asyncio.Task[None]", Worker] = field(default_factory=dict)
    _job: int | None = None
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._seal = ring()
        self._kinds = Kinds(NOTICES, Words(ROOT / "templates"))
        self._notices = Notices(
            self._kinds, Words(ROOT / "templates"), self._seal, SystemClock(), "http://city.example"
        )
        self._inbox = Inbox(self.redis, Durations(flood=0), window_sends=10_000)
        self._owed = Owed(self.db, self._seal)
        self._purses = Purses(self.db)
        self._openids = [f"o-trial-{number:03}" for number in range(PHONES)]
        self._there = [self._seal.conversation("city", openid) for openid in self._openids]

    async def settle(self) -> None:
        """Everybody follows; every other citizen has just written, most have credits."""
        citizens, now = Citizens(self.db, self._seal), SystemClock().now()
        for place, (openid, where) in enumerate(zip(self._openids, self._there, strict=True)):
            await citizens.arrive(where, "city", openid)
            phone = self.wechat.people.meet("city", openid, Standing.FOLLOWER)
            if place % 2:
                phone.windows.opened(Trigger.MESSAGE, now.timestamp(), Limits(per_message=10_000))
                run = await self._inbox.enter(f"{where}:1{place:031x}", Who.NEW, Window.MESSAGE)
                assert isinstance(run, Run)
                await self._inbox.commit(run, b"session", b"reply")
            if place % 8:
                await self._purses.allow(where, phone, FIRST)

    def arm(self, chance: float) -> None:
        """What goes wrong at the platform: with this chance at each call, and a few things for certain."""
        faults = self.wechat.faults
        for call in (_CUSTOM, _TEMPLATE, _SUBSCRIBE):
            for given in ({"errcode": -1}, {"cut": "after"}, {"cut": "before"}, {"latency_s": _SLOW_S}):
                seed = self.chance.randrange(2**31)
                faults.add(Fault(call=call, probability=chance, seed=seed, **given))
            faults.add(Fault(call=call, errcode=45011, times=1))
        # More often than once in half a minute, and WeChat gives no other token for a while.
        faults.add(Fault(call=_CUSTOM, errcode=40001, times=1))
        faults.add(Fault(call=_TEMPLATE, errcode=45009, times=1))
        for call in (
            _CUSTOM,
            _TEMPLATE,
            _SUBSCRIBE,
        ):  # where a mistake is to be seen, kills meet more requests
            faults.add(Fault(call=call, latency_s=0.15 if self.mistake else 0.03))

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
            kind = self.chance.choice(("urgent", "again", "personal", "personal", "personal", "late"))
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
        where, phone = self.chance.choice(self._phones())
        await self._purses.allow(where, phone)
        if self.chance.random() < 0.5:
            changed = f"object:{self.chance.randrange(_FIRST, next(self._numbers))}"
            await self._patiently(lambda tx: guards.bump(tx, changed))

    async def announce(self) -> None:
        """A notice to everybody."""
        number, kind = next(self._numbers), self._kinds["bulk"]
        at = SystemClock().now()
        until_ = at + timedelta(hours=1)
        notice = Notice("bulk", f"n{number}", "city:", {"count": number})
        letter = self._notices.letter(kind, notice, until_, at)
        draft = Draft(f"bulk:n{number}:0", "bulk", "city", FOLLOWERS, letter, at, until_, "trial")
        async with self.db.transaction() as tx:
            self._job = await jobs.make(tx, self._seal, draft)

    async def kill_some(self, kills: int) -> None:
        """Kill so often, each time after some more messages have reached phones; a dead one is followed."""
        for number in range(kills):
            await self.queue_some(12)
            if number % 4 == 0:
                await self.announce()
            elif self._job is not None:
                change = (jobs.stop, jobs.go_on, jobs.go_on)[number % 4 - 1]
                with suppress(NoSuchJob, StoreGoneError):  # it is through; or who fills it is stopped
                    await change(self.db, self._job, "trial")
            await self._some_arrive(self.chance.randrange(1, 12))
            await self._tell_receipts()
            victim = await self._victim()
            self.workers.remove(victim)
            if number % 6 == 2:
                await self._stop_for_a_while(victim)
            else:
                victim.process.send_signal(signal.SIGKILL)
                await asyncio.to_thread(victim.process.wait)
                self.in_flight += await self._under_way(victim)
            await self.start()

    async def _victim(self) -> Worker:
        """Any of them; where a credit is to be lost, one that has a subscription notice on its way."""
        asked_until = asyncio.get_running_loop().time() + 5
        while self.mistake == "forgets credits" and asyncio.get_running_loop().time() < asked_until:
            holders = await self.db.fetch(_CREDIT_UNDER_WAY)
            for worker in self.workers:
                if {row["holder"] for row in holders} & set(worker.holders):
                    return worker
            await asyncio.sleep(0.01)
        return self.chance.choice(self.workers)

    async def end(self) -> None:
        """Let the platform be well again, and wait until every row has come to its end."""
        self.injected = sum(
            fault["struck"]
            for fault in self.wechat.faults.as_json()
            if any(fault.get(key) == value for key, value in _PERHAPS.items())
        )
        self.wechat.faults.clear()
        if self._job is not None:
            with suppress(NoSuchJob):
                await jobs.go_on(self.db, self._job, "trial")
        await asyncio.gather(*self._asleep)
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while left := await self.db.fetch(_LEFT):
            assert asyncio.get_running_loop().time() < deadline, f"not every row is terminal: {left}"
            await self._wait_no_longer_for_receipts()
            await asyncio.sleep(0.1)
        with suppress(AssertionError):  # the judge says so
            await until(self._purses.settled, "credits are looked after", _LOOKED_AFTER_S)
        self.stop()

    async def judge(self) -> None:
        """Say everything that is wrong."""
        rows = await self.db.fetch("SELECT key, conversation, state, repeatable, channel FROM outbox")
        shown = {where: _shown(phone) for where, phone in self._phones()}
        fates = []
        for row in rows:
            once, again = (each[_number_in(row["key"])] for each in shown[row["conversation"]])
            turn = row["conversation"] if row["channel"] == "subscription" else ""
            fates.append(sending_judge.Fate(row["key"], row["state"], once, again, row["repeatable"], turn))
        listed = len(await doubts(self.db, None, len(rows)))
        wrong = sending_judge.complaints(fates, Doubt(self.in_flight, self.injected, listed))
        wrong += sending_credits.complaints(await self._purses.all(self._phones()))
        assert not wrong, "\n".join(wrong)

    def stop(self) -> None:
        for worker in (*self.workers, *self._asleep.values()):
            worker.process.kill()
            worker.process.wait()

    async def _some_arrive(self, count: int) -> None:
        """Wait until so many more messages are on phones, or all that can be."""
        goal, deadline = self._received() + count, asyncio.get_running_loop().time() + _PATIENCE_S
        while self._received() < goal and (left := await self.db.fetch(_ON_ITS_WAY)):
            assert asyncio.get_running_loop().time() < deadline, f"nothing arrives: {left}"
            await asyncio.sleep(0.02)

    async def _tell_receipts(self) -> None:
        """WeChat says of most template messages that they arrived, sometimes before we know their ids.

        Of subscription notices it says so of all: their receipts have no ids of ours, and go by turns.
        """
        await self._purses.tell(self._phones())
        fates = []
        for where, phone in self._phones():
            for id_ in (entry.content.msgid for entry in phone.entries):
                if id_ and id_ not in self._told:
                    self._told.add(id_)
                    fates.append(receipts.Fate(f"r{id_}", 0, where, "", id_, "", SystemClock().now()))
        await receipts.note(self.db, [fate for fate in fates if self.chance.random() < 0.7])

    async def _wait_no_longer_for_receipts(self) -> None:
        """Minutes pass for subscription notices of unknown fate."""
        over = f"UPDATE outbox SET lease_until = now() WHERE {_AWAITS_RECEIPT}"  # noqa: S608 - ours
        await self.db.execute(over)

    async def _stop_for_a_while(self, worker: Worker) -> None:
        """Suspend a worker until others have taken over what it had in hand."""
        worker.process.send_signal(signal.SIGSTOP)
        self.in_flight += await self._under_way(worker)
        self._asleep[asyncio.ensure_future(self._wake(worker))] = worker

    async def _wake(self, worker: Worker) -> None:
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while await self.db.fetchval(
            f"{_UNDER_WAY} AND lease_until > now() - interval '2 s'", worker.holders, LEASE
        ):
            assert asyncio.get_running_loop().time() < deadline, "nobody takes over what it had in hand"
            await asyncio.sleep(0.1)
        worker.process.send_signal(signal.SIGCONT)

    async def _under_way(self, worker: Worker) -> int:
        count = int(await self.db.fetchval(_UNDER_WAY, worker.holders, 2 * LEASE))
        assert count <= SUB_BATCH * len(Lane), "a process has at most so many under way"
        return count

    async def _patiently(self, change: Callable[[Transaction], Awaitable[object]]) -> None:
        """Change something; a stopped worker may hold it up for some seconds."""
        for _ in range(5):
            with suppress(StoreGoneError):
                async with self.db.transaction() as tx:
                    await change(tx)
                return
        raise AssertionError("somebody holds it up for ever")

    def _phones(self) -> list[tuple[str, Phone]]:
        found = []
        for openid, where in zip(self._openids, self._there, strict=True):
            phone = self.wechat.people.find("city", openid)
            assert phone is not None
            found.append((where, phone))
        return found

    def _received(self) -> int:
        return sum(len(phone.entries) for _, phone in self._phones())


def _shown(phone: Phone) -> tuple[Counter[int], Counter[int]]:
    """How often each number stands on a phone: as it is, and marked as said again."""
    once: Counter[int] = Counter()
    again: Counter[int] = Counter()
    for entry in phone.entries:
        said = entry.as_json()
        words = json.dumps([said.get("content"), said.get("fields")], ensure_ascii=False)
        counter = again if "（重发）" in words else once
        counter.update(int(found) for found in set(re.findall(r"(?<!\d)\d{4}(?!\d)", words)))
    return once, again


def _number_in(key: str) -> int:
    """The number in a key: `urgent:n1234:0:…`, `late:city:…:<32 hex digits of 1234>`."""
    if key.startswith("late:"):
        return int(key.rpartition(":")[2], 16)
    found = _NUMBER.search(key.split(":")[1])
    assert found is not None, key
    return int(found.group())
