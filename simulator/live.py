"""What moves on the phones right now: who watches, who is answering, who is typing."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.clock import Clock
from simulator.people import Phone
from simulator.refusals import RefusedError

TYPING_S = 15.0
MOST_WATCHERS = 500


class Live:
    """Wakes open phone pages; holds nothing that a restart would miss."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: dict[Phone, set[asyncio.Event]] = {}
        self._pushes: Counter[Phone] = Counter()
        self._typing: dict[Phone, float] = {}
        self.closing = False

    @contextmanager
    def watching(self, phone: Phone) -> Iterator[asyncio.Event]:
        """An event that is set whenever the phone has something new to show."""
        if sum(map(len, self._bells.values())) >= MOST_WATCHERS:
            raise RefusedError(f"{MOST_WATCHERS} phone pages are open already")
        bell = asyncio.Event()
        self._bells.setdefault(phone, set()).add(bell)
        try:
            yield bell
        finally:
            self._bells[phone].discard(bell)
            if not self._bells[phone]:
                del self._bells[phone]

    @contextmanager
    def answering(self, phone: Phone) -> Iterator[None]:
        """A push is under way: the title says that the other side is typing."""
        self._pushes[phone] += 1
        self.ring(phone)
        try:
            yield
        finally:
            self._pushes[phone] -= 1
            if not self._pushes[phone]:
                del self._pushes[phone]
            self.ring(phone)

    def type(self, phone: Phone, *, on: bool) -> None:
        """The account's typing call: shown for a quarter of a minute, or until it is taken back."""
        now = self._clock().timestamp()
        self._typing.pop(phone, None)
        while self._typing and (oldest := next(iter(self._typing.items())))[1] <= now:
            del self._typing[oldest[0]]
        if on:
            self._typing[phone] = now + TYPING_S
        self.ring(phone)

    def typing_left(self, phone: Phone) -> float:
        return max(0.0, self._typing.get(phone, 0.0) - self._clock().timestamp())

    def is_typing(self, phone: Phone) -> bool:
        return bool(self._pushes[phone]) or self.typing_left(phone) > 0

    def ring(self, phone: Phone) -> None:
        for bell in self._bells.get(phone, ()):
            bell.set()

    def ring_all(self) -> None:
        for phone in self._bells:
            self.ring(phone)

    def close(self) -> None:
        """The simulator stops: let every open page go."""
        self.closing = True
        self.ring_all()
