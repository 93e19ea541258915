"""From rows to messages that can be sent: their words unsealed, their recipients found."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.delivery.jobs import Letters
from core.delivery.lanes import Lane
from core.delivery.mail import Mail, Recipient, Recipients
from core.delivery.replies import Replies
from core.delivery.rows import Result, Row
from core.errors import StoreGoneError
from core.packing import UnreadableError
from core.seal import Seal
from core.stores.database import Database

_SOON_S = 1.0


@dataclass(slots=True)
class Opened:
    """Messages that may go on, and the results of those that may not."""

    mails: list[Mail]
    results: list[Result]


class Opener:
    """Opens the rows of one lane."""

    def __init__(self, db: Database, seal: Seal, recipients: Recipients, replies: Replies) -> None:
        self._letters = Letters(db, seal)
        self._recipients = recipients
        self._replies = replies

    async def open(self, claimed: Sequence[Row]) -> Opened:
        """Open these rows; what nobody can read, or nobody gets, has failed."""
        if not claimed:
            return Opened([], [])
        found = await self._recipients.resolve_all([row.conversation for row in claimed])
        opened = await asyncio.gather(*(self._one(row, found.get(row.conversation)) for row in claimed))
        return Opened(
            [each for each in opened if isinstance(each, Mail)],
            [each for each in opened if isinstance(each, Result)],
        )

    async def _one(self, row: Row, recipient: Recipient | None) -> Mail | Result:
        if recipient is None:
            return Result(row, "failed", "unknown_citizen")
        try:
            if row.lane is not Lane.REPLIES:
                letter = await self._letters.read(row.key, row.sealed, row.job)
                return Mail(row, recipient, letter=letter)
            said = self._replies.words_of(row)
        except UnreadableError:
            return Result(row, "failed", "unreadable")
        try:
            if recipient.following and not await self._replies.take(row):
                return Result(row, "cancelled", "answered")
        except StoreGoneError as gone:
            return put_back(row, gone)
        return Mail(row, recipient, reply=said)


def put_back(row: Row, gone: StoreGoneError) -> Result:
    """Let a message wait for a store."""
    channel = row.channel if row.perhaps else ""
    return Result(row, "queued", f"{gone.store} gone", _SOON_S, channel=channel)
