"""Ending in good order at the first Ctrl-C or SIGTERM, and at once at the second."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType

import uvloop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INSISTING = (signal.SIGINT, signal.SIGTERM)  # a closing terminal sends SIGHUP more than once by itself
_AGAIN_S = 0.01
AT_ONCE = 130  # the exit code of who did not wait


def _nothing() -> None:
    """Nothing to do."""


def _always() -> bool:
    """Whoever sends a second signal means it."""
    return True


class Lifetime:
    """From its making on, signals end this program in good order.

    Before the event loop runs, the first signal raises `KeyboardInterrupt`; inside it, `asked` returns. What
    then is still under way may take its time, or hang: a second signal calls `at_once` and ends the process
    there and then, unless `insists` says that it means no more than the first. Outside the loop further
    signals do nothing, so that nothing interrupts the way out.
    """

    def __init__(
        self,
        *,
        asked: Callable[[], object] = _nothing,
        at_once: Callable[[], object] = _nothing,
        insists: Callable[[], bool] = _always,
    ) -> None:
        self._asked = False
        self._in_loop = False
        self._when_asked = asked
        self._at_once = at_once
        self._insists = insists
        self._tell: Callable[[], object] | None = None
        for number in (*_SIGNALS, signal.SIGALRM):
            signal.signal(number, self._signalled)
        sys.unraisablehook = self._unraisable

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            if self._in_loop and number in _INSISTING and self._insists():
                self._in_loop = False  # once
                try:
                    self._at_once()
                finally:
                    os._exit(AT_ONCE)
            return
        self._asked = True
        if self._tell is None:
            raise KeyboardInterrupt
        self._when_asked()  # here, because a handler may hold up the loop
        self._tell()

    def _unraisable(self, lost: "sys.UnraisableHookArgs") -> None:
        """Raise again, a moment later, what was raised where Python drops it, as in a hook around a fork."""
        if isinstance(lost.exc_value, KeyboardInterrupt):
            self._asked = False
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        else:
            sys.__unraisablehook__(lost)

    async def asked(self) -> None:
        """Return when somebody wants the program to end."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        self._tell = lambda: loop.call_soon_threadsafe(told.set)
        if self._asked:
            return
        await told.wait()

    def run(self, work: Coroutine[None, None, int]) -> int:
        """Run `work` on uvloop until it ends or is asked to; an asked-for end is 0."""
        self._in_loop = True
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(self._until_asked(work))
        finally:
            self._in_loop = False

    async def _until_asked(self, work: Coroutine[None, None, int]) -> int:
        working = asyncio.create_task(work)
        asked = asyncio.create_task(self.asked())
        await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
        return 0 if working.cancelled() else working.result()
