"""Messages of ours on their way: what may become of each, and in which order."""

from datetime import timedelta

import pytest

from core.delivery import outbox, rows
from core.delivery.rows import Row
from core.privacy import retention
from tests.core.delivery.sheet import HERE, LEASE, LEFT, OTHERS, THERE, US, WORDS, Sheet
from tests.support.purging import purged

# --- one message ---


async def test_a_message_is_queued_once_whatever_is_said_the_second_time(sheet: Sheet) -> None:
    await sheet.queue("a", HERE)
    await sheet.queue("a", THERE, after_s=60)
    assert [row.conversation for row in (await sheet.claim()).values()] == [HERE]


async def test_a_settled_message_is_not_queued_again(sheet: Sheet) -> None:
    await sheet.settle(await sheet.begun())
    await sheet.queue("a")
    assert await sheet.state() == "accepted"
    assert await sheet.claim() == {}


async def test_it_is_not_taken_before_its_time(sheet: Sheet) -> None:
    await sheet.queue("a", after_s=6)
    assert await sheet.claim() == {}
    await sheet.passes(timedelta(seconds=7))
    assert (await sheet.claim())["a"] == Row(1, "a", HERE, WORDS, 1, guards={f"recipient:{HERE}": 0})


async def test_who_took_it_has_it_alone_until_the_lease_ends(sheet: Sheet) -> None:
    await sheet.taken()
    await sheet.passes(LEASE - timedelta(seconds=5))
    assert await sheet.claim(OTHERS) == {}


@pytest.mark.parametrize("state", ["accepted", "failed", "unknown", "cancelled"])
async def test_settled_it_keeps_its_state_and_its_reason_but_no_words(sheet: Sheet, state: str) -> None:
    assert await sheet.settle(await sheet.begun(), state)
    await sheet.cancel("a")
    row = await sheet.row()
    assert (row["state"], row["reason"], row["sealed"]) == (state, "so it is", None)
    assert row["settled_at"] is not None
    assert await sheet.claim() == {}


async def test_what_is_settled_stays_so(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.settle(row, "accepted")
    assert not await sheet.settle(row, "failed")
    assert not await sheet.begin(row)
    await sheet.hold(row)
    await sheet.cancel("a")
    await outbox.release(sheet.db, [HERE])
    assert await rows.recover(sheet.db) == 0
    assert await sheet.state() == "accepted"


async def test_only_who_has_it_may_begin_settle_or_put_it_back(sheet: Sheet) -> None:
    row = await sheet.taken()
    assert not await sheet.begin(row, OTHERS)
    assert not await sheet.settle(row, holder=OTHERS)
    await sheet.put_back(row, 0, held=True, reason="", holder=OTHERS)
    assert (await sheet.row())["holder"] == US


async def test_put_back_it_waits_and_says_why(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.put_back(row, 60, held=False, reason="token: no answer")
    assert (await sheet.state(), (await sheet.row())["reason"]) == ("queued", "token: no answer")
    assert await sheet.claim() == {}
    await sheet.passes(timedelta(seconds=61))
    again = (await sheet.claim(OTHERS))["a"]
    assert (again.tries, again.sealed) == (2, WORDS)


@pytest.mark.parametrize("held", [False, True])
async def test_taken_back_before_anybody_began_it_is_never_sent(sheet: Sheet, held: bool) -> None:
    row = await sheet.taken()
    await sheet.put_back(row, 0, held=held, reason="")
    await sheet.cancel("a")
    assert await sheet.claim() == {}
    row_then = await sheet.row()
    assert (row_then["state"], row_then["reason"], row_then["sealed"]) == ("cancelled", "answered", None)


async def test_what_is_being_sent_cannot_be_taken_back(sheet: Sheet) -> None:
    row = await sheet.taken()
    await sheet.cancel("a")
    assert await sheet.state() == "sending"
    assert await sheet.begin(row)


# --- who held it died ---


async def test_a_lease_that_ends_before_the_request_began_gives_the_message_to_others(sheet: Sheet) -> None:
    ours = await sheet.taken()
    await sheet.passes(LEASE + timedelta(seconds=1))
    assert await rows.recover(sheet.db) == 0
    theirs = (await sheet.claim(OTHERS))["a"]
    assert theirs.tries == 1, "only what was begun counts"
    assert not await sheet.begin(ours), "it is theirs now"
    assert not await sheet.settle(ours)
    assert await sheet.begin(theirs, OTHERS)


async def test_a_request_does_not_begin_when_the_lease_may_end_under_it(sheet: Sheet) -> None:
    row = await sheet.taken()
    await sheet.passes(LEASE - LEFT + timedelta(seconds=1))
    assert not await sheet.begin(row)
    await sheet.passes(LEFT)
    await rows.recover(sheet.db)
    assert "a" in await sheet.claim(OTHERS), "it was not begun, so it is sent by others"


async def test_of_a_request_whose_sender_died_nobody_knows_what_became(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.passes(LEASE + timedelta(seconds=1))
    assert await sheet.claim(OTHERS) == {}, "a second request might say it twice"
    assert await rows.recover(sheet.db) == 1
    assert (await sheet.state(), (await sheet.row())["sealed"]) == ("unknown", None)
    assert not await sheet.settle(row), "its sender, awake again, comes too late"


async def test_a_request_under_way_is_not_given_up(sheet: Sheet) -> None:
    row = await sheet.begun()
    assert await rows.recover(sheet.db) == 0
    assert await sheet.settle(row)


async def test_a_message_that_died_with_its_holder_is_not_counted_as_begun_the_next_time(
    sheet: Sheet,
) -> None:
    row = await sheet.begun()
    await sheet.put_back(row, 0, held=False, reason="refused: too busy")
    await sheet.claim(OTHERS)
    await sheet.passes(LEASE + timedelta(seconds=1))
    assert await rows.recover(sheet.db) == 0
    assert "a" in await sheet.claim()


# --- too late ---


@pytest.mark.parametrize("held", [False, True])
async def test_after_two_days_it_is_not_worth_sending(sheet: Sheet, held: bool) -> None:
    row = await sheet.begun()
    await sheet.put_back(row, 0, held=held, reason="no window")
    await sheet.passes(timedelta(days=2, seconds=1))
    assert await sheet.claim() == {}
    assert await rows.recover(sheet.db) == 1
    row_then = await sheet.row()
    assert (row_then["state"], row_then["reason"], row_then["sealed"]) == ("expired", "no window", None)


async def test_one_in_a_dead_hand_expires_too_and_lets_the_next_one_go(sheet: Sheet) -> None:
    """Nobody could take it and nobody gave it up: its conversation heard nothing of ours ever again."""
    await sheet.taken()
    await sheet.passes(timedelta(days=2, seconds=1))
    await sheet.queue("b")
    assert await rows.recover(sheet.db) == 1
    assert await sheet.state() == "expired"
    assert list(await sheet.claim()) == ["b"]


async def test_one_that_is_being_sent_as_its_time_ends_is_finished(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.db.execute("UPDATE outbox SET valid_until = now() - interval '1 second'")
    assert await rows.recover(sheet.db) == 0
    assert await sheet.settle(row)


# --- order ---


async def test_messages_of_one_conversation_leave_in_their_order(sheet: Sheet) -> None:
    for key in "abc":
        await sheet.queue(key)
    left: list[str] = []
    while rows := await sheet.claim():
        ((key, row),) = rows.items()  # one at a time
        left.append(key)
        await sheet.settle(row)
    assert left == ["a", "b", "c"]


async def test_conversations_do_not_wait_for_each_other(sheet: Sheet) -> None:
    await sheet.queue("a", HERE, after_s=60)
    await sheet.queue("b", THERE)
    assert list(await sheet.claim()) == ["b"]


@pytest.mark.parametrize("held", [False, True])
async def test_the_next_one_waits_for_one_that_waits(sheet: Sheet, held: bool) -> None:
    first = await sheet.taken()
    await sheet.queue("b")
    assert await sheet.claim() == {}, "while the first is being sent"
    await sheet.put_back(first, 60, held=held, reason="")
    assert await sheet.claim() == {}, "and while it waits"
    await sheet.cancel("a")
    assert list(await sheet.claim()) == ["b"]


async def test_no_more_are_taken_than_asked_for(sheet: Sheet) -> None:
    for number in range(40):
        await sheet.queue(f"{number}", f"city:{number:032x}")
    for statistics in ("", "ANALYZE outbox"):
        await sheet.db.execute(statistics or "SELECT 1")
        rows = list((await sheet.claim(most=7)).values())
        assert len(rows) == 7, statistics


# --- held ---


async def test_a_held_message_goes_when_its_conversation_is_released(sheet: Sheet) -> None:
    await sheet.hold(await sheet.taken("a"))
    await sheet.queue("b", THERE)
    await sheet.hold((await sheet.claim())["b"])
    assert await sheet.claim() == {}
    await outbox.release(sheet.db, [HERE])
    assert (await sheet.state("a"), await sheet.state("b")) == ("queued", "held")
    assert "a" in await sheet.claim()


async def test_conversations_that_hold_something_are_named_now_and_then(sheet: Sheet) -> None:
    assert await outbox.held(sheet.db, 100, 2) == []
    await sheet.hold(await sheet.taken("a"), after_s=2)
    assert await outbox.held(sheet.db, 100, 2) == [], "not before its time"
    await sheet.passes(timedelta(seconds=2))
    assert await outbox.held(sheet.db, 100, 2) == [HERE]
    assert await outbox.held(sheet.db, 100, 2) == [], "somebody looks already"
    await sheet.passes(timedelta(seconds=2))
    assert await outbox.held(sheet.db, 100, 2) == [HERE]


async def test_releasing_does_not_hasten_what_waits_for_something_else(sheet: Sheet) -> None:
    row = await sheet.taken()
    await sheet.put_back(row, 60, held=False, reason="")
    await outbox.release(sheet.db, [HERE])
    assert await sheet.claim() == {}


# --- the end ---


async def test_what_was_settled_long_ago_is_forgotten_and_nothing_else(sheet: Sheet) -> None:
    await sheet.settle(await sheet.begun("old"))
    await sheet.hold(await sheet.taken("held for long"))
    await sheet.passes(timedelta(days=31))
    await sheet.queue("new", THERE)
    await sheet.settle((await sheet.claim())["new"])
    await purged(sheet.db, "outbox")
    keys = await sheet.db.fetch("SELECT key FROM outbox ORDER BY id")
    assert [row["key"] for row in keys] == ["held for long", "new"]


async def test_what_is_forgotten_may_be_more_than_one_statement_has_time_for(
    sheet: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for key in "abcde":
        await sheet.settle(await sheet.begun(key))
    await purged(sheet.db, "outbox")
    assert await sheet.db.fetchval("SELECT count(*) FROM outbox") == 5
    await sheet.passes(timedelta(days=31))
    await sheet.queue("f")
    await purged(sheet.db, "outbox")
    assert await sheet.db.fetchval("SELECT key FROM outbox") == "f"
