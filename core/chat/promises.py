"""What is written down of messages whose answer cannot go out as the answer to WeChat's attempt."""

from typing import Protocol

from core.chat.events import Event
from core.chat.replies import Said


class Ears(Protocol):
    """Whoever wants to know what the platform says of our own messages."""

    async def hear(self, event: Event) -> None:
        """Write down what an event says; it comes again where this raises `StoreGoneError`."""
        ...


class Promises(Protocol):
    """Rows that outlive every process and Redis; each call may raise `StoreGoneError` and may be repeated."""

    async def owe(self, event: Event) -> None:
        """Promise an answer: from now on the sweeper looks after this message."""
        ...

    async def settle(self, event_id: str) -> None:
        """The answer has gone out as the answer to an attempt, or there is none: nothing is owed any more."""
        ...

    async def send_later(self, event_id: str, said: Said, after_s: float) -> None:
        """Turn the promise into a message of ours, to be sent once, not before `after_s` from now."""
        ...
