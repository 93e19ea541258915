"""From event to reply: order per conversation, one run, one stored reply for every attempt."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog

from core.chat.events import Event, Kind
from core.chat.inbox import Done, Entered, Flood, Full, Inbox, Passed, Run, Wait
from core.chat.replies import Said, Text
from core.chat.runs import trouble_number
from core.chat.sessions import Session, SessionUnreadableError, pack, unpack
from core.chat.speech import say
from core.chat.turns import Turns
from core.chat.words import Words
from core.clock import Clock
from core.errors import StoreGoneError
from core.seal import Seal, SealBrokenError

_log = structlog.get_logger("dispatcher")
# Nobody writes these and nobody reads an answer to them: no order, no session.
_UNANSWERED = frozenset(
    (
        Kind.WHEREABOUTS,
        Kind.VIEW,
        Kind.VIEW_MINIPROGRAM,
        Kind.TEMPLATE_RECEIPT,
        Kind.MASS_RECEIPT,
        Kind.SUBSCRIPTION_RECEIPT,
    )
)
_REFUSED = {Full: "chat/too_many", Flood: "chat/flood", Passed: "chat/passed_over"}
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Said).decode


@dataclass(slots=True)
class _UnderWay:
    """A run, its task, and since when (the loop's time); `overdue` once it was told to end."""

    run: Run
    task: asyncio.Task[Said | None]
    since: float
    overdue: bool = False


class Dispatcher:
    """Receives events from any door, any number at once."""

    def __init__(self, inbox: Inbox, turns: Turns, words: Words, seal: Seal, clock: Clock) -> None:
        self._inbox = inbox
        self._turns = turns
        self._words = words
        self._seal = seal
        self._clock = clock
        self._running: dict[str, _UnderWay] = {}
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._renewing: asyncio.Task[None] | None = None

    async def receive(self, event: Event, arrived: float) -> Said | None:
        """Answer one attempt of one message; None means "nothing to say" (`success`).

        `arrived` is the loop's time at the attempt's first byte. An attempt that finds its message running
        waits for the same reply. `StoreGoneError`: nothing was done, WeChat may try again.
        """
        if event.kind in _UNANSWERED:
            return None
        until = arrived + self._inbox.durations.attempt * 1.1  # WeChat has hung up by then
        again = False
        while True:
            entered = await self._inbox.enter(event.id, again=again)
            if isinstance(entered, Run):
                if (said := await self._start(event, entered)) is not None:
                    return said
                again = True  # stale: somebody else runs it now, and everybody gets that reply
                continue
            if isinstance(entered, Done):
                return self._stored(event.id, entered.reply)
            if not isinstance(entered, Wait):
                return self._refused(entered)
            if not await self._turn_of(event.conversation, until):
                return None
            again = True

    async def drain(self) -> None:
        """Wait until every run under way is finished."""
        while self._running:
            await asyncio.wait([each.task for each in self._running.values()])
        if self._renewing is not None:
            self._renewing.cancel()

    def _start(self, event: Event, run: Run) -> asyncio.Future[Said | None]:
        """Run in a task of its own; it goes on when the attempt that waits for its outcome is dropped."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Said | None] = loop.create_future()
        task = loop.create_task(self._run(event, run))
        self._running[event.id] = _UnderWay(run, task, loop.time())
        task.add_done_callback(partial(self._finished, event, outcome))
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())
        return outcome

    def _finished(
        self, event: Event, outcome: asyncio.Future[Said | None], task: asyncio.Task[Said | None]
    ) -> None:
        current = self._running.get(event.id)
        if current is not None and current.task is task:
            del self._running[event.id]
        if self._waiting:
            for waiting in self._waiting.pop(event.conversation, ()):
                if not waiting.done():
                    waiting.set_result(None)
        if task.cancelled():
            outcome.cancel()
        elif (failed := task.exception()) is not None:
            _log.warning("run_failed", event_id=event.id, error=type(failed).__name__)
            if not outcome.done():
                outcome.set_exception(failed)
        elif not outcome.done():
            outcome.set_result(task.result())

    async def _run(self, event: Event, run: Run) -> Said | None:
        """Run one message; None if the run had gone stale and its result was discarded."""
        conversation = event.conversation
        session = self._session(conversation, run)
        sealed: bytes | None = None
        try:
            said = await self._turns.take(event, session, shown=run.shown)
            sealed = pack(session, self._seal, conversation)
        except StoreGoneError:
            await self._inbox.release(run)
            raise
        except asyncio.CancelledError:
            under_way = self._running.get(event.id)
            if under_way is None or not under_way.overdue:
                raise
            under_way.task.uncancel()
            said = self._trouble(event, "handler_too_slow")
        except Exception:  # noqa: BLE001 - whatever a handler does wrong, the citizen gets a sentence and a number
            said = self._trouble(event, "handler_failed")
        reply = self._seal.seal(_encode(said), f"reply:{event.id}")
        # Only a text repeats the open question; whatever else is sent shows nothing new of it.
        if await self._inbox.commit(run, sealed, reply, asks=said.type == "text"):
            return said
        _log.warning("stale_run_discarded", event_id=event.id, fence=run.fence)
        return None

    def _trouble(self, event: Event, what: str) -> Said:
        """Log what a handler did wrong, under a number, and tell the citizen the number."""
        number = trouble_number()
        _log.error(what, event_id=event.id, number=number, exc_info=True)
        return self._say(Text("chat/trouble", number=number))

    def _session(self, conversation: str, run: Run) -> Session:
        try:
            return unpack(run.session, self._seal, conversation)
        except SessionUnreadableError:
            _log.warning("session_unreadable", event_id=run.event_id)
            return Session()

    def _stored(self, event_id: str, sealed: bytes | None) -> Said | None:
        if sealed is None:
            return None
        try:
            return _decode(self._seal.open(sealed, f"reply:{event_id}"))
        except (SealBrokenError, msgspec.DecodeError):
            _log.warning("reply_unreadable", event_id=event_id)
            return None

    def _refused(self, entered: Entered) -> Said | None:
        """What is said to a message that never runs; in a flood only the first one hears anything."""
        template = _REFUSED.get(type(entered))
        return self._say(Text(template)) if template is not None else None

    def _say(self, reply: Text) -> Said:
        return say(reply, self._words, int(self._clock.timestamp()))

    async def _turn_of(self, conversation: str, until: float) -> bool:
        """Wait until a run of this conversation ends here or may have elsewhere; False when too late."""
        loop = asyncio.get_running_loop()
        left = until - loop.time()
        if left <= 0:
            return False
        woken: asyncio.Future[None] = loop.create_future()
        self._waiting[conversation].add(woken)
        poll = self._inbox.durations.poll * random.uniform(0.75, 1.25)
        await asyncio.wait([woken], timeout=min(left, poll))
        waiting = self._waiting.get(conversation)
        if waiting is not None:
            waiting.discard(woken)
            if not waiting:
                del self._waiting[conversation]
        return True

    async def _renew(self) -> None:
        """Renew the leases of all runs under way, together; end those that nobody can wait for any more."""
        durations, loop = self._inbox.durations, asyncio.get_running_loop()
        while self._running:
            await asyncio.sleep(durations.renewal)
            for each in self._running.values():
                if not each.overdue and loop.time() - each.since > durations.run:
                    each.overdue = True
                    each.task.cancel()
            runs = [each.run for each in self._running.values()]
            for outcome in await asyncio.gather(*map(self._inbox.renew, runs), return_exceptions=True):
                if isinstance(outcome, Exception):
                    _log.warning("lease_not_renewed", error=type(outcome).__name__)
