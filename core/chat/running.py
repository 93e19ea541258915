"""The runs of one process: each in a task of its own, with a lease that is kept alive, and one outcome."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from core.chat.events import Event
from core.chat.inbox import Inbox, Run
from core.chat.replies import Said
from core.errors import StoreGoneError

_log = structlog.get_logger("dispatcher")


class LookAgainError(Exception):
    """A run brought nothing this attempt may answer with as it is: only the inbox tells what goes out now."""


class OverdueError(Exception):
    """The attempt's time is over and the run goes on."""


Outcome = asyncio.Future[Said]
Work = Callable[[Event, Run], Coroutine[Any, Any, Said]]


@dataclass(slots=True)
class _UnderWay:
    """A run, its task, and since when (the loop's time).

    `overdue`: it took too long and is told to end, until it is `ending`.
    """

    run: Run
    task: asyncio.Task[None]
    since: float
    overdue: bool = False
    ending: bool = False


class Running:
    """Starts runs, keeps their leases, ends those that take too long, and wakes who waits for their end."""

    def __init__(self, inbox: Inbox, work: Work) -> None:
        self._inbox = inbox
        self._work = work
        self._under_way: dict[str, _UnderWay] = {}
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._renewing: asyncio.Task[None] | None = None

    def start(self, event: Event, run: Run) -> Outcome:
        """Run in a task of its own; it goes on when the attempt that waits for its outcome is dropped."""
        loop = asyncio.get_running_loop()
        outcome: Outcome = loop.create_future()
        task = loop.create_task(self._see_through(event, run, outcome))
        self._under_way[event.id] = _UnderWay(run, task, loop.time())
        if self._renewing is None or self._renewing.done():
            self._renewing = loop.create_task(self._renew())
        return outcome

    def told_to_end(self, event_id: str) -> bool:
        """Tell whether a run that was cancelled took too long, rather than that the process ends."""
        under_way = self._under_way.get(event_id)
        if under_way is None or not under_way.overdue:
            return False
        under_way.ending = True
        while under_way.task.uncancel():
            pass
        return True

    async def end_of(self, conversation: str, until: float) -> None:
        """Wait until a run of this conversation ends here or may have elsewhere; too late: `OverdueError`."""
        loop = asyncio.get_running_loop()
        left = until - loop.time()
        if left <= 0:
            raise OverdueError
        woken: asyncio.Future[None] = loop.create_future()
        self._waiting[conversation].add(woken)
        timer = loop.call_later(min(left, self._inbox.durations.next_look()), _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()
            waiting = self._waiting.get(conversation)
            if waiting is not None:
                waiting.discard(woken)
                if not waiting:
                    del self._waiting[conversation]

    async def drain(self) -> None:
        """Wait until every run under way is finished."""
        while tasks := [each.task for each in self._under_way.values() if not each.task.done()]:
            await asyncio.wait(tasks)
        if self._renewing is not None:
            self._renewing.cancel()

    async def _see_through(self, event: Event, run: Run, outcome: Outcome) -> None:
        """Run; then tell who waits for this run what came of it, and who waits for its end that it came."""
        try:
            said = await self._work(event, run)
        except asyncio.CancelledError:
            outcome.cancel()
            raise
        except BaseException as failed:
            # A store that is gone fails it twice a second; what becomes of the attempt is told by its holder.
            if not isinstance(failed, LookAgainError | StoreGoneError):
                _log.warning("run_failed", event_id=event.id, error=type(failed).__name__)
            if not outcome.done():  # its attempt may be over already
                outcome.set_exception(failed)
            if not isinstance(failed, Exception):  # the program is to end
                raise
        else:
            if not outcome.done():
                outcome.set_result(said)
        finally:
            del outcome  # an exception in it knows this frame: no circle for the garbage collector
            self._is_over(event, run)

    def _is_over(self, event: Event, run: Run) -> None:
        current = self._under_way.get(event.id)
        if current is not None and current.run is run:
            del self._under_way[event.id]
        if self._waiting:
            for waiting in self._waiting.pop(event.conversation, ()):
                _wake(waiting)

    async def _renew(self) -> None:
        """Renew the leases of all runs under way, together; end those that nobody can wait for any more."""
        durations, loop = self._inbox.durations, asyncio.get_running_loop()
        while self._under_way:
            await asyncio.sleep(durations.renewal)
            for each in self._under_way.values():
                if not each.ending and loop.time() - each.since > durations.run:
                    each.overdue = True
                    each.task.cancel()  # again and again: a handler may swallow what it is told
            # Who does not listen keeps the conversation no longer than a dead process would.
            runs = [each.run for each in self._under_way.values() if each.ending or not each.overdue]
            for outcome in await asyncio.gather(*map(self._inbox.renew, runs), return_exceptions=True):
                if isinstance(outcome, Exception):
                    _log.warning("lease_not_renewed", error=type(outcome).__name__)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
