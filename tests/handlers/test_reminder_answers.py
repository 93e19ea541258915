"""What a citizen answers to a reminder: 1 会到, 2 改期, 3 取消; an old reminder answers for nothing."""

from datetime import timedelta

import pytest

from core.delivery import guards, prompts
from core.delivery.letters import Letter
from core.stores.database import Database
from services.citizens.service import Citizens
from services.hospital import ladder
from services.hospital.model import BookingState
from services.hospital.service import Hospital
from tests.handlers.mailing import IN_ITS_TIME
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.talk import Talk
from tests.support.wording import kinds_in

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
_ACCEPTED = """
INSERT INTO outbox (key, conversation, not_before, valid_until, state, settled_at, kind)
VALUES ('reminder', $1, now(), now() + interval '1 day', 'accepted', now(), $2) RETURNING id
"""


class Reminded:
    """Somebody with two bookings, reminded of the first one."""

    def __init__(self, talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens) -> None:
        self.talk = talk
        self.ward = ward
        self.hospital = hospital
        self._citizens = citizens

    async def books(self) -> None:
        self.old, self.new = await self.ward.session(starts=at("10:00", TUESDAY), units=(2, 2))
        (further,) = await self.ward.session("lungs-1", at("10:00", WEDNESDAY))
        self.citizen = await self._citizens.arrive(
            self.talk.conversation, self.talk.account, self.talk.openid
        )
        self.booking = await self.hospital.hold(self.old, self.citizen, effect())
        await self.hospital.hold(further, self.citizen, effect())

    async def is_reminded(self) -> None:
        """The reminder was accepted a moment ago: the row of a message, and what it invites to."""
        booking, kind = await self.hospital.booking(self.booking), kinds_in()[ladder.KIND]
        letter = Letter(
            title=kind.title,
            text="【就诊提醒】",
            options=tuple((key, say({})) for key, say in kind.options.items()),
            about=self.booking,
            expires=int(booking.starts_at.timestamp()),
        )
        self.talk.later(seconds=5)
        async with self.ward.db.transaction() as tx:
            known = await guards.current(tx, [ladder.guard(self.booking)])
            self.message = await tx.fetchval(_ACCEPTED, self.talk.conversation, ladder.KIND)
            await prompts.leave(tx, self.message, self.talk.conversation, ladder.KIND, letter, known)
            await tx.execute(IN_ITS_TIME, self.message, self.talk.ground.clock.now())
        self.talk.later(seconds=5)

    async def state(self) -> BookingState:
        return (await self.hospital.booking(self.booking)).state

    async def says(self, *words: str) -> str:
        return await self.talk.walk(*words)


@pytest.fixture
async def reminded(talk: Talk, ward: Ward, hospital: Hospital, citizens: Citizens) -> Reminded:
    reminded = Reminded(talk, ward, hospital, citizens)
    await reminded.books()
    await reminded.is_reminded()
    return reminded


async def read(db: Database, message: int) -> bool:
    return bool(await db.fetchval("SELECT state = 'read' FROM outbox WHERE id = $1", message))


async def test_1_says_that_one_comes_and_the_message_was_read(reminded: Reminded) -> None:
    assert "好的，明天 10:00 见。" in await reminded.says("1")
    assert await read(reminded.ward.db, reminded.message)
    assert await reminded.state() is BookingState.BOOKED
    assert "好的" not in await reminded.says("1"), "it is answered"


async def test_2_moves_that_very_booking(reminded: Reminded) -> None:
    assert "陈heart1医生，要改到哪一天？" in await reminded.says("2")
    assert "已改到：明天 11月24日 周二 10:30" in await reminded.says("1", "1", "1")
    assert (await reminded.hospital.booking(reminded.booking)).period == reminded.new


async def test_3_names_that_very_booking_and_asks(reminded: Reminded) -> None:
    asked = await reminded.says("3")
    assert "要取消这个号吗？" in asked
    assert "heart" in asked
    assert await reminded.state() is BookingState.BOOKED
    assert "已取消" in await reminded.says("1")
    assert await reminded.state() is BookingState.CANCELLED


async def test_a_message_that_was_answered_within_its_second_asked_which_one_was_meant(
    reminded: Reminded,
) -> None:
    soon = reminded.talk.ground.clock.now() + timedelta(milliseconds=400)
    await reminded.ward.db.execute("UPDATE prompts SET at = $1", soon)
    reminded.talk.later(milliseconds=500)
    assert "要取消这个号吗？" in await reminded.says("3")
    assert "已取消" in await reminded.says("1"), "what the dialogue it led to asks is meant, nothing else"


async def test_moved_elsewhere_meanwhile_the_digit_moves_nothing(reminded: Reminded) -> None:
    await reminded.hospital.move(reminded.booking, reminded.new, reminded.citizen, effect())
    reply = await reminded.says("3")
    assert "那个号已经改期、取消或停诊了" in reply
    assert "我的预约" in reply
    assert await reminded.state() is BookingState.BOOKED
