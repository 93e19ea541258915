"""A fleet of gateway processes as a killer sees it: who is ready, under which pid, and who ended how."""

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

from commands.fleet import STEADY_S
from tests.support.program import Place, Program

_READY = re.compile(r" event=process_ready pid=(\d+) .* process=(\d+)$")
_ENDED = re.compile(r" event=process_ended process=(\d+) pid=(\d+) why=(\"[^\"]*\"|\S+)")
_STEADY_S = STEADY_S + 0.2  # we read of it a little later than the fleet
KILLED = '"signal 9, Killed"'


class Members(Program):
    """`serve --processes N`, its log read once, line by line, as it grows."""

    def __init__(self, place: Place, processes: int, program: Path) -> None:
        super().__init__(place, "serve", "--processes", str(processes), program=program)
        self._up: dict[int, tuple[int, float]] = {}  # pid of those that were not killed, and since when ready
        self._short_lived: set[int] = set()  # those that did not live long the last time
        self.ended: list[str] = []  # how each one ended that did, as the log says
        self._processes = processes
        self._read = self._log.open("rb")
        self._rest = b""

    def all_ready(self) -> bool:
        """Whether all of them answer."""
        assert self.process.poll() is None, f"it ended:\n{self.said[-5000:]}"
        *lines, self._rest = (self._rest + self._read.read()).split(b"\n")
        for line in map(bytes.decode, lines):
            if ready := _READY.search(line):
                self._up[int(ready[2])] = int(ready[1]), time.monotonic()
            elif ended := _ENDED.search(line):
                self.ended.append(ended[3])
        return len(self._up) == self._processes

    def killable(self) -> list[int]:
        """The numbers of those whose end is no crash loop, which would be started again only after a pause.

        None as long as not all are up.
        """
        if not self.all_ready():
            return []
        return [each for each in self._up if self._is_steady(each) or each not in self._short_lived]

    def stall(self, number: int) -> None:
        """Stop it where it is: the system goes on giving it connections."""
        os.kill(self._up[number][0], signal.SIGSTOP)

    def kill_one(self, number: int) -> None:
        """SIGKILL: it has no chance to say or tidy up anything."""
        if self._is_steady(number):
            self._short_lived.discard(number)
        else:
            self._short_lived.add(number)
        pid, _ = self._up.pop(number)
        os.kill(pid, signal.SIGKILL)

    def _is_steady(self, number: int) -> bool:
        return time.monotonic() - self._up[number][1] > _STEADY_S

    def close(self) -> None:
        """End what a test that failed has left."""
        self._read.close()
        if self.process.poll() is None:
            self.kill()
            for pid, _ in self._up.values():  # one that is stopped does not notice that its fleet is gone
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
