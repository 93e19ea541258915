"""What is kept for a citizen's next contact is shown when they ask, and its number is told once."""

from datetime import datetime, timedelta

from core.chat.inbox import windows_key
from core.clock import CITY_ZONE, ManualClock
from core.delivery.kept import Kept
from core.delivery.prompts import Prompting
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.test_prompts import writes
from tests.core.delivery.town import HERE

TEMPLATE, WINDOW = "[T-visit]", windows_key(HERE)


def told(count: int) -> str:
    return f"您有 {count} 条未读消息，回复“未读”查看"


async def visits(bureau: Bureau, count: int) -> None:
    for _ in range(count):
        await bureau.queue(bureau.notice("visit"))
    for _ in range(3):  # whoever looks after the outbox looks again and again
        await bureau.out.send_due()


async def over_the_cap(bureau: Bureau, by: int) -> None:
    """Somebody with an open window gets more than the eight of a day."""
    await bureau.opens()
    await visits(bureau, 8)
    assert len(bureau.heard) == 8
    bureau.heard.clear()
    await wrote_an_hour_ago(bureau)
    await visits(bureau, by)


async def test_over_the_cap_nothing_is_told_until_they_write(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=4)
    assert bureau.heard == []
    await bureau.opens()
    for _ in range(3):
        await bureau.out.send_due()
    assert bureau.heard == [told(4)]


async def wrote_an_hour_ago(bureau: Bureau) -> None:
    """Let an hour have passed since the last contact: the window is still open."""
    await bureau.redis.client.hincrby(WINDOW, "message", -3_600_000)


async def test_each_further_one_is_no_further_announcement(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=2)
    await bureau.opens()
    await bureau.out.send_due()
    await wrote_an_hour_ago(bureau)
    for _ in range(5):
        await visits(bureau, 1)
    assert bureau.heard == [told(2)]
    await bureau.opens()
    await bureau.out.send_due()
    assert bureau.heard == [told(2), told(7)]


async def test_a_single_one_over_the_cap_is_told_and_does_not_go_round(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=1)
    await bureau.opens()
    since = set()
    for _ in range(3):
        await bureau.out.send_due()
        since.add(await bureau.db.fetchval("SELECT not_before FROM outbox WHERE hold = 'kept'"))
    assert bureau.heard == [told(1)]
    assert len(since) == 1


async def test_the_next_morning_tells_who_wrote_nothing(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=3)
    await bureau.redis.client.hset(WINDOW, "message_left", "3")
    for hour, heard in ((7, []), (8, [told(3)]), (9, [told(3)])):
        await comes(bureau, hour)
        assert bureau.heard == heard


async def test_what_a_window_spares_for_urgent_ones_is_not_spent_on_a_number(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=3)
    await comes(bureau, 8)
    assert bureau.heard == []
    await bureau.opens()
    await comes(bureau, 8)
    assert bureau.heard == [told(3)]


async def test_the_next_morning_a_single_one_goes_out_itself(bureau: Bureau) -> None:
    """It needs no window: it may have a template."""
    await over_the_cap(bureau, by=1)
    await bureau.redis.client.delete(WINDOW)
    await comes(bureau, 8)
    assert bureau.heard == [TEMPLATE]
    assert await bureau.db.fetchval("SELECT count(*) FROM outbox WHERE hold = 'kept'") == 0


async def comes(bureau: Bureau, hour: int) -> None:
    """Let the next day come to this hour: two days on, in case midnight passes meanwhile."""
    now = datetime.now(CITY_ZONE)
    bureau.clock = ManualClock((now + timedelta(days=2)).replace(hour=hour, minute=5))
    bureau.out = bureau.worker()
    await bureau.out.send_due()
    await bureau.db.execute("UPDATE outbox SET not_before = now() WHERE state = 'queued'")
    await bureau.out.send_due()


async def test_what_is_told_once_costs_nothing_while_it_waits(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=2)
    for _ in range(3):
        await bureau.opens()
        await bureau.out.send_due()
    assert bureau.heard == [told(2)]
    assert await bureau.db.fetchval("SELECT count(*) FROM outbox WHERE kind = 'unread'") == 1


def kept(bureau: Bureau) -> Kept:
    return Kept(bureau.db, bureau.seal, bureau.words, bureau.clock)


async def test_kept_messages_are_shown_one_at_a_time_and_the_same_to_the_same_message(
    bureau: Bureau,
) -> None:
    await over_the_cap(bureau, by=2)
    first, second, third = (writes(bureau) for _ in range(3))
    for event, left in ((first, 1), (second, 0)):
        shown = await kept(bureau).show(HERE, event.id)
        assert shown is not None
        assert (shown.letter.title, shown.left) == ("心内科就诊提醒", left)
        assert await kept(bureau).show(HERE, event.id) == shown
    assert await kept(bureau).show(HERE, third.id) is None


async def test_what_is_shown_may_itself_wait_for_a_digit(bureau: Bureau) -> None:
    await over_the_cap(bureau, by=1)
    await bureau.db.execute("DELETE FROM prompts")  # those of the eight that were sent
    await kept(bureau).show(HERE, writes(bureau).id)
    (waits,) = await Prompting(bureau.db).pending(writes(bureau))
    assert waits.options == (("come", "会到"), ("move", "改期"))


async def test_one_that_nobody_can_read_any_more_does_not_stand_before_the_others(bureau: Bureau) -> None:
    for about in ("first", "second"):
        await bureau.queue(bureau.notice("note", about))
    await bureau.out.send_due()
    await bureau.db.execute("UPDATE outbox SET sealed = repeat('x', 40)::bytea WHERE id = 1")
    shown = await kept(bureau).show(HERE, writes(bureau).id)
    assert shown is not None
    assert shown.left == 0
    assert await bureau.states() == [("failed", "unreadable"), ("accepted", "no channel")]
