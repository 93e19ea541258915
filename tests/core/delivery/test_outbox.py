"""Messages of ours on their way: what may become of each, in which order, and whose they are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import asyncpg
import pytest

from core.delivery import outbox
from core.delivery.outbox import Row
from core.stores.database import Database, Transaction

HERE, THERE = f"city:{'0' * 32}", f"city:{'f' * 32}"
WORDS = b"sealed words of ours, longer than 29 bytes"
US, OTHERS = "us", "others"
LEASE, LEFT = timedelta(seconds=30), timedelta(seconds=10)


class Sheet:
    """The rows of one database, and the time that passes for them."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def queue(self, key: str, conversation: str = HERE, after_s: float = 0) -> None:
        async with self.db.transaction() as tx:
            await outbox.queue(tx, key, conversation, WORDS, after_s)

    async def cancel(self, key: str) -> None:
        async with self.db.transaction() as tx:
            await outbox.cancel(tx, key, "answered")

    async def claim(self, holder: str = US) -> dict[str, Row]:
        return {row.key: row for row in await outbox.claim(self.db, holder, LEASE, 100)}

    async def taken(self, key: str = "a") -> Row:
        """A message that was just queued, in our hands."""
        await self.queue(key)
        return (await self.claim())[key]

    async def begun(self, key: str = "a") -> Row:
        row = await self.taken(key)
        assert await outbox.begin(self.db, row, US, LEFT)
        return row

    async def hold(self, row: Row, after_s: float = 0) -> None:
        await outbox.put_back(self.db, row, US, after_s, held=True, reason="no window")

    async def settle(self, row: Row, state: str = "accepted", holder: str = US) -> bool:
        return await outbox.settle(self.db, row, holder, state, "so it is")

    async def state(self, key: str = "a") -> str:
        return str(await self.db.fetchval("SELECT state FROM outbox WHERE key = $1", key))

    async def row(self, key: str = "a") -> asyncpg.Record:
        row = await self.db.fetchrow("SELECT * FROM outbox WHERE key = $1", key)
        assert row is not None
        return row

    async def passes(self, by: timedelta) -> None:
        """Let every row be so much older."""
        await self.db.execute(
            """
            UPDATE outbox SET
                not_before = not_before - $1::interval, valid_until = valid_until - $1::interval,
                lease_until = lease_until - $1::interval, attempted_at = attempted_at - $1::interval,
                made_at = made_at - $1::interval, settled_at = settled_at - $1::interval
            """,
            by,
        )


@pytest.fixture
async def sheet(any_db: Database) -> Sheet:
    return Sheet(any_db)


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
    assert (await sheet.claim())["a"] == Row(1, "a", HERE, WORDS, 1)


async def test_who_took_it_has_it_alone_until_the_lease_ends(sheet: Sheet) -> None:
    await sheet.taken()
    await sheet.passes(LEASE - timedelta(seconds=5))
    assert await sheet.claim(OTHERS) == {}


@pytest.mark.parametrize("state", ["accepted", "failed", "unknown", "cancelled"])
async def test_settled_it_keeps_its_state_and_its_reason_but_no_words(sheet: Sheet, state: str) -> None:
    assert await sheet.settle(await sheet.begun(), state)
    row = await sheet.row()
    assert (row["state"], row["reason"], row["sealed"]) == (state, "so it is", None)
    assert row["settled_at"] is not None
    assert await sheet.claim() == {}


async def test_what_is_settled_stays_so(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.settle(row, "accepted")
    assert not await sheet.settle(row, "failed")
    assert not await outbox.begin(sheet.db, row, US, LEFT)
    await sheet.hold(row)
    await sheet.cancel("a")
    await outbox.release(sheet.db, [HERE])
    assert await outbox.give_up(sheet.db) == 0
    assert await sheet.state() == "accepted"


async def test_only_who_has_it_may_begin_settle_or_put_it_back(sheet: Sheet) -> None:
    row = await sheet.taken()
    assert not await outbox.begin(sheet.db, row, OTHERS, LEFT)
    assert not await sheet.settle(row, holder=OTHERS)
    await outbox.put_back(sheet.db, row, OTHERS, 0, held=True, reason="")
    assert (await sheet.row())["holder"] == US


async def test_put_back_it_waits_and_says_why(sheet: Sheet) -> None:
    row = await sheet.begun()
    await outbox.put_back(sheet.db, row, US, 60, held=False, reason="token: no answer")
    assert (await sheet.state(), (await sheet.row())["reason"]) == ("queued", "token: no answer")
    assert await sheet.claim() == {}
    await sheet.passes(timedelta(seconds=61))
    again = (await sheet.claim(OTHERS))["a"]
    assert (again.tries, again.sealed) == (2, WORDS)


@pytest.mark.parametrize("held", [False, True])
async def test_taken_back_before_anybody_began_it_is_never_sent(sheet: Sheet, held: bool) -> None:
    row = await sheet.taken()
    await outbox.put_back(sheet.db, row, US, 0, held=held, reason="")
    await sheet.cancel("a")
    assert await sheet.claim() == {}
    row_then = await sheet.row()
    assert (row_then["state"], row_then["reason"], row_then["sealed"]) == ("cancelled", "answered", None)


async def test_what_is_being_sent_cannot_be_taken_back(sheet: Sheet) -> None:
    row = await sheet.taken()
    await sheet.cancel("a")
    assert await sheet.state() == "sending"
    assert await outbox.begin(sheet.db, row, US, LEFT)


# --- who held it died ---


async def test_a_lease_that_ends_before_the_request_began_gives_the_message_to_others(sheet: Sheet) -> None:
    ours = await sheet.taken()
    await sheet.passes(LEASE + timedelta(seconds=1))
    theirs = (await sheet.claim(OTHERS))["a"]
    assert theirs.tries == 2
    assert not await outbox.begin(sheet.db, ours, US, LEFT), "it is theirs now"
    assert not await sheet.settle(ours)
    assert await outbox.begin(sheet.db, theirs, OTHERS, LEFT)


async def test_a_request_does_not_begin_when_the_lease_may_end_under_it(sheet: Sheet) -> None:
    row = await sheet.taken()
    await sheet.passes(LEASE - LEFT + timedelta(seconds=1))
    assert not await outbox.begin(sheet.db, row, US, LEFT)
    await sheet.passes(LEFT)
    assert "a" in await sheet.claim(OTHERS), "it was not begun, so it is sent by others"


async def test_of_a_request_whose_sender_died_nobody_knows_what_became(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.passes(LEASE + timedelta(seconds=1))
    assert await sheet.claim(OTHERS) == {}, "a second request might say it twice"
    assert await outbox.give_up(sheet.db) == 1
    assert (await sheet.state(), (await sheet.row())["sealed"]) == ("unknown", None)
    assert not await sheet.settle(row), "its sender, awake again, comes too late"


async def test_a_request_under_way_is_not_given_up(sheet: Sheet) -> None:
    row = await sheet.begun()
    assert await outbox.give_up(sheet.db) == 0
    assert await sheet.settle(row)


async def test_a_message_that_died_with_its_holder_is_not_counted_as_begun_the_next_time(
    sheet: Sheet,
) -> None:
    row = await sheet.begun()
    await outbox.put_back(sheet.db, row, US, 0, held=False, reason="refused: too busy")
    await sheet.claim(OTHERS)
    await sheet.passes(LEASE + timedelta(seconds=1))
    assert await outbox.give_up(sheet.db) == 0
    assert "a" in await sheet.claim()


# --- too late ---


@pytest.mark.parametrize("held", [False, True])
async def test_after_two_days_it_is_not_worth_sending(sheet: Sheet, held: bool) -> None:
    row = await sheet.taken()
    await outbox.put_back(sheet.db, row, US, 0, held=held, reason="no window")
    await sheet.passes(timedelta(days=2, seconds=1))
    assert await sheet.claim() == {}
    assert await outbox.give_up(sheet.db) == 1
    row_then = await sheet.row()
    assert (row_then["state"], row_then["reason"], row_then["sealed"]) == ("expired", "no window", None)


async def test_one_in_a_dead_hand_expires_too_and_lets_the_next_one_go(sheet: Sheet) -> None:
    """Nobody could take it and nobody gave it up: its conversation heard nothing of ours ever again."""
    await sheet.taken()
    await sheet.passes(timedelta(days=2, seconds=1))
    await sheet.queue("b")
    assert await outbox.give_up(sheet.db) == 1
    assert await sheet.state() == "expired"
    assert list(await sheet.claim()) == ["b"]


async def test_one_that_is_being_sent_as_its_time_ends_is_finished(sheet: Sheet) -> None:
    row = await sheet.begun()
    await sheet.db.execute("UPDATE outbox SET valid_until = now() - interval '1 second'")
    assert await outbox.give_up(sheet.db) == 0
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
    await outbox.put_back(sheet.db, first, US, 60, held=held, reason="")
    assert await sheet.claim() == {}, "and while it waits"
    await sheet.cancel("a")
    assert list(await sheet.claim()) == ["b"]


async def test_no_more_are_taken_than_asked_for(sheet: Sheet) -> None:
    for number in range(40):
        await sheet.queue(f"{number}", f"city:{number:032x}")
    for statistics in ("", "ANALYZE outbox"):
        await sheet.db.execute(statistics or "SELECT 1")
        rows = await outbox.claim(sheet.db, US, LEASE, 7)
        assert len(rows) == 7, statistics


# --- held ---


async def test_a_held_message_goes_when_its_conversation_is_released(sheet: Sheet) -> None:
    await sheet.hold(await sheet.taken("a"))
    await sheet.queue("b", THERE)
    await sheet.hold((await sheet.claim())["b"])
    assert await sheet.claim() == {}
    await outbox.release(sheet.db, [HERE])
    assert (await sheet.state("a"), await sheet.state("b")) == ("queued", "held")
    assert (await sheet.claim())["a"].tries == 2


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
    await outbox.put_back(sheet.db, row, US, 60, held=False, reason="")
    await outbox.release(sheet.db, [HERE])
    assert await sheet.claim() == {}


# --- the end ---


async def test_what_was_settled_long_ago_is_forgotten_and_nothing_else(sheet: Sheet) -> None:
    await sheet.settle(await sheet.begun("old"))
    await sheet.hold(await sheet.taken("held for long"))
    await sheet.passes(timedelta(days=31))
    await sheet.queue("new", THERE)
    await sheet.settle((await sheet.claim())["new"])
    await outbox.purge(sheet.db, timedelta(days=30))
    keys = await sheet.db.fetch("SELECT key FROM outbox ORDER BY id")
    assert [row["key"] for row in keys] == ["held for long", "new"]


# --- several senders ---


class OneTransaction:
    """A database seen through one transaction that is not over yet; `without` is cut out of what it runs."""

    def __init__(self, tx: Transaction, without: str = "") -> None:
        self._tx = tx
        self._without = without

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        assert self._without in sql
        return await self._tx.fetch(sql.replace(self._without, "") if self._without else sql, *args)


@pytest.fixture
async def watcher(any_db_url: str) -> AsyncIterator[Database]:
    """A connection of its own that sees who waits for whom."""
    database = await Database.open(any_db_url)
    yield database
    await database.close()


async def _both_take(sheet: Sheet, watcher: Database, without: str = "") -> tuple[list[Row], list[Row]]:
    """Two senders reach for one message, the second before the first one's transaction is over."""
    await sheet.queue("a")

    async def second() -> list[Row]:
        async with sheet.db.transaction() as tx:
            return await outbox.claim(cast("Database", OneTransaction(tx, without)), OTHERS, LEASE, 10)

    async with sheet.db.transaction() as tx:
        ours = await outbox.claim(cast("Database", OneTransaction(tx, without)), US, LEASE, 10)
        other = asyncio.create_task(second())
        async with asyncio.timeout(15):
            while not other.done() and not await _somebody_waits(watcher):  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
    return ours, await other


async def _somebody_waits(watcher: Database) -> bool:
    return bool(
        await watcher.fetchval(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        )
    )


async def test_two_senders_reach_for_one_message_and_one_gets_it(sheet: Sheet, watcher: Database) -> None:
    ours, theirs = await _both_take(sheet, watcher)
    assert [row.key for row in ours] == ["a"]
    assert theirs == []


async def test_control_without_the_row_lock_both_get_it(sheet: Sheet, watcher: Database) -> None:
    ours, theirs = await _both_take(sheet, watcher, without="FOR UPDATE SKIP LOCKED")
    assert [row.key for row in (*ours, *theirs)] == ["a", "a"]


async def test_many_senders_take_many_messages_each_once_and_in_order(sheet: Sheet) -> None:
    keys = [f"{conversation}/{number}" for number in range(3) for conversation in range(10)]
    for key in keys:
        await sheet.queue(key, f"city:{int(key[0]):032x}")
    left: list[str] = []

    async def sender(name: str) -> None:
        while len(left) < len(keys):
            for row in await outbox.claim(sheet.db, name, LEASE, 2):
                left.append(row.key)
                assert await outbox.begin(sheet.db, row, name, LEFT)
                assert await sheet.settle(row, holder=name)

    async with asyncio.timeout(30):
        await asyncio.gather(*(sender(f"sender {number}") for number in range(6)))
    assert sorted(left) == sorted(keys)
    assert all(
        [key for key in left if key[0] == one] == [f"{one}/{n}" for n in range(3)] for one in "0123456789"
    )
