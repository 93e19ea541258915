"""All lanes of one process, and what keeps the outbox in order around them."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Protocol

import structlog

from core.chat.inbox import Inbox
from core.chat.words import Words
from core.clock import Clock
from core.delivery import credit, jobs, outbox, receipts, rows
from core.delivery.caps import Caps
from core.delivery.channels import Channels, Counters
from core.delivery.filling import Filling
from core.delivery.jobs import Audience
from core.delivery.kept import Kept
from core.delivery.kinds import Kinds
from core.delivery.lanes import Lane
from core.delivery.mail import Recipients
from core.delivery.rates import Limits, Rates
from core.delivery.replies import Replies
from core.delivery.sender import Sender
from core.delivery.windows import Windows
from core.delivery.worker import LEASE, LaneWorker, Means
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis

_HELD_AT_ONCE = 100
_HELD_AGAIN_S = 2.0
_POLL_S = {Lane.REPLIES: 0.2, Lane.URGENT: 0.2, Lane.PERSONAL: 0.5, Lane.BULK: 0.5}
_GONE_S = 1.0
_FAILED_MOST_S = 30.0  # between two attempts at what fails again and again
_RELIEF_S = 2.0  # who has just come is seen so soon, and who has just gone
Relieved = Callable[[], Awaitable[bool]]

_log = structlog.get_logger("outbox")


class City(Recipients, Audience, Protocol):
    """Who knows the city's citizens: the way back to each, and who belongs to which audience."""


@dataclass(frozen=True, slots=True)
class Office:
    """Everything sending needs; `limits` are those of the accounts."""

    db: Database
    redis: Redis
    seal: Seal
    clock: Clock
    kinds: Kinds
    words: Words
    inbox: Inbox
    city: City
    sender: Sender
    limits: Limits = field(default_factory=Limits)


class _Duty:
    """Whether others do our work; asked anew every few seconds."""

    def __init__(self, ask: Relieved | None) -> None:
        self._ask = ask
        self._asked_at = float("-inf")
        self._relieved = False

    async def relieved(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self._ask is not None and now - self._asked_at > _RELIEF_S:
            self._asked_at = now
            self._relieved = await self._ask()
        return self._relieved


class Outgoing:
    """The senders of one process; any number of processes share the rows."""

    def __init__(self, office: Office, lanes: Iterable[Lane] = Lane, *, lease: timedelta = LEASE) -> None:
        self._db = office.db
        self._filling = Filling(office.db, office.city)
        self._windows = Windows(office.redis, office.inbox.durations)
        self._kept = Kept(office.db, office.seal, office.words, office.clock)
        self._night, self._contacts = office.kinds.night, office.inbox.contacts
        caps, rates = Caps(office.redis, office.clock), Rates(office.redis, office.limits, office.clock)
        channels = Channels(office.db, office.kinds, Counters(self._windows, caps, rates), office.clock)
        replies = Replies(office.inbox, office.seal)
        means = Means(office.db, office.seal, channels, office.city, office.sender, replies)
        self._lanes = {lane: LaneWorker(means, lane, lease=lease) for lane in lanes}
        self._ending = asyncio.Event()

    async def send_due(self) -> int:
        """Look after the outbox and send everything that is due now; how many requests left us."""
        await self.look_after()
        return sum([await worker.send_due() for worker in self._lanes.values()])

    async def look_after(self, *, relieved: bool = False) -> None:
        """Take over what dead processes held, let go what waited, apply receipts, fill jobs."""
        await self._tend()
        if not relieved:
            await self._go_on_with_jobs()

    async def _tend(self) -> None:
        await rows.recover(self._db)
        await receipts.apply(self._db)
        await credit.settle(self._db)
        await self._reopen()
        await self._kept.let_go(self._windows, self._night, self._contacts.take())

    async def _go_on_with_jobs(self) -> None:
        if Lane.BULK in self._lanes:
            await self._fill()
            await jobs.end(self._db)

    async def run(self, relieved: Relieved | None = None) -> None:
        """Send until `end`; what is under way then is finished and written down.

        While `relieved` says that others do nothing else, only what cannot wait is sent from here.
        """
        duty = _Duty(relieved)

        async def unless_relieved(worker: LaneWorker) -> None:
            if not await duty.relieved():
                await worker.send_due()

        async def go_on_with_jobs() -> None:
            if not await duty.relieved():
                await self._go_on_with_jobs()

        loops = [
            self._again_and_again(
                worker.send_due if lane <= Lane.URGENT else partial(unless_relieved, worker), _POLL_S[lane]
            )
            for lane, worker in self._lanes.items()
        ]
        # A hundred thousand recipients take a while to get their rows: nothing else waits for that.
        cares = [self._again_and_again(each, 1.0) for each in (self._tend, go_on_with_jobs)]
        await asyncio.gather(*loops, *cares)

    def end(self) -> None:
        """Begin no further request."""
        self._ending.set()
        for worker in self._lanes.values():
            worker.end()

    async def _fill(self) -> None:
        """Give every recipient of the jobs a row: whoever sends is not to wait for rows."""
        while await self._filling.fill() and not self._ending.is_set():
            pass

    async def _reopen(self) -> None:
        """Let late replies go that waited for a sign of life."""
        waiting = await outbox.held(self._db, _HELD_AT_ONCE, _HELD_AGAIN_S)
        if waiting and (open_ones := await self._windows.open_ones(waiting)):
            await outbox.release(self._db, open_ones)

    async def _again_and_again(self, job: Callable[[], Awaitable[object]], pause_s: float) -> None:
        """Do a job until the end; whatever goes wrong with it is told, ends no other, and is tried again."""
        failed_s = _GONE_S
        while not self._ending.is_set():
            try:
                await job()
                wait_s, failed_s = pause_s * random.uniform(0.75, 1.25), _GONE_S
            except StoreGoneError as gone:
                _log.warning("outbox_waits", store=gone.store)
                wait_s = _GONE_S
            except Exception:  # noqa: BLE001 - a mistake of ours with one message or job is not the end of all
                wait_s, failed_s = failed_s, min(2 * failed_s, _FAILED_MOST_S)
                _log.exception("outbox_failed", again_in_s=wait_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), wait_s)
