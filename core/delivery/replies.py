"""Replies that come late, as a worker sees them: an attempt of WeChat's may have got them meanwhile."""

from core.chat.inbox import Inbox
from core.chat.replies import Said
from core.delivery.owed import event_of, words_of
from core.delivery.rows import Row
from core.seal import Seal


class Replies:
    """What reception and the outbox tell each other."""

    def __init__(self, inbox: Inbox, seal: Seal) -> None:
        self._inbox = inbox
        self._seal = seal

    def words_of(self, row: Row) -> Said:
        """Open a late reply; `UnreadableError` if it cannot be read."""
        return words_of(row, self._seal)

    async def take(self, row: Row) -> bool:
        """Claim the reply for a message of ours; False if an attempt of WeChat's was answered with it."""
        answered = event_of(row)
        return not answered or await self._inbox.take(answered)

    async def has_shown(self, row: Row) -> None:
        """Note that its question reached the citizen."""
        if answered := event_of(row):
            await self._inbox.has_shown(answered)
