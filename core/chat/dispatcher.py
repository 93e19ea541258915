"""From event to reply: order per conversation, one run, one stored reply for every attempt."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from core.chat.attempts import Attempt
from core.chat.deadlines import Deadlines
from core.chat.events import Event, Kind
from core.chat.inbox import (
    Done,
    Entered,
    Flood,
    Full,
    Gone,
    Hushed,
    Inbox,
    Over,
    Passed,
    Run,
    Wait,
    Who,
    Window,
)
from core.chat.promises import Ears, Promises
from core.chat.replies import Said, Text
from core.chat.running import LookAgainError, OverdueError, Running
from core.chat.runs import trouble_number
from core.chat.sessions import Session, pack, unpack
from core.chat.speech import say
from core.chat.turns import Turns
from core.clock import Clock
from core.errors import NotInTimeError, StoreGoneError
from core.packing import Packing, UnreadableError
from core.seal import Seal

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
        Kind.SUBSCRIPTION_POPUP,
        Kind.SUBSCRIPTION_CHANGE,
    )
)
_TAPS = (Kind.CLICK, Kind.SCANCODE_PUSH, Kind.SCANCODE_WAITMSG, Kind.SUBSCRIBE, Kind.SCAN)
_WRITTEN = (
    Kind.TEXT,
    Kind.VOICE,
    Kind.IMAGE,
    Kind.VIDEO,
    Kind.SHORTVIDEO,
    Kind.LOCATION,
    Kind.LINK,
    Kind.FILE,
    Kind.MINIPROGRAM,
)
_OPENS = dict.fromkeys(_WRITTEN, Window.MESSAGE) | dict.fromkeys(_TAPS, Window.TAP)
_REFUSED = {Full: "chat/too_many", Flood: "chat/flood", Passed: "chat/passed_over"}
_replies = Packing(Said, "reply")


class Dispatcher:
    """Receives events from any door, any number at once."""

    def __init__(
        self,
        inbox: Inbox,
        turns: Turns,
        seal: Seal,
        clock: Clock,
        promises: Promises,
        *,
        ears: Ears | None = None,
    ) -> None:
        self._ears = ears
        self._inbox = inbox
        self._turns = turns
        self._seal = seal
        self._clock = clock
        self._promises = promises
        self._durations = inbox.durations
        self._running = Running(inbox, self._run)
        self._deadlines = Deadlines(inbox.durations.deadline)
        self._apart: set[asyncio.Task[None]] = set()

    async def receive(self, event: Event, arrived: float) -> Said | None:
        """Answer one attempt of one message; None means "nothing to say" (`success`).

        `arrived` is the loop's time at the attempt's first byte. An attempt that finds its message running
        waits for the same reply; danger to life waits for nothing. `StoreGoneError`, `NotInTimeError`: WeChat
        shall try again. Cancelled: it hung up; the run goes on, and its reply goes another way if no other
        attempt comes for it.
        """
        if event.kind in _UNANSWERED:
            await self._hear(event)
            return None
        attempt = Attempt(event, arrived, self._durations, self._clock)
        entering = self._inbox.enter(event.id, Who.NEW, _OPENS.get(event.kind, Window.NONE))
        try:
            while True:
                try:
                    entered = await entering
                    if isinstance(entered, Run):
                        attempt.is_numbered(entered.seen, entered.age_ms)
                        return await self._deadlines.watch(self._running.start(event, entered), arrived)
                    if not (isinstance(entered, Wait) and self._turns.alarm(event) is None):
                        return self._answer(event, entered)
                    attempt.is_numbered(entered.seen, entered.age_ms)
                    await self._running.end_of(event.conversation, attempt.limit)
                except LookAgainError:
                    pass
                except (OverdueError, StoreGoneError) as trouble:
                    if not await self._goes_on(attempt, trouble):
                        return attempt.said
                entering = self._enter_again(attempt)
        except (asyncio.CancelledError, NotInTimeError):
            if attempt.number:
                self._do_apart(partial(self._left, event, attempt.number))
            raise

    async def _hear(self, event: Event) -> None:
        """Note what the platform says of our own messages; WeChat says it again if that fails."""
        if self._ears is not None:
            await self._ears.hear(event)

    def give_up(self, event: Event, arrived: float, gone: StoreGoneError) -> Said:
        """Answer the last attempt of a message that nothing can be done for (others: `NotInTimeError`).

        Danger to life is answered on every attempt.
        """
        if (alarm := self._turns.alarm(event)) is not None:
            return alarm
        return self._given_up(Attempt(event, arrived, self._durations, self._clock), gone)

    async def look_after(self, event: Event) -> None:
        """Settle a message that is owed an answer: send what there is, run it if its run is dead."""
        entered = await self._inbox.enter(event.id, Who.SWEEP)
        match entered:
            case Run():
                # Nobody waits for the outcome: the commit finds that, and sends the reply.
                self._running.start(event, entered).add_done_callback(_seen)
            case Wait():
                return  # its run, or an earlier message's, goes on
            case Over(way="passive") | Passed(way="passive") | Full() | Flood() | Hushed():
                await self._promises.settle(event.id)
            case Over(reply=bytes(sealed), live=live, age_ms=age_ms, way=way):
                if way or not live:
                    rest = 0.0 if way else max(0.0, self._durations.passing - age_ms / 1000)
                    await self._send_later(event.id, self._stored(event.id, sealed), rest)
            case Over() | Passed() | Gone() | Done():
                _log.warning("owed_message_lost", event_id=event.id, found=type(entered).__name__)
                alarm = self._turns.alarm(event)
                await self._send_later(event.id, alarm or self._say("chat/passed_over"), 0.0)

    async def drain(self) -> None:
        """Wait until every run under way is finished, and what follows from them is written down."""
        await self._running.drain()
        while self._apart:
            await asyncio.wait(self._apart)

    # --- one run ---

    async def _run(self, event: Event, run: Run) -> Said:
        """Run one message; `LookAgainError` if its reply is not simply what waiting attempts answer with."""
        conversation = event.conversation
        session = self._session(conversation, run)
        sealed: bytes | None = None
        try:
            said = await self._turns.take(event, session, shown=run.shown)
            sealed = pack(session, self._seal, conversation)
        except StoreGoneError:
            await self._inbox.release(run, self._durations.retry)
            raise
        except asyncio.CancelledError:
            if not self._running.told_to_end(event.id):
                raise
            said = self._trouble(event, "handler_too_slow")
        except Exception:  # noqa: BLE001 - whatever a handler does wrong, the citizen gets a sentence and a number
            said = self._trouble(event, "handler_failed")
        # Only a text repeats the open question; whatever else is sent shows nothing new of it.
        done = await self._inbox.commit(
            run, sealed, _replies.pack(said, self._seal, event.id), asks=said.type == "text"
        )
        if done.late_ms is not None:
            await self._send_later(event.id, said, done.late_ms / 1000)
        elif done.stale:
            _log.warning("stale_run_discarded", event_id=event.id, fence=run.fence)
        elif not done.owed:
            return said
        raise LookAgainError

    def _trouble(self, event: Event, what: str) -> Said:
        """Log what a handler did wrong, under a number, and tell the citizen the number."""
        number = trouble_number()
        _log.error(what, event_id=event.id, number=number, exc_info=True)
        return self._say("chat/trouble", number=number)

    def _session(self, conversation: str, run: Run) -> Session:
        try:
            return unpack(run.session, self._seal, conversation)
        except UnreadableError:
            _log.warning("session_unreadable", event_id=run.event_id)
            return Session()

    # --- what an attempt is answered with ---

    def _answer(self, event: Event, entered: Entered) -> Said | None:
        """The reply of a message that is over, or what is said to one that never runs, or cannot wait."""
        if isinstance(entered, Done | Passed) and entered.owed:
            self._do_apart(partial(self._promises.settle, event.id))
        if isinstance(entered, Done):
            return self._stored(event.id, entered.reply)
        alarm = self._alarm(event) if isinstance(entered, Wait) else self._turns.alarm(event)
        if alarm is not None:
            return alarm  # who cries for help in a flood of messages is heard
        template = _REFUSED.get(type(entered))  # in a flood only the first one hears anything
        return self._say(template) if template is not None else None

    async def _enter_again(self, attempt: Attempt) -> Entered:
        """Look once more; a Redis that hangs is not waited for longer than there is time for an answer."""
        event, window = attempt.event, _OPENS.get(attempt.event.kind, Window.NONE)
        until = max(attempt.limit, asyncio.get_running_loop().time() + self._durations.poll)
        try:
            async with asyncio.timeout_at(until):
                return await self._inbox.enter(event.id, attempt.who, window, attempt.number)
        except TimeoutError as hangs:
            # Of a message that was let in, an answer can still be promised.
            raise (OverdueError if attempt.number else StoreGoneError("Redis")) from hangs

    async def _goes_on(self, attempt: Attempt, trouble: OverdueError | StoreGoneError) -> bool:
        """Whether the attempt may wait on; if not, `attempt.said` answers it (or `NotInTimeError`)."""
        if (alarm := self._alarm(attempt.event)) is not None:
            _log.warning("alarm_answered_alone", event_id=attempt.event.id, why=repr(trouble))
            attempt.said = alarm
            return False
        if isinstance(trouble, StoreGoneError):
            if (left := attempt.left(self._durations.deadline)) > 0:
                await asyncio.sleep(min(left, self._durations.retry))  # it may come back
                return True
            attempt.said = self._give_up(attempt, trouble)
        elif attempt.is_last:
            attempt.said = await self._handed_over(attempt)
        elif attempt.left(self._durations.dropped) > 0:  # until WeChat hangs up
            attempt.only_holds = True
            return True
        else:
            raise NotInTimeError
        return False

    async def _handed_over(self, attempt: Attempt) -> Said | None:
        """Promise an answer that is not there at the last deadline: from here on it is a message of ours."""
        event, arrived = attempt.event, attempt.arrived
        try:
            async with asyncio.timeout_at(arrived + self._durations.promised):
                await self._owe(event)
        except TimeoutError:
            return self._give_up(attempt, StoreGoneError("PostgreSQL"))
        except StoreGoneError as gone:
            return self._give_up(attempt, gone)
        try:
            async with asyncio.timeout_at(arrived + self._durations.handed):
                entered = await self._inbox.hand_over(event.id, last=True)
        except (StoreGoneError, TimeoutError):
            return None  # the promise stands; the sweeper keeps it as soon as Redis is back
        return None if isinstance(entered, Wait) else self._answer(event, entered)

    async def _left(self, event: Event, number: int) -> None:
        """After an attempt was dropped: if nobody else waits for the reply, it is owed."""
        if not await self._inbox.leave(event.id, number):
            return
        await self._owe(event)
        entered = await self._inbox.hand_over(event.id, last=False)
        if isinstance(entered, Done) and entered.reply is not None:
            await self._send_later(event.id, self._stored(event.id, entered.reply), self._durations.passing)
        elif isinstance(entered, Done):
            await self._promises.settle(event.id)

    async def _owe(self, event: Event) -> None:
        await self._turns.meet(event)
        await self._promises.owe(event)

    # --- when a store is gone, or others come first ---

    def _alarm(self, event: Event) -> Said | None:
        """What danger to life is answered with at once; its turn is settled as soon as that can be."""
        if (said := self._turns.alarm(event)) is not None:
            self._do_apart(partial(self._conclude, event, said))
        return said

    def _give_up(self, attempt: Attempt, gone: StoreGoneError) -> Said:
        """Say on the last attempt that nothing works; before it WeChat shall try again (`NotInTimeError`)."""
        said = self._given_up(attempt, gone)
        self._do_apart(partial(self._conclude, attempt.event, said))
        return said

    def _given_up(self, attempt: Attempt, gone: StoreGoneError) -> Said:
        if not attempt.is_last:
            raise NotInTimeError(gone)
        _log.warning("given_up", event_id=attempt.event.id, why=str(gone))
        return self._say("chat/stores_gone")

    async def _conclude(self, event: Event, said: Said) -> None:
        """Let the conversation go on after such a sentence, and every further attempt hear the same.

        A run that is still under way is waited for: what it brings is sent later, unless it is this very
        sentence. Soon others pass it anyway.
        """
        until = asyncio.get_running_loop().time() + self._durations.passing
        while isinstance(entered := await self._inbox.enter(event.id, Who.SWEEP), Wait):
            if asyncio.get_running_loop().time() > until:
                return
            await asyncio.sleep(self._durations.next_look())
        if isinstance(entered, Gone):
            entered = await self._inbox.enter(event.id, Who.AGAIN)
        if isinstance(entered, Run):
            sealed = self._broken_off(event, entered)
            await self._inbox.commit(entered, sealed, _replies.pack(said, self._seal, event.id), asks=False)
        elif not isinstance(entered, Over) or entered.way or self._stored(event.id, entered.reply) != said:
            return
        await self._inbox.enter(event.id, Who.AGAIN)  # it has been said: whatever was promised is not due

    def _broken_off(self, event: Event, run: Run) -> bytes | None:
        """The session as an alarm leaves it; None, which changes nothing, after any other sentence."""
        if self._turns.alarm(event) is None:
            return None
        session = self._session(event.conversation, run)
        session.break_off()
        return pack(session, self._seal, event.conversation)

    # --- shared ---

    async def _send_later(self, event_id: str, said: Said | None, after_s: float) -> None:
        """Let a reply be sent, if there is anything to say; while the database is gone the promise stands."""
        try:
            if said is None or not said.type:
                await self._promises.settle(event_id)
            else:
                await self._promises.send_later(event_id, said, after_s)
        except StoreGoneError as gone:
            _log.warning("left_to_the_sweeper", event_id=event_id, store=gone.store)

    def _do_apart(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do what no attempt waits for; what a store that is gone keeps us from, the sweeper does later."""

        async def carefully() -> None:
            try:
                await work()
            except StoreGoneError as gone:
                _log.warning("left_to_the_sweeper", store=gone.store)

        task = asyncio.create_task(carefully())
        self._apart.add(task)
        task.add_done_callback(self._apart.discard)

    def _stored(self, event_id: str, sealed: bytes | None) -> Said | None:
        if sealed is None:
            return None
        try:
            return _replies.unpack(sealed, self._seal, event_id)
        except UnreadableError:
            _log.warning("reply_unreadable", event_id=event_id)
            return None

    def _say(self, template: str, **facts: object) -> Said:
        return say(Text(template, **facts), self._turns.words, int(self._clock.timestamp()))


def _seen(outcome: asyncio.Future[Said]) -> None:
    """Take note of an outcome that nobody waits for."""
    if not outcome.cancelled():
        outcome.exception()
