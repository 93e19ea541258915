"""Sends late replies for a test: the real outbox, and a post office whose phones the test holds."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.chat.inbox import Inbox
from core.clock import Clock
from core.delivery.lanes import Lane
from core.delivery.outgoing import Office, Outgoing
from core.delivery.sender import Notice, Outcome
from core.delivery.worker import LEASE
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.wording import house_words, kinds_in


class RepliesOnly:
    """A city and a sender of which only the phones matter; `resolve` finds them."""

    async def resolve(self, conversation: str) -> Any:
        raise NotImplementedError

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Any]:
        return {each: await self.resolve(each) for each in conversations}

    async def lost(self, conversation: str) -> None:
        raise AssertionError(f"{conversation} was not lost")

    async def page(self, account: str, audience: str, after: str, limit: int) -> list[str]:
        return []

    async def ready(self, account: str) -> Outcome | None:
        return None

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        raise AssertionError(f"no reply is a template message: {notice}")

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        raise AssertionError(f"no reply is a subscription notice: {notice}")


def late_replies(
    stores: tuple[Redis, Database],
    seal: Seal,
    clock: Clock,
    inbox: Inbox,
    post: Any,
    lease: timedelta = LEASE,
) -> Outgoing:
    """What sends late replies in one process."""
    redis, db = stores
    kinds = kinds_in(Path("/nonexistent"))
    office = Office(db, redis, seal, clock, kinds, house_words(), inbox, post, post)
    return Outgoing(office, [Lane.REPLIES], lease=lease)
