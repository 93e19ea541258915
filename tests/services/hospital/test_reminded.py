"""A reminder on its way is stopped by a move or a cancellation wherever it is; the race has its control."""

from datetime import timedelta

import pytest

from core.chat.durations import Durations
from core.chat.inbox import Inbox, Run, Who, Window
from core.clock import ManualClock
from core.delivery.outgoing import Office, Outgoing
from core.schedule.reminders import Reminders
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from services.citizens.service import Citizens
from services.hospital import moving_store, store
from services.hospital.service import Hospital
from tests.core.delivery.town import Phone, Post, message
from tests.services.hospital.test_move_races import at_now
from tests.services.ward import MONDAY, Ward, at, effect
from tests.support.city_hospital import notices_of
from tests.support.talk import words_of
from tests.support.wording import kinds_in

TUESDAY = MONDAY + timedelta(days=1)
_WITHOUT_GUARDS = "UPDATE {} SET guard_keys = '{{\"free\"}}', guard_ns = '{{0}}'"


class Visitor:
    """A citizen with a booking for tomorrow, a phone, and what sends to it."""

    def __init__(self, ward: Ward, hospital: Hospital, seal: Seal, redis: Redis) -> None:
        self.ward = ward
        self.hospital = hospital
        self.reminders = Reminders(ward.db, notices_of(seal, ward.clock), ward.clock)
        self.inbox = Inbox(redis, Durations(flood=0))
        self.phone = Phone("city", "o-visitor")
        self._seal = seal
        self._redis = redis

    async def books(self) -> None:
        self.old, self.new = await self.ward.session(starts=at("10:00", TUESDAY), units=(1, 1))
        self.citizen = await self.ward.citizen()
        self.booking = await self.hospital.hold(self.old, self.citizen, effect())
        async with self.ward.db.transaction() as tx:
            conversation = await Citizens(self.ward.db, self._seal).conversation(tx, self.citizen)
        assert conversation is not None
        self.post = Post({conversation: self.phone})
        run = await self.inbox.enter(message(conversation), Who.NEW, Window.MESSAGE)
        assert isinstance(run, Run)
        await self.inbox.commit(run, b"session", b"reply")

    async def time_comes(self) -> None:
        """The moment of the first reminder; the database goes by its own time, whatever day it is there."""
        await self.ward.db.execute(
            "UPDATE reminders SET due_at = now() + o.ahead, valid_until = now() + o.ahead + interval '1 hour'"
            " FROM (SELECT id, CASE WHEN key LIKE '%:eve' THEN interval '0' ELSE interval '1 day' END"
            " AS ahead FROM reminders) o WHERE o.id = reminders.id"
        )

    async def fires(self) -> int:
        return await self.reminders.fire()

    async def sends(self) -> list[str]:
        """Send all that is due; what the phone heard so far."""
        office = Office(
            db=self.ward.db,
            redis=self._redis,
            seal=self._seal,
            clock=self.ward.clock,
            kinds=kinds_in(),
            words=words_of(),
            inbox=self.inbox,
            city=self.post,
            sender=self.post,
        )
        await Outgoing(office).send_due()
        return self.phone.heard

    async def moves(self) -> None:
        await self.hospital.move(self.booking, self.new, self.citizen, effect())


@pytest.fixture
async def visitor(ward: Ward, hospital: Hospital, seal: Seal, redis: Redis, clock: ManualClock) -> Visitor:
    clock.set(at("12:00"))
    visitor = Visitor(ward, hospital, seal, redis)
    await visitor.books()
    return visitor


async def states(db: Database) -> list[tuple[str, str]]:
    rows = await db.fetch("SELECT state, reason FROM outbox ORDER BY id")
    return [(row["state"], row["reason"]) for row in rows]


async def test_it_says_when_where_and_what_to_bring(visitor: Visitor) -> None:
    await visitor.time_comes()
    assert await visitor.fires() == 1
    (heard,) = await visitor.sends()
    assert heard.splitlines() == [
        "【就诊提醒】",
        "明天 11月24日 周二 10:00",
        "测试医院 heart",
        "陈heart1，第 1 号",
        "一楼1诊室",
        "请带身份证、医保卡",
    ]


async def test_moved_before_it_is_due_the_old_one_is_not_fired(visitor: Visitor) -> None:
    await visitor.moves()
    await visitor.time_comes()
    assert await visitor.fires() == 1
    (heard,) = await visitor.sends()
    assert "10:30" in heard


async def test_fired_and_still_waiting_it_is_cancelled_by_a_move(visitor: Visitor) -> None:
    await visitor.time_comes()
    await visitor.fires()
    await visitor.moves()
    assert await visitor.sends() == []
    assert await states(visitor.ward.db) == [("cancelled", "changed")]


async def test_fired_and_still_waiting_it_is_cancelled_by_a_cancellation(visitor: Visitor) -> None:
    await visitor.time_comes()
    await visitor.fires()
    await visitor.hospital.cancel(visitor.booking, visitor.citizen, effect())
    assert await visitor.sends() == []
    assert await states(visitor.ward.db) == [("cancelled", "changed")]


async def fired_while_it_moves(visitor: Visitor, control: str = "") -> list[str]:
    """Fire between a move's change and its commit, send after it."""
    wanted = moving_store.Move(store.Return(visitor.booking, visitor.citizen, "key"), visitor.new)
    await visitor.time_comes()
    async with visitor.ward.db.transaction() as tx:
        assert await moving_store.move(tx, wanted, at_now(visitor.ward)) is None
        assert await visitor.fires() == 1, "nobody knows of the move yet"
    if control:
        await visitor.ward.db.execute(control)
    return await visitor.sends()


async def test_fired_while_it_is_being_moved_it_is_not_sent(visitor: Visitor) -> None:
    assert await fired_while_it_moves(visitor) == []


async def test_control_without_guards_who_moved_is_sent_to_the_old_time(visitor: Visitor) -> None:
    (heard,) = await fired_while_it_moves(visitor, _WITHOUT_GUARDS.format("outbox"))
    assert "10:00" in heard


async def taken_when_it_moves(visitor: Visitor, control: str = "") -> list[str]:
    """Move while a worker has the message in hand and has not begun to send it."""
    await visitor.time_comes()
    await visitor.fires()

    async def meanwhile(_conversation: str) -> None:
        await visitor.moves()
        if control:
            await visitor.ward.db.execute(control)

    visitor.post.on_way = meanwhile
    return await visitor.sends()


async def test_in_a_workers_hands_it_is_still_cancelled_by_a_move(visitor: Visitor) -> None:
    assert await taken_when_it_moves(visitor) == []
    assert await states(visitor.ward.db) == [("cancelled", "changed")]


async def test_control_what_the_worker_holds_is_sent_if_nothing_counts_the_change(visitor: Visitor) -> None:
    (heard,) = await taken_when_it_moves(visitor, "DELETE FROM versions")
    assert "10:00" in heard
