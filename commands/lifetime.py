"""Ending in good order: the first Ctrl-C or SIGTERM stops everything, a second one does not disturb that."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType

import uvloop

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_AGAIN_S = 0.01


class Lifetime:
    """From its making on, signals end this program in good order.

    Before the event loop runs, the first signal raises `KeyboardInterrupt`; inside it, `asked` returns. The
    handlers stay until the process ends, so that nothing can interrupt the way out.
    """

    def __init__(self) -> None:
        self._asked = False
        self._tell: Callable[[], object] | None = None
        for number in (*_SIGNALS, signal.SIGALRM):
            signal.signal(number, self._signalled)
        sys.unraisablehook = self._unraisable

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        if self._tell is None:
            raise KeyboardInterrupt
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
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(self._until_asked(work))

    async def _until_asked(self, work: Coroutine[None, None, int]) -> int:
        working = asyncio.create_task(work)
        asked = asyncio.create_task(self.asked())
        await asyncio.wait((working, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
        return 0 if working.cancelled() else working.result()
