"""The lanes of messages of ours: what goes first, and what each may wait for."""

from datetime import timedelta
from enum import IntEnum

SUB_BATCH = 32  # requests under way at once per lane and process: what a kill leaves unknown is bounded by it


class Lane(IntEnum):
    """Replies go before urgent messages, these before personal ones, and those before notices to many."""

    REPLIES = 0
    URGENT = 1
    PERSONAL = 2
    BULK = 3

    @property
    def tried_for(self) -> timedelta:
        """How long what surely was not sent is tried again (domain-rules M2)."""
        return timedelta(minutes=30) if self is Lane.URGENT else timedelta(hours=4)

    @property
    def spared(self) -> int:
        """How many messages of a send window it leaves to those that go before it."""
        return 0 if self <= Lane.URGENT else 2


def lane_named(name: str) -> Lane:
    """The lane a kind names in its file; ValueError if there is none of that name."""
    try:
        return Lane[name.upper()]
    except KeyError:
        names = ", ".join(lane.name.lower() for lane in Lane if lane is not Lane.REPLIES)
        raise ValueError(f"lane {name!r} is none of {names}") from None
