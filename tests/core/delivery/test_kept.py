"""What is kept for a citizen's next contact is shown when they ask, and its number is told once."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.chat.inbox import windows_key
from core.clock import CITY_ZONE, ManualClock
from core.delivery import kept as kept_messages
from core.delivery.kept import Kept
from core.delivery.kinds import Kinds
from core.delivery.prompts import Prompting
from core.delivery.sender import Outcome, Policy, Refused
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.test_prompts import writes
from tests.core.delivery.town import HERE, NOTICES, THERE

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


async def notes(bureau: Bureau, *guards: str, conversation: str = HERE) -> None:
    """Notes for which there is no way, each about something that may change."""
    for guard in guards:
        note = bureau.notice("note", conversation=conversation)
        await bureau.queue(replace(note, guards=(guard,)))
    await bureau.out.send_due()


async def looks(bureau: Bureau) -> None:
    await bureau.out.send_due()
    await bureau.out.send_due()


async def test_what_has_changed_since_was_counted_among_the_unread(bureau: Bureau) -> None:
    await notes(bureau, "a", "b", "c")
    await bureau.bump("b")
    await bureau.opens()
    await looks(bureau)
    assert bureau.heard == [told(2)]
    assert (await bureau.states())[:3] == [
        ("held", "no channel"), ("cancelled", "changed"), ("held", "no channel"),
    ]  # fmt: skip


async def test_where_all_has_changed_nobody_is_told_to_look(bureau: Bureau) -> None:
    await notes(bureau, "a", "b")
    await bureau.bump("a")
    await bureau.bump("b")
    await bureau.opens()
    await looks(bureau)
    assert bureau.heard == []
    assert set(await bureau.states()) == {("cancelled", "changed")}


async def the_number_finds_no_way(bureau: Bureau) -> None:
    """Somebody writes, and has got their last message before they are told what waits."""
    used_up: Outcome = Refused(Policy.WINDOW, 45047, "out of response count limit")
    await notes(bureau, "a", "b")
    await bureau.opens()
    bureau.post.answers = [used_up]
    await looks(bureau)
    assert bureau.heard == []
    assert (await bureau.states())[-1] == ("held", "no channel")


async def test_a_number_that_found_no_way_was_never_told_again(bureau: Bureau) -> None:
    await the_number_finds_no_way(bureau)
    await bureau.bump("a")
    await notes(bureau, "c", "d")
    assert bureau.heard == []
    await bureau.later()
    await bureau.opens()
    await looks(bureau)
    await looks(bureau)
    assert bureau.heard == [told(3)], "as many as there are now"
    assert (
        await bureau.db.fetchval("SELECT count(*) FROM outbox WHERE hold = 'kept' AND kind = 'unread'") == 0
    )


async def test_the_same_number_is_told_at_the_next_contact(bureau: Bureau) -> None:
    await the_number_finds_no_way(bureau)
    await looks(bureau)
    await bureau.later()
    await bureau.opens()
    await looks(bureau)
    await looks(bureau)
    assert bureau.heard == [told(2)]


async def test_what_was_read_meanwhile_is_not_announced_any_more(bureau: Bureau) -> None:
    await the_number_finds_no_way(bureau)
    for _ in range(2):
        await kept(bureau).show(HERE, writes(bureau).id)
    await bureau.later()
    await bureau.opens()
    await looks(bureau)
    assert bureau.heard == []
    assert (await bureau.states())[-1] == ("cancelled", "changed")


@pytest.mark.parametrize(("hold", "hour"), [("22:00-06:00", 6), ("21:00-10:00", 10)])
async def test_the_morning_began_at_eight_whatever_the_citys_quiet_hours(
    bureau: Bureau, hold: str, hour: int
) -> None:
    await over_the_cap(bureau, by=3)
    await bureau.redis.client.hset(WINDOW, "message_left", "3")
    bureau.kinds = Kinds(NOTICES, bureau.words, hold=hold)
    for now, heard in ((hour - 1, []), (hour, [told(3)])):
        await comes(bureau, now)
        assert bureau.heard == heard


async def test_who_writes_need_not_wait_until_all_others_were_looked_at(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notes(bureau, "a", "b")
    await notes(bureau, "c", "d", conversation=THERE)
    monkeypatch.setattr(kept_messages, "_AT_ONCE", 1)
    bureau.out = bureau.worker()  # it would begin with the others
    await bureau.opens(conversation=THERE)
    await bureau.out.send_due()
    assert bureau.post.phones[THERE].heard == [told(2)]


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
