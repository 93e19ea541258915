"""Sends what could not be the answer to an attempt: late replies, each once, in their order."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from core.chat.inbox import Inbox
from core.chat.replies import Said
from core.delivery import outbox
from core.delivery.outbox import Row
from core.delivery.owed import Owed, event_of
from core.delivery.sender import (
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sender,
    Sent,
    SurelyNotSent,
    Unknown,
    Unsendable,
)
from core.delivery.windows import Windows
from core.errors import DomainError, StoreGoneError
from core.packing import UnreadableError
from core.stores.database import Database

_AT_ONCE = 32
_HELD_AT_ONCE = 100
_HELD_AGAIN_S = 2.0
_SOON_S = 1.0
_MENDED_AGAIN_S = 60.0  # whether a person has put the settings or the account right
_MOST_TRIES = 5  # of a message that is refused with a code nobody knows
LEASE = timedelta(seconds=30)  # a third of it must be left when a request starts
KEPT = timedelta(days=30)

_log = structlog.get_logger("late")


class Recipient(Protocol):
    """Where a message goes: the account it is sent through, and the openid that account knows."""

    @property
    def account(self) -> str: ...
    @property
    def openid(self) -> str: ...
    @property
    def following(self) -> bool: ...


class Recipients(Protocol):
    """Who knows the way back to a conversation."""

    async def resolve(self, conversation: str) -> Recipient:
        """Open the way; a `DomainError` if nobody of that name is known."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """What a late reply passes on its way to the citizen."""

    inbox: Inbox
    windows: Windows
    recipients: Recipients
    sender: Sender


class LateReplies:
    """The sender of one process; any number of them share the rows."""

    def __init__(self, db: Database, owed: Owed, way: Way, *, lease: timedelta = LEASE) -> None:
        self._lease = lease
        self._db = db
        self._owed = owed
        self._way = way
        self._holder = secrets.token_hex(8)

    async def send_due(self) -> int:
        """Send everything that is due now; how many messages left us."""
        await outbox.give_up(self._db)
        await self._reopen()
        sent = 0
        while rows := await outbox.claim(self._db, self._holder, self._lease, _AT_ONCE):
            outcomes = await asyncio.gather(*map(self._send, rows), return_exceptions=True)
            for outcome in outcomes:  # all are through: a request that was begun has been noted if it can be
                if isinstance(outcome, BaseException):
                    raise outcome
                sent += outcome
        return sent

    async def purge(self) -> None:
        """Forget what was settled long ago."""
        await outbox.purge(self._db, KEPT)

    async def _reopen(self) -> None:
        """Let messages go that waited for a sign of life."""
        waiting = await outbox.held(self._db, _HELD_AT_ONCE, _HELD_AGAIN_S)
        if waiting and (open_ones := await self._way.windows.open_ones(waiting)):
            await outbox.release(self._db, open_ones)

    async def _send(self, row: Row) -> bool:
        """Send one message, or write down why not; True if its request left us."""
        try:
            said = self._owed.words_of(row)
            recipient = await self._admitted(row)
        except UnreadableError:
            await self._settled(row, "failed", "unreadable")
        except DomainError as unknown:
            await self._settled(row, "failed", unknown.code)
        except StoreGoneError as gone:
            await self._put_back(row, f"{gone.store} gone", _SOON_S)
        else:
            return recipient is not None and await self._request(row, recipient, said)
        return False

    async def _admitted(self, row: Row) -> Recipient | None:
        """Whom it goes to; None, and the reason is written down, if it may not go out, or not now."""
        recipient = await self._way.recipients.resolve(row.conversation)
        answered = event_of(row)
        if not recipient.following:
            await self._settled(row, "failed", "unfollowed")
        elif answered and not await self._way.inbox.take(answered):
            await self._settled(row, "cancelled", "answered")
        elif await self._way.windows.is_open(row.conversation) is False:
            await self._put_back(row, "no window", _HELD_AGAIN_S, held=True)
        else:
            return recipient
        return None

    async def _request(self, row: Row, recipient: Recipient, said: Said) -> bool:
        if not await outbox.begin(self._db, row, self._holder, self._lease / 3):
            return False
        asked = asyncio.get_running_loop().time()
        outcome = await self._way.sender.send(recipient.account, recipient.openid, said)
        asked_s = asyncio.get_running_loop().time() - asked
        _log.info("late_reply", key=row.key, outcome=type(outcome).__name__, tries=row.tries)
        left_us = isinstance(outcome, Sent | PerhapsSent)
        if left_us:  # no other message of this conversation goes out before this one is settled
            await self._in_redis(self._way.windows.spend(row.conversation))
        await self._note(row, outcome, asked_s)
        return left_us

    async def _note(self, row: Row, outcome: Outcome, asked_s: float) -> None:
        """Write down what became of a request that was made `asked_s` ago."""
        match outcome:
            case Sent():
                await self._settled(row, "accepted", "")
                if answered := event_of(row):
                    await self._in_redis(self._way.inbox.has_shown(answered))
            case SurelyNotSent(reason=reason, retry_after=after_s):
                await self._put_back(row, reason, after_s)
            case PerhapsSent(reason=reason):
                await self._settled(row, "unknown", reason)
            case Refused(policy=Policy.WINDOW, words=words):
                await self._in_redis(self._way.windows.close(row.conversation, asked_s))
                await self._put_back(row, words, _HELD_AGAIN_S, held=True)
            case Refused(policy=Policy.CONFIGURATION, code=code, words=words):
                await self._put_back(row, f"{code} {words}", _MENDED_AGAIN_S)
            case Unknown(code=code, words=words) if row.tries < _MOST_TRIES:
                await self._put_back(row, f"{code} {words}", _MENDED_AGAIN_S)
            case Refused(code=code, words=words) | Unknown(code=code, words=words):
                await self._settled(row, "failed", f"{code} {words}")
            case Unsendable(type=type_):
                await self._settled(row, "cancelled", f"nothing to send: {type_ or 'silence'}")

    async def _in_redis(self, note: Awaitable[object]) -> None:
        """Note something there; without it a question is repeated, or WeChat refuses one message of ours."""
        try:
            await note
        except StoreGoneError:
            _log.warning("not_noted")

    async def _settled(self, row: Row, state: str, reason: str) -> None:
        await outbox.settle(self._db, row, self._holder, state, reason)

    async def _put_back(self, row: Row, reason: str, after_s: float, *, held: bool = False) -> None:
        await outbox.put_back(self._db, row, self._holder, after_s, held=held, reason=reason)
