"""A gate's clock: the machine's, put right by the server's, and honest about being wrong."""

import time
from collections.abc import Callable

from gate.faults import OutOfOrder

WORTH_S = 2.0  # a smaller difference may be the network's
_BACK_S = 60.0


class Clock:
    """Unix milliseconds. `floor` is a time that is surely over: that of the trust list, of the last tap."""

    def __init__(self, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._floor_ms = 0
        self.offset_s = 0.0  # what the server's clock is ahead of the machine's

    def now_ms(self) -> int:
        """What time it is; `OutOfOrder` when that is long over."""
        now = self.unchecked_ms()
        if now < self._floor_ms - int(_BACK_S * 1000):
            raise OutOfOrder("clock", f"{(self._floor_ms - now) / 1000:.0f} s behind what is over")
        return now

    def unchecked_ms(self) -> int:
        """What time this gate takes it to be, sane or not."""
        return int((self._machine() + self.offset_s) * 1000)

    def surely_over(self, at_ms: int) -> None:
        """Take note of a moment that cannot come again."""
        self._floor_ms = max(self._floor_ms, at_ms)

    def machine(self) -> float:
        """The machine's own seconds, to take the time of a question and its answer."""
        return self._machine()

    def told(self, server_ms: int, asked: float, answered: float) -> bool:
        """Compare with the server, which answered between two times; whether we were put right."""
        self._floor_ms = min(self._floor_ms, server_ms)  # what a wrong clock wrote is over by the right one's
        ahead = server_ms / 1000 - (asked + answered) / 2
        if abs(ahead - self.offset_s) < max(WORTH_S, answered - asked):
            return False
        self.offset_s = 0.0 if abs(ahead) < WORTH_S else ahead
        return True
