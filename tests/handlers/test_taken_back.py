"""解绑 while a worker has messages about her in hand: within a second none of them arrives any more."""

import time
from dataclasses import dataclass, field, replace

import pytest

from commands.recurring import sending
from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.delivery.rates import Limits
from core.delivery.sender import Outcome
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens, Families
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import Phone, Post
from tests.handlers.test_families import MOTHERS_PHONE, asks_for, proves_self
from tests.support.people import MOTHER
from tests.support.register import Register
from tests.support.talk import Talk
from tests.support.waiting import until

MESSAGES, A_SECOND = 200, 40  # so many are on their way, and so many leave in a second
MANY = 20  # that a worker has claimed and that wait for their turn
_LEFT = "SELECT count(*) FROM outbox WHERE kind = 'storm' AND settled_at IS NULL"
_IN_HAND = "SELECT count(*) FROM outbox WHERE kind = 'storm' AND state = 'sending' AND attempted_at IS NULL"


@dataclass
class Timed(Post):
    """WeChat, with a watch."""

    arrived: list[float] = field(default_factory=list)

    async def _sent(self, openid: str, words: str) -> Outcome:
        self.arrived.append(time.monotonic())
        return await super()._sent(openid, words)


class Both:
    """A daughter who may act for her mother, each on her phone, and a worker that sends."""

    def __init__(self, talk: Talk, redis: Redis, db: Database, seal: Seal) -> None:
        self.daughter, self.mother = talk, talk.another("o-mother")
        self.post = Timed({talk.conversation: Phone("city", talk.openid)})
        self.bureau = Bureau(redis, db, seal, self.post, Inbox(redis, Durations(flood=0)))
        self.bureau.city = Citizens(db, seal)
        self.bureau.limits = Limits(per_second=A_SECOND)

    async def bind(self, register: Register) -> None:
        """The mother proves who she is, and the daughter brings the code the hospital sent."""
        await proves_self(self.mother, register, "王秀英", MOTHER)
        await asks_for(self.daughter)
        await self.daughter.says("短信")
        assert "可以替您的妈妈" in await self.daughter.says(register.last(MOTHERS_PHONE))
        await self.bureau.db.execute("DELETE FROM outbox")

    async def much_to_say(self) -> None:
        """Many messages about the mother are on their way to the daughter."""
        db = self.bureau.db
        binding = await db.fetchval("SELECT id FROM bindings WHERE relation = 'mother' AND state = 'active'")
        for number in range(MESSAGES):
            notice = self.bureau.notice("storm", f"b{number}", self.daughter.conversation)
            hung = replace(notice, guards=(f"booking:b{number}", Families.guard(binding)))
            await self.bureau.queue(hung)

    async def many_in_hand(self) -> bool:
        """Whether a worker has claimed many that it has not sent."""
        return int(await self.bureau.db.fetchval(_IN_HAND)) >= MANY


@pytest.fixture
async def both(talk: Talk, register: Register, redis: Redis, db: Database, seal: Seal) -> Both:
    both = Both(talk, redis, db, seal)
    await both.bind(register)
    await both.much_to_say()
    return both


async def taken_back(both: Both) -> float:
    """解绑 on the mother's phone while a worker has many in hand; when she had her answer."""
    assert "要解绑吗" in await both.mother.says("解绑")
    await until(lambda: both.post.arrived, "the first has arrived")
    await until(both.many_in_hand, "many are claimed, and wait for their turn")
    assert "已经解绑" in await both.mother.says("1")
    return time.monotonic()


async def test_within_a_second_nothing_of_what_a_worker_holds_arrives_any_more(both: Both) -> None:
    async with sending(both.bureau.worker()):
        answered = await taken_back(both)

        async def settled() -> bool:
            return int(await both.bureau.db.fetchval(_LEFT)) == 0

        await until(settled, "all have come to their end")
    assert max(both.post.arrived) < answered + 1
    states = await both.bureau.db.fetch(
        "SELECT state, reason, count(*) AS n FROM outbox WHERE kind = 'storm' GROUP BY 1, 2"
    )
    ends = {(row["state"], row["reason"]): row["n"] for row in states}
    assert ends == {
        ("accepted", ""): len(both.post.arrived),
        ("cancelled", "changed"): MESSAGES - len(both.post.arrived),
    }


async def test_control_nobody_counts_what_she_takes_back_and_they_go_on_arriving(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgets(*_args: object) -> None:
        pass

    monkeypatch.setattr("services.citizens.bindings_store.bump", forgets)
    async with sending(both.bureau.worker()):
        answered = await taken_back(both)
        await until(lambda: both.post.arrived[-1] > answered + 1, "one more a second later")
