"""Staff answers a message of the human desk: sealed, sent once, and only at the desks they work at."""

import asyncio
from datetime import time

import pytest

from core.chat.desk import Desk, DeskHours
from core.clock import ManualClock
from core.delivery.answering import Answering, AnswerStrange, MessageClosed, NoSuchMessage, answer_of
from core.delivery.letters import Letter, letters
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database
from tests.support.city_hospital import notices_of

HERE, ELSEWHERE = "city:0123456789abcdef0123456789abcdef", "school:0123456789abcdef0123456789abcdef"


class Office:
    """A desk with one message of the city's, and one of the school's."""

    def __init__(self, db: Database, seal: Seal, clock: ManualClock) -> None:
        self.db, self.seal = db, seal
        self.desk = Desk(db, seal, clock, DeskHours(time(8), time(18)))
        self.answering = Answering(db, seal, clock, notices_of(seal, clock))

    async def left(self, text: str, conversation: str = HERE) -> str:
        return await self.desk.leave(conversation, text, Effect(f"run-{text}", "leave", b""))

    async def answers(self, number: str, text: str, *accounts: str, run: str = "1") -> str:
        effect = Effect(f"answer-{run}", "answer", text.encode().ljust(32)[:32])
        return await self.answering.answer(number, text, "s_li", effect, accounts=accounts or ("city",))

    async def letters(self) -> list[tuple[str, Letter]]:
        rows = await self.db.fetch("SELECT conversation, key, sealed FROM outbox ORDER BY id")
        return [(row["conversation"], letters.unpack(row["sealed"], self.seal, row["key"])) for row in rows]


@pytest.fixture
def office(db: Database, seal: Seal, clock: ManualClock) -> Office:
    return Office(db, seal, clock)


async def test_who_asked_gets_the_answer_with_what_they_asked(office: Office) -> None:
    number = await office.left("医保卡丢了怎么办")
    assert await office.answers(number, "请带身份证\r\n到  二楼窗口。") == number
    ((where, letter),) = await office.letters()
    assert where == HERE
    assert f"您说的“医保卡丢了怎么办”（编号 {number}）：\n请带身份证\n到 二楼窗口。" in letter.text
    (answer,) = (await office.answering.answers([number]))[number]
    assert (answer.text, answer.member) == ("请带身份证\n到 二楼窗口。", "s_li")
    row = await office.db.fetchrow("SELECT to_jsonb(a)::text AS all FROM desk_answers a")
    assert row is not None
    assert "窗口" not in row["all"]


async def test_a_form_sent_twice_is_one_answer_and_another_one_is_another(office: Office) -> None:
    number = await office.left("问")
    await asyncio.gather(*(office.answers(number, "请带身份证") for _ in range(5)))
    await office.answers(number, "还有户口本", run="2")
    assert [each.text for each in (await office.answering.answers([number]))[number]] == [
        "请带身份证",
        "还有户口本",
    ]
    assert len(await office.letters()) == 2


async def test_who_works_at_another_desk_neither_sees_nor_answers_nor_closes_it(office: Office) -> None:
    number, theirs = await office.left("问"), await office.left("老师问", ELSEWHERE)
    for accounts in (("school",), ("cit",), ("no-such",)):
        with pytest.raises(NoSuchMessage):
            await office.answers(number, "请带身份证", *accounts)
        assert not await office.desk.close(number, "s_li", accounts)
    assert [each.id for each in await office.desk.list(accounts=["school"])] == [theirs]
    assert await office.desk.list(accounts=[]) == []
    assert (await office.desk.waiting(["school"])).count == 1
    assert (await office.desk.waiting()).count == 2
    assert await office.letters() == []


async def test_what_is_closed_is_answered_no_more(office: Office) -> None:
    number = await office.left("问")
    assert await office.desk.close(number, "s_wang", ["city"])
    with pytest.raises(MessageClosed):
        await office.answers(number, "请带身份证")
    assert await office.letters() == []


@pytest.mark.parametrize("text", ["", "好", "很" * 501, "<script>alert(1)</script>", "a\x00b", "  \n "])
async def test_an_answer_that_nobody_could_read_is_refused(office: Office, text: str) -> None:
    number = await office.left("问")
    with pytest.raises(AnswerStrange):
        await office.answers(number, text)


def test_the_longest_answer_fits_into_a_message() -> None:
    assert answer_of("很" * 500) == "很" * 500


async def test_the_longest_answer_is_sent(office: Office) -> None:
    number = await office.left("问" * 200)
    await office.answers(number, "很" * 500)
    assert len(await office.letters()) == 1
