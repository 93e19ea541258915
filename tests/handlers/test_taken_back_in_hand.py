"""解绑 by chat while the worker's own loop has messages in hand: from the answer on, none of them leaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.chat.replies import Said
from core.clock import SystemClock
from core.delivery import rows
from core.delivery.lanes import Lane
from core.delivery.notices import Notice, Notices
from core.delivery.outgoing import Office, Outgoing
from core.delivery.rates import Limits
from core.delivery.rows import Start
from core.delivery.sender import Choices, Outcome, Sent
from core.delivery.sender import Notice as Template
from core.stores.database import Transaction
from services.citizens.service import Citizens, Families
from tests.core.delivery.bureau import FACTS
from tests.handlers.test_families import MOTHERS_PHONE, asks_for, proves_self
from tests.support.people import MOTHER
from tests.support.register import Register
from tests.support.sending import RepliesOnly
from tests.support.talk import Talk, words_of
from tests.support.waiting import until
from tests.support.wording import kinds_in

pytestmark = pytest.mark.timed  # what waits in a worker's hands waits a second there
NOTICES = Path(__file__).parent / "notices"
ABOUT_HER, A_SECOND = 14, 8  # so many messages; so many may leave a second, who waits longer is put back
_HERS = "FROM outbox WHERE kind = 'of_her'"
_IN_HAND = f"SELECT id {_HERS} AND state = 'sending' AND attempted_at IS NULL"
_OPEN = f"SELECT count(*) {_HERS} AND settled_at IS NULL"
Takes = Callable[[pytest.MonkeyPatch], None]


def nobody_counts(patched: pytest.MonkeyPatch) -> None:
    """What is taken back leaves no trace in the versions."""

    async def forgets(*_args: object) -> None:
        pass

    patched.setattr("services.citizens.bindings_store.bump", forgets)


def nobody_looks_again(patched: pytest.MonkeyPatch) -> None:
    """What was right when it was claimed leaves, whatever has changed since."""
    begin = rows.begin

    async def blindly(tx: Transaction, holder: str, starts: Sequence[Start], left: timedelta) -> set[int]:
        await tx.execute(
            "UPDATE outbox SET guard_keys = '{free}', guard_ns = '{0}' WHERE id = ANY($1)",
            [each.row.id for each in starts],
        )
        return await begin(tx, holder, starts, left)

    patched.setattr(rows, "begin", blindly)


@dataclass
class Phones(RepliesOnly):
    """WeChat, as whoever sends sees it: what arrived where."""

    heard: list[str] = field(default_factory=list)

    async def send(self, _account: str, openid: str, said: Said | Choices) -> Outcome:
        assert isinstance(said, Said)
        self.heard.append(f"{openid}: {said.text}")
        return Sent()

    async def send_template(self, _account: str, openid: str, notice: Template) -> Outcome:
        self.heard.append(f"{openid}: {notice.template_id}")
        return Sent()


@dataclass
class Answered:
    """When she had her answer, by the database's time; and what was in the worker's hands before."""

    at: datetime
    in_hand: list[int]


class Line:
    """A daughter whom many messages about her mother are to reach, too many to leave at once."""

    def __init__(self, daughter: Talk, mother: Talk) -> None:
        self.daughter, self.mother = daughter, mother
        self.ground = daughter.ground
        self.phones = Phones()

    async def waits(self, binding: int) -> None:
        """Write what is to be told about her; it hangs on the binding, as every such message does."""
        ground = self.ground
        notices = Notices(kinds_in(NOTICES), words_of(), ground.seal, SystemClock(), "http://city.example")
        guard = Families.guard(str(binding))
        async with ground.db.transaction() as tx:
            for number in range(ABOUT_HER):
                about = f"h{number}"
                conversation = self.daughter.conversation
                assert await notices.queue(tx, Notice("of_her", about, conversation, FACTS, guards=(guard,)))

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """The worker's own loops, as `main.py run` lets them run."""
        ground = self.ground
        office = Office(
            db=ground.db,
            redis=ground.redis,
            seal=ground.seal,
            clock=SystemClock(),
            kinds=kinds_in(NOTICES),
            words=words_of(),
            inbox=self.daughter.inbox,
            city=Citizens(ground.db, ground.seal),
            sender=self.phones,
            limits=Limits(per_second=A_SECOND),
        )
        outgoing = Outgoing(office, [Lane.PERSONAL])
        loops = asyncio.create_task(outgoing.run())
        yield
        outgoing.end()
        await loops

    async def answers(self, does: Callable[[], Awaitable[None]]) -> Answered:
        """Let somebody do something while messages are in the worker's hands."""
        in_hand: list[int] = []

        async def some_wait() -> bool:
            in_hand[:] = [row["id"] for row in await self.ground.db.fetch(_IN_HAND)]
            return bool(in_hand and self.about_her)

        await until(some_wait, "some have left, the others wait in the worker's hands")
        await does()
        return Answered(await self.ground.db.fetchval("SELECT clock_timestamp()"), in_hand)

    async def over(self) -> None:
        """Wait until nothing about her is open."""

        async def settled() -> bool:
            return not await self.ground.db.fetchval(_OPEN)

        await until(settled, "everything about her is settled")

    async def is_quiet_since(self, answered: Answered) -> None:
        """Nothing about her left after her answer; what was in hand before did not, either."""
        begun = await self.ground.db.fetch(
            f"SELECT id, attempted_at > $1 AS late {_HERS} AND attempted_at IS NOT NULL", answered.at
        )
        assert not [row["id"] for row in begun if row["late"]], "sent after she had her answer"
        assert set(answered.in_hand) - {row["id"] for row in begun}, "nothing was in hand that could be held"
        reasons = await self.ground.db.fetch(
            f"SELECT DISTINCT state, reason {_HERS} AND attempted_at IS NULL"
        )
        assert [tuple(row) for row in reasons] == [("cancelled", "changed")]
        assert len(self.about_her) == len(begun) > 0, "and her daughter's phone heard no more than these"

    @property
    def about_her(self) -> list[str]:
        return [each for each in self.phones.heard if each.endswith("T-her") or "条未读" in each]


@pytest.fixture
async def line(talk: Talk, register: Register) -> Line:
    mother = talk.another("o-mother")
    await proves_self(mother, register, "王秀英", MOTHER)
    await asks_for(talk)
    await talk.says("短信")
    await talk.says(register.last(MOTHERS_PHONE))
    line = Line(talk, mother)
    (binding,) = await talk.ground.db.fetch(
        "SELECT id FROM bindings WHERE relation = 'mother' AND state = 'active'"
    )
    await line.waits(binding["id"])
    return line


async def takes_back(line: Line) -> None:
    """The mother ends it in her own chat."""
    assert "女儿小芳" in await line.mother.says("解绑")

    async def confirms() -> None:
        assert "已经解绑" in await line.mother.says("1")

    async with line.worker():
        answered = await line.answers(confirms)
        await line.over()
    await line.is_quiet_since(answered)


async def test_from_her_answer_on_nothing_about_her_leaves_a_worker(line: Line) -> None:
    await takes_back(line)
    assert "您还没有添加家人" in await line.daughter.says("我的家人")


async def test_who_is_not_taken_back_hears_everything(line: Line) -> None:
    """Or the silence above would say nothing."""
    async with line.worker():
        await line.over()
    assert len(line.about_her) == ABOUT_HER


@pytest.mark.parametrize("away", [nobody_counts, nobody_looks_again])
async def test_control_without_the_guard_it_leaves_and_is_noticed(
    line: Line, monkeypatch: pytest.MonkeyPatch, away: Takes
) -> None:
    away(monkeypatch)
    with pytest.raises(AssertionError, match="sent after she had her answer"):
        await takes_back(line)
