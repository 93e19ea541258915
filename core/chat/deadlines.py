"""One timer for the deadlines of all attempts: nearly every one is answered long before."""

import asyncio
from collections import deque

from core.chat.running import Outcome, OverdueError


class Deadlines:
    """Ends outcomes that are not there `after_s` from when they were watched; all wait equally long."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._watched: deque[tuple[float, Outcome]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, outcome: Outcome, since: float) -> Outcome:
        """Let an outcome be an `OverdueError` when its time, counted from `since` (loop time), is over."""
        watched, deadline = self._watched, since + self._after_s
        while watched and watched[0][1].done():  # most have ended, in about the order they began
            watched.popleft()
        if watched and deadline < watched[-1][0]:  # it waited for something else before
            outcome.get_loop().call_at(deadline, _end, outcome)
            return outcome
        watched.append((deadline, outcome))
        if self._timer is None:
            self._timer = outcome.get_loop().call_at(deadline, self._look)
        return outcome

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        watched, self._timer = self._watched, None
        while watched and (watched[0][1].done() or watched[0][0] <= loop.time()):
            _end(watched.popleft()[1])
        if watched:
            self._timer = loop.call_at(watched[0][0], self._look)


def _end(outcome: Outcome) -> None:
    if not outcome.done():
        outcome.set_exception(OverdueError())
