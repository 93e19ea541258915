"""A town whose late replies wait: its phones, its WeChat, and time that passes for what waits."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from core.chat.inbox import Inbox, Run, Who, Window
from core.chat.replies import Said
from core.delivery.late import LateReplies, Way
from core.delivery.owed import Owed
from core.delivery.sender import Choices, Outcome, Sent
from core.delivery.windows import Windows
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.senders import NoNotices

HERE, THERE, NOWHERE = (f"city:{digit * 32}" for digit in "0f9")
_numbers = itertools.count(1)


class NobodyError(DomainError):
    code = "unknown_citizen"


@dataclass
class Phone:
    account: str
    openid: str
    following: bool = True
    heard: list[str] = field(default_factory=list)


@dataclass
class Post(NoNotices):
    """WeChat as a sender sees it, and the register of citizens; `answers` come in turn, then all is well."""

    phones: dict[str, Phone]
    answers: list[Outcome] = field(default_factory=list)
    on_way: Callable[[str], Awaitable[None]] | None = None
    on_send: Callable[[], Awaitable[None]] | None = None
    asked: int = 0

    async def resolve(self, conversation: str) -> Phone:
        if self.on_way:
            await self.on_way(conversation)
        if conversation not in self.phones:
            raise NobodyError(conversation=conversation)
        return self.phones[conversation]

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        assert isinstance(said, Said)
        self.asked += 1
        if self.on_send:
            await self.on_send()
        outcome = self.answers.pop(0) if self.answers else Sent()
        if isinstance(outcome, Sent):
            phones = self.phones.values()
            (phone,) = (each for each in phones if (each.account, each.openid) == (account, openid))
            phone.heard.append(said.text)
        return outcome


@dataclass
class Town:
    """Everything a late reply meets on its way, and time that passes for what waits."""

    redis: Redis
    db: Database
    seal: Seal
    post: Post
    inbox: Inbox

    def __post_init__(self) -> None:
        self.owed = Owed(self.db, self.seal)
        self.windows = Windows(self.redis)
        self.late = self.sender()

    def sender(self, inbox: Inbox | None = None) -> LateReplies:
        """A process that sends."""
        way = Way(inbox or self.inbox, self.windows, self.post, self.post)
        return LateReplies(self.db, self.owed, way)

    @property
    def heard(self) -> list[str]:
        return self.post.phones[HERE].heard

    async def owes(self, words: str = "预约成功", conversation: str = HERE) -> str:
        """Let something be due; the id of the message it answers."""
        event_id = message(conversation)
        await self.owed.send_later(event_id, Said(type="text", at=0, text=words), 0)
        return event_id

    async def row(self, event_id: str) -> tuple[str, str]:
        """How a message of ours stands, and why."""
        row = await self.db.fetchrow("SELECT state, reason FROM outbox WHERE key = $1", f"late:{event_id}")
        assert row is not None
        return row["state"], row["reason"]

    async def writes(self, conversation: str = HERE) -> str:
        """Let a citizen write, and be answered at once."""
        event_id = message(conversation)
        run = await self.inbox.enter(event_id, Who.NEW, Window.MESSAGE)
        assert isinstance(run, Run)
        await self.inbox.commit(run, b"session", b"reply")
        return event_id

    async def later(self) -> None:
        """Wait until Redis's clock shows another hundredth of a second."""
        began = await self._redis_ms()
        while await self._redis_ms() < began + 10:
            pass

    async def _redis_ms(self) -> int:
        seconds, micro = await self.redis.client.time()
        return int(seconds) * 1000 + int(micro) // 1000

    async def passes(self, by: timedelta) -> None:
        await self.db.execute(
            "UPDATE outbox SET not_before = not_before - $1::interval, lease_until = lease_until - $1",
            by,
        )


def message(conversation: str = HERE) -> str:
    return f"{conversation}:m:{next(_numbers)}:1795395600"
