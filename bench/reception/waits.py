"""How long a message waits after the one before it: both of one user, the first with a slow handler."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.webhook.answers import push
from bench.webhook.corpus import Message, Writer
from bench.webhook.load import LoadFailedError
from bench.webhook.plan import Plan
from bench.webhook.processes import Program

_SLOW_MS = 300
_AHEAD_S = 0.1  # the first message is surely running when the second one comes
_AT_ONCE = 8
_OK = 200


@dataclass(frozen=True, slots=True)
class Slow(Message):
    """A message whose handler takes its time."""

    @property
    def text(self) -> str:
        """The word that opens the slow service, and for how long."""
        return f"慢 {_SLOW_MS}"


def waits(plan: Plan, writer: Writer, programs: Sequence[Program], pairs: int) -> list[float]:
    """Milliseconds between the answer to a first message and the one to the second, of so many users.

    The first goes to the first program, the second to the last one.
    """
    with ThreadPoolExecutor(_AT_ONCE) as couples, ThreadPoolExecutor(_AT_ONCE) as firsts:

        def couple(user: int) -> float:
            slow = writer.next(user)
            first = firsts.submit(_answered, plan, programs[0], Slow(slow.serial, user))
            time.sleep(_AHEAD_S)
            second = _answered(plan, programs[-1], writer.next(user))
            return (second - first.result()) * 1000

        return list(couples.map(couple, range(pairs)))


def _answered(plan: Plan, program: Program, message: Message) -> float:
    """Push a message and return when its answer was there."""
    status, body = push(plan, program.port, message)
    if status != _OK or not body:
        raise LoadFailedError(f"{program.name} answered {status} and {len(body)} bytes")
    return time.perf_counter()
