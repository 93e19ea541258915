"""Several gateway processes on one port: started, kept alive and ended by one that answers nobody itself."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from commands.lifetime import AT_ONCE
from core.errors import BootError
from core.stores.embedded.child import RunAs, prepare

MOST = 64
STEADY_S = 5.0  # who answered for so long and ends then is no crash loop
_LONGEST_PAUSE_S = 30.0
_READY = b"ready\n"
_log = structlog.get_logger("fleet")


@dataclass(frozen=True, slots=True)
class Member:
    """One of the processes, as it knows itself: its number, from 1, and who started it."""

    number: int
    starter: int
    report: int  # a pipe to the starter: brings word that we are ready, and closes when we end

    @classmethod
    def parse(cls, given: str) -> "Member":
        """Read what the starter put on our command line."""
        try:
            number, report = map(int, given.split(":"))
            os.set_inheritable(report, False)
        except (ValueError, OSError) as wrong:
            raise argparse.ArgumentTypeError("is for what --processes starts, not for people") from wrong
        return cls(number, os.getppid(), report)

    def ready(self) -> None:
        """Tell the starter that we answer."""
        with suppress(BrokenPipeError):  # it has ended, and its death signal is on its way
            os.write(self.report, _READY)

    def orphaned(self) -> bool:
        """Whether the starter has ended, so that nobody but a signal can hurry us."""
        return os.getppid() != self.starter


class Fleet:
    """All the processes, from who starts them. Make it and let it live on the main thread."""

    def __init__(self, processes: int) -> None:
        if sys.platform != "linux":
            raise BootError("--processes needs Linux: leave it out")
        again = [sys.executable, *sys.orig_argv[1:]]
        self._all = [_Process(number, again) for number in range(1, processes + 1)]

    async def live(self, until: Awaitable[object], told: Mapping[str, str]) -> int:
        """Keep all alive, and log `told` once they are ready; 0, or the code of one that could not start.

        The first one starts alone: what is wrong with the settings or the stores is then said once.
        """
        watching: list[asyncio.Future[Any]] = [asyncio.ensure_future(until)]
        try:
            for batch in (self._all[:1], self._all[1:]):
                watching += [asyncio.create_task(_keep(each)) for each in batch]
                if not await _all_ready(batch, watching):
                    return _outcome(watching)
            _log.info("ready", **told, processes=len(self._all))
            await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            return _outcome(watching)
        finally:
            for each in watching:
                each.cancel()
            await asyncio.wait(watching)
            await self._end()

    async def _end(self) -> None:
        """Ask all to end, and wait until they have answered who asked before."""
        for each in self._all:
            each.signal(signal.SIGTERM)
        await asyncio.gather(*(each.ended() for each in self._all))

    def kill(self) -> None:
        """End all at once."""
        for each in self._all:
            each.signal(signal.SIGKILL)


class Companion:
    """One process of another command, started again whenever it ends. Make it on the main thread.

    It says on the pipe that `--member` names that it is ready, as `Member` does.
    """

    def __init__(self, command: Sequence[str], folder: Path | None = None) -> None:
        self._process = _Process(1, command, folder)

    async def keep(self, after: "Companion | None" = None) -> None:
        """Keep it alive, once `after` is ready; cancelled, end it.

        One that cannot start has said why, and is left alone.
        """
        if after is not None:
            await after._process.ready.wait()  # noqa: SLF001 - another of us
        try:
            await _keep(self._process)
        finally:
            self._process.signal(signal.SIGTERM)
            await self._process.ended()


class Backoff:
    """How long to wait before a process is started again: not at all, unless it ends again and again."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, answered_s: float) -> float:
        """Seconds to wait after it ended, having answered that long."""
        if answered_s >= STEADY_S:
            self._next = 0.0
        pause = self._next
        self._next = min(max(1.0, 2 * pause), _LONGEST_PAUSE_S)
        return pause


class _Process:
    """One of the processes, from outside; started anew it keeps its number."""

    def __init__(self, number: int, command: Sequence[str], folder: Path | None = None) -> None:
        self.number = number
        self._folder = folder
        self.ready = asyncio.Event()  # set for good when it is ready for the first time
        self.pid = 0
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._report = -1

    def start(self) -> None:
        """Start it afresh; it cannot outlive us. `OSError`: the system has no room for it."""
        self._report, report = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [*self._command, "--member", f"{self.number}:{report}"],
                cwd=self._folder,
                pass_fds=(report,),
                start_new_session=True,  # a terminal's Ctrl-C reaches us alone, and we ask it to end
                preexec_fn=prepare(RunAs.SELF, signal.SIGTERM),  # noqa: PLW1509 - no other way to PDEATHSIG
            )
        except BaseException:
            self._close()
            raise
        finally:
            os.close(report)
        self.pid = self._process.pid

    async def answered(self) -> float:
        """Wait until it ends; for how many seconds it had been ready."""
        since = None
        if await _brought(self._report):
            since = time.monotonic()
            self.ready.set()
        await self.ended()
        return time.monotonic() - since if since is not None else 0.0

    async def ended(self) -> None:
        """Wait until it has ended, if it was started."""
        if self._report == -1 or self._process is None:
            return
        while await _brought(self._report):
            pass
        self._close()
        self._process.wait()  # its last descriptor is closed, so this is a moment

    @property
    def exit_code(self) -> int:
        """As of `Popen`: below 0 it was a signal; 0 while it lives."""
        return (self._process and self._process.poll()) or 0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if self._process is not None:
            self._process.send_signal(number)

    def _close(self) -> None:
        os.close(self._report)
        self._report = -1


async def _keep(process: _Process) -> int:
    """Start a process, and again whenever it ends; the code of one that gave up before it was ever ready."""
    backoff = Backoff()
    while True:
        answered_s = 0.0
        try:
            process.start()
        except (OSError, subprocess.SubprocessError) as refused:
            why = f"not started: {refused}"
        else:
            answered_s = await process.answered()
            code = process.exit_code
            if not process.ready.is_set() and code > 0 and code != AT_ONCE:
                return code  # it has said why, and would say it again
            why = f"signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"
        pause = backoff.after(answered_s)
        _log.warning("process_ended", process=process.number, pid=process.pid, why=why, again_in_s=pause)
        await asyncio.sleep(pause)


async def _all_ready(processes: Sequence[_Process], watching: Sequence["asyncio.Future[Any]"]) -> bool:
    """Wait until all of them are ready; False when something watched came to its end before."""

    async def ready() -> None:
        for each in processes:
            await each.ready.wait()

    up = asyncio.create_task(ready())
    try:
        await asyncio.wait((*watching, up), return_when=asyncio.FIRST_COMPLETED)
        return up.done()
    finally:
        up.cancel()


async def _brought(pipe: int) -> bytes:
    """Wait for what a pipe brings; nothing when its other end is closed."""
    loop = asyncio.get_running_loop()
    there = asyncio.Event()
    loop.add_reader(pipe, there.set)
    try:
        await there.wait()
    finally:
        loop.remove_reader(pipe)
    return os.read(pipe, len(_READY))


def _outcome(watching: Sequence["asyncio.Future[Any]"]) -> int:
    """What the first to be done says: a code, or nothing in particular."""
    first = next(each for each in watching if each.done()).result()
    return first if isinstance(first, int) else 0
