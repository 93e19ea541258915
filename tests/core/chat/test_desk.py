"""The human desk: sealed rows, pages, closing, and when somebody is there."""

from datetime import datetime, time

import pytest

from core.chat.desk import Desk, DeskHours, Waiting
from core.clock import CITY_ZONE, ManualClock
from core.effects import Effect
from core.seal import Seal
from core.stores.database import Database

CONVERSATION = "city:0123456789abcdef0123456789abcdef"
HOURS = DeskHours(time(8, 30), time(17, 30))


@pytest.fixture
def desk(db: Database, seal: Seal, clock: ManualClock) -> Desk:
    return Desk(db, seal, clock, HOURS)


async def left(desk: Desk, *texts: str) -> list[str]:
    return [await desk.leave(CONVERSATION, text, Effect(f"run-{text}", "leave", b"")) for text in texts]


async def test_a_message_is_sealed_and_can_be_read_by_staff(desk: Desk, db: Database) -> None:
    (number,) = await left(desk, "我妈的药开错了")
    message = await desk.show(number)
    assert message is not None
    assert (message.text, message.conversation, message.closed_at) == ("我妈的药开错了", CONVERSATION, None)
    row = await db.fetchrow("SELECT * FROM desk_messages")
    assert row is not None
    assert "药".encode() not in b"".join(
        str(value).encode() if not isinstance(value, bytes) else value for value in row
    )


async def test_the_same_effect_leaves_one_message(desk: Desk) -> None:
    assert len({*await left(desk, "一"), *await left(desk, "一")}) == 1


async def test_a_sealed_message_cannot_be_put_under_another_number(desk: Desk, db: Database) -> None:
    one, two = await left(desk, "一", "二")
    await db.execute(
        "UPDATE desk_messages SET sealed = (SELECT sealed FROM desk_messages WHERE id = $1) WHERE id = $2",
        one,
        two,
    )
    with pytest.raises(Exception, match="sealed for another place"):
        await desk.show(two)


async def test_pages_are_oldest_first_and_lose_nothing_even_with_equal_times(
    desk: Desk, db: Database
) -> None:
    numbers = await left(desk, *"一二三四五")
    await db.execute(
        "UPDATE desk_messages SET left_at = '2020-11-23 09:00+08' WHERE id = ANY($1)", numbers[:3]
    )
    seen: list[str] = []
    while page := await desk.list(after=seen[-1] if seen else "", limit=2):
        seen += [message.id for message in page]
    assert len(seen) == 5
    assert set(seen) == set(numbers)
    assert {"一", "二", "三"} == {m.text for m in await desk.list(limit=3)}


async def test_closing_is_done_once_and_hides_it_from_the_waiting(desk: Desk) -> None:
    one, two = await left(desk, "一", "二")
    assert await desk.close(one, "王姐")
    assert not await desk.close(one, "李哥")
    assert not await desk.close("m-nowhere", "王姐")
    assert [message.id for message in await desk.list()] == [two]
    closed = next(message for message in await desk.list(closed=True) if message.id == one)
    assert closed.closed_by == "王姐"
    assert closed.closed_at is not None
    assert await desk.show("m-nowhere") is None


async def test_two_messages_of_one_citizen_looked_like_two_citizens(desk: Desk) -> None:
    (one,) = await left(desk, "一")
    other = await desk.leave(
        "city:fedcba98765432100123456789abcdef", "别人", Effect("run-other", "leave", b"")
    )
    (two,) = await left(desk, "二")
    await desk.close(one, "王姐")
    first, second = await desk.list()
    assert (first.id, first.writer, first.siblings) == (other, "fedcba98", (other,))
    assert (second.id, second.account, second.writer) == (two, "city", "01234567")
    assert second.siblings == (one, two)
    shown = await desk.show(two)
    assert shown == second


async def test_how_much_waits_and_since_when(desk: Desk) -> None:
    assert await desk.waiting() == Waiting(0, None)
    one, two = await left(desk, "一", "二")
    first = await desk.show(one)
    assert first is not None
    assert await desk.waiting() == Waiting(2, first.left_at)
    await desk.close(one, "王姐")
    await desk.close(two, "王姐")
    assert await desk.waiting() == Waiting(0, None)


@pytest.mark.parametrize(
    ("moment", "there"),
    [
        (datetime(2026, 11, 23, 8, 29, tzinfo=CITY_ZONE), False),
        (datetime(2026, 11, 23, 8, 30, tzinfo=CITY_ZONE), True),
        (datetime(2026, 11, 27, 17, 29, tzinfo=CITY_ZONE), True),
        (datetime(2026, 11, 27, 17, 30, tzinfo=CITY_ZONE), False),
        (datetime(2026, 11, 28, 10, 0, tzinfo=CITY_ZONE), False),
    ],
)
def test_hours(desk: Desk, clock: ManualClock, moment: datetime, there: bool) -> None:
    clock.set(moment)
    assert desk.is_open() is there
