"""A town whose late replies wait: its phones, its WeChat, and time that passes for what waits."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

from core.chat.inbox import Inbox, Run, Who, Window
from core.chat.replies import Said
from core.clock import Clock, SystemClock
from core.delivery.lanes import Lane
from core.delivery.outgoing import City, Office, Outgoing
from core.delivery.owed import Owed
from core.delivery.rates import Limits
from core.delivery.sender import Choices, Notice, Outcome, Sender, Sent
from core.delivery.windows import Windows
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.support.wording import house_words, kinds_in

ROOT = Path(__file__).parents[3]
NOTICES = Path(__file__).parent / "notices"
HERE, THERE, NOWHERE = (f"city:{digit * 32}" for digit in "0f9")
_numbers = itertools.count(1)


@dataclass
class Phone:
    account: str
    openid: str
    following: bool = True
    heard: list[str] = field(default_factory=list)


@dataclass
class Post:
    """WeChat as a sender sees it, and the register of citizens; `answers` come in turn, then all is well."""

    phones: dict[str, Phone]
    answers: list[Outcome] = field(default_factory=list)
    on_way: Callable[[str], Awaitable[None]] | None = None
    on_send: Callable[[], Awaitable[None]] | None = None
    on_ready: Callable[[], Awaitable[Outcome | None]] | None = None
    asked: int = 0
    client_ids: list[str] = field(default_factory=list)

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Phone]:
        for conversation in conversations:
            if self.on_way:
                await self.on_way(conversation)
        return {each: self.phones[each] for each in conversations if each in self.phones}

    async def lost(self, conversation: str) -> None:
        self.phones[conversation].following = False

    async def page(self, account: str, audience: str, after: str, limit: int) -> list[str]:
        return sorted(each for each in self.phones if each > after)[:limit]

    async def ready(self, account: str) -> Outcome | None:
        return await self.on_ready() if self.on_ready else None

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        return await self._sent(openid, said.text if isinstance(said, Said) else said.head)

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        self.client_ids.append(notice.client_id)
        return await self._sent(openid, f"[{notice.template_id}]")

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        return await self._sent(openid, f"({notice.template_id})")

    async def _sent(self, openid: str, words: str) -> Outcome:
        self.asked += 1
        if self.on_send:
            await self.on_send()
        outcome = self.answers.pop(0) if self.answers else Sent()
        if isinstance(outcome, Sent):
            (phone,) = (each for each in self.phones.values() if each.openid == openid)
            phone.heard.append(words)
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
        self.clock: Clock = SystemClock()
        self.words = house_words()
        self.kinds = kinds_in(NOTICES)
        self.limits = Limits()
        self.city: City = self.post
        self.sender: Sender = self.post
        self.late = self.worker()

    def worker(self, *lanes: Lane, inbox: Inbox | None = None) -> Outgoing:
        """A process that sends."""
        office = Office(
            db=self.db,
            redis=self.redis,
            seal=self.seal,
            clock=self.clock,
            kinds=self.kinds,
            words=self.words,
            inbox=inbox or self.inbox,
            city=self.city,
            sender=self.sender,
            limits=self.limits,
        )
        return Outgoing(office, lanes or Lane)

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
            """
            UPDATE outbox SET not_before = not_before - $1::interval, lease_until = lease_until - $1,
                              trying_at = trying_at - $1
            """,
            by,
        )
        names = cast("list[bytes]", await self.redis.client.hkeys("bm:{city}:sent"))
        for name in (each.decode() for each in names):
            if name.startswith("stop:"):
                await self.redis.client.hincrby("bm:{city}:sent", name, -int(by.total_seconds() * 1000))


def message(conversation: str = HERE) -> str:
    return f"{conversation}:m:{next(_numbers)}:1795395600"
