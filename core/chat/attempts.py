"""One attempt of WeChat's to hand a message over: which one it is, and how long it may be held."""

import asyncio

from core.chat.durations import Durations
from core.chat.events import Event
from core.chat.inbox import Who
from core.chat.replies import Said
from core.clock import Clock

_LAST_SEEN = 3  # WeChat makes no more attempts than these


class Attempt:
    """An attempt of `event` whose first byte came at `arrived` (the loop's time)."""

    __slots__ = ("_age_s", "_clock", "_durations", "arrived", "event", "number", "only_holds", "said")

    def __init__(self, event: Event, arrived: float, durations: Durations, clock: Clock) -> None:
        self.event = event
        self.arrived = arrived
        self.number = 0  # 0: not known yet
        self.said: Said | None = None  # what it was answered with at its deadline
        self.only_holds = False  # it has no time left to run anything
        self._age_s = 0.0
        self._durations = durations
        self._clock = clock

    def is_numbered(self, number: int, age_ms: int) -> None:
        """Learn which attempt of its message it is, and how long after the first one it came."""
        if not self.number:
            self.number, self._age_s = number, age_ms / 1000

    @property
    def who(self) -> Who:
        """As whom it enters next."""
        if not self.number:
            return Who.NEW
        return Who.HOLD if self.only_holds else Who.AGAIN

    @property
    def is_last(self) -> bool:
        """Whether WeChat makes no further attempt after this one."""
        late = self._durations.last
        if self.number >= _LAST_SEEN or self._age_s >= late:
            return True
        elapsed = asyncio.get_running_loop().time() - self.arrived
        return self._clock.timestamp() - elapsed - self.event.at.timestamp() >= late

    @property
    def limit(self) -> float:
        """Until when it is held (loop time): earlier ones, once Redis knows them, until they are dropped."""
        held = self.number and not self.is_last
        return self.arrived + (self._durations.dropped if held else self._durations.deadline)

    def left(self, of: float) -> float:
        """How much of a time that is counted from its first byte is left, in seconds."""
        return self.arrived + of - asyncio.get_running_loop().time()
