"""How many messages of ours a conversation may still get, after its last sign of life (wechat-facts 2.2).

Windows are opened by reception's first script and counted here. A conversation nothing is known of may have
an open one all the same: Redis may have been wiped since.
"""

import asyncio
from collections.abc import Iterable

from core.chat.durations import Durations, script
from core.chat.inbox import windows_key
from core.stores.redis import Redis


class Windows:
    """The send windows of all conversations; each call may raise `StoreGoneError`."""

    def __init__(self, redis: Redis, durations: Durations | None = None) -> None:
        self._redis = redis
        self._script = script("windows", durations or Durations())

    async def is_open(self, conversation: str) -> bool | None:
        """Tell whether a message of ours may go out; None if nothing is known of any window."""
        return _known(await self._do("look", conversation))

    async def take(self, conversation: str, spared: int = 0) -> bool | None:
        """Count one message of ours that is to leave, unless only `spared` are left for more urgent ones.

        None, and nothing is counted, if nothing is known of any window.
        """
        return _known(await self._do("take", conversation, spared))

    async def give_back(self, conversation: str) -> None:
        """Take one message out of the count again that did not leave us."""
        await self._do("give_back", conversation)

    async def close(self, conversation: str, asked_s: float = 0.0) -> None:
        """Believe the platform, which was asked `asked_s` ago, and says that no window is open.

        A message of the citizen's that came since has opened one all the same.
        """
        await self._do("close", conversation, int(asked_s * 1000))

    async def open_ones(self, conversations: Iterable[str], spared: int = 0) -> list[str]:
        """Those of the conversations that have an open window, with more left in it than is spared."""
        asked = list(conversations)
        found = await asyncio.gather(*(self._do("look", each, spared) for each in asked))
        return [each for each, left in zip(asked, found, strict=True) if left > 0]

    async def heard_s(self, conversation: str) -> float | None:
        """How many seconds ago the citizen last gave a sign of life; None if that is not known."""
        ms = await self._do("heard", conversation)
        return None if ms < 0 else ms / 1000

    async def _do(self, what: str, conversation: str, given: int = 0) -> int:
        return int(await self._redis.run(self._script, (windows_key(conversation),), (what, given)))


def _known(answer: int) -> bool | None:
    return None if answer < 0 else bool(answer)
