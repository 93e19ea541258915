"""Debts outlive everything: each is written once, looked after by one at a time, and settled in one step."""

import asyncio
import itertools
from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest

from core.chat.events import Event, Kind
from core.chat.replies import Said
from core.clock import CITY_ZONE
from core.delivery import rows
from core.delivery.lanes import Lane
from core.delivery.owed import Debt, Owed, event_of, words_of
from core.delivery.rows import Result, Row, Start
from core.seal import Seal, SealBrokenError
from core.stores.database import Database

HERE = f"city:{'0' * 32}"
LEASE = timedelta(seconds=30)
_numbers = itertools.count(1)


@pytest.fixture
async def owed(any_db: Database, seal: Seal) -> Owed:
    return Owed(any_db, seal)


def message(text: str = "挂号") -> Event:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=CITY_ZONE)
    event_id = f"{HERE}:m:{next(_numbers)}:{int(at.timestamp())}"
    return Event(id=event_id, account="city", openid="o-grandma", kind=Kind.TEXT, at=at, text=text)


def text(words: str) -> Said:
    return Said(type="text", at=0, text=words)


async def times_pass(db: Database, seconds: float) -> None:
    await db.execute(
        "UPDATE owed SET looked_at = looked_at - $1::interval, since = since - $1::interval",
        timedelta(seconds=seconds),
    )


async def debts(db: Database) -> int:
    return int(await db.fetchval("SELECT count(*) FROM owed"))


async def states(db: Database) -> dict[str, str]:
    return {row["key"]: row["state"] for row in await db.fetch("SELECT key, state FROM outbox ORDER BY id")}


async def test_a_debt_is_the_message_as_it_came(owed: Owed, any_db: Database) -> None:
    event = message("明天上午心内科 👩‍👩‍👧")
    await owed.owe(event)
    await times_pass(any_db, 1)
    assert await owed.due(1, 100) == [Debt(event.id, "city", event)]


async def test_owing_twice_is_one_debt_as_old_as_the_first(owed: Owed, any_db: Database) -> None:
    event = message()
    await owed.owe(event)
    await times_pass(any_db, 60)
    await owed.owe(event)
    await asyncio.gather(*(owed.owe(event) for _ in range(5)))
    assert await debts(any_db) == 1
    assert await any_db.fetchval("SELECT now() - since > interval '59 seconds' FROM owed")


async def test_neither_words_nor_openids_stand_in_the_rows(owed: Owed, any_db: Database) -> None:
    event = message("挂号")
    await owed.owe(event)
    await owed.send_later(message().id, text("预约成功"), 0)
    rows = [*await any_db.fetch("SELECT * FROM owed"), *await any_db.fetch("SELECT * FROM outbox")]
    values = [each for row in rows for each in row.values()]
    written = b"|".join(each if isinstance(each, bytes) else str(each).encode() for each in values)
    assert event.id.encode() in written, "control: what stands there openly is found"
    for secret in ("挂号", "预约成功", "o-grandma"):
        assert secret.encode() not in written


# --- looked after ---


async def test_a_new_debt_is_left_to_whoever_made_it_for_a_while(owed: Owed, any_db: Database) -> None:
    await owed.owe(message())
    assert await owed.due(60, 100) == []
    await times_pass(any_db, 61)
    assert len(await owed.due(60, 100)) == 1


async def test_nobody_else_looks_after_it_meanwhile(owed: Owed, any_db: Database, seal: Seal) -> None:
    await owed.owe(message())
    await times_pass(any_db, 61)
    assert len(await owed.due(60, 100)) == 1
    assert await Owed(any_db, seal).due(60, 100) == []
    await times_pass(any_db, 61)
    assert len(await Owed(any_db, seal).due(60, 100)) == 1, "who took it may have died"


async def test_the_longest_not_looked_after_come_first_and_all_come(owed: Owed, any_db: Database) -> None:
    events = [message() for _ in range(5)]
    for hours, event in enumerate(events, start=1):
        await owed.owe(event)
        await any_db.execute(
            "UPDATE owed SET looked_at = now() - $2::interval WHERE event = $1",
            event.id,
            timedelta(hours=hours),
        )
    seen = [{debt.event_id for debt in await owed.due(60, 2)} for _ in range(4)]
    assert seen == [{events[4].id, events[3].id}, {events[2].id, events[1].id}, {events[0].id}, set()]


async def test_several_sweepers_share_the_debts(owed: Owed, any_db: Database, seal: Seal) -> None:
    events = [message() for _ in range(40)]
    for event in events:
        await owed.owe(event)
    await times_pass(any_db, 61)

    async def sweep() -> list[str]:
        mine, found = Owed(any_db, seal), []
        while some := await mine.due(60, 3):
            found += [debt.event_id for debt in some]
        return found

    shares = await asyncio.gather(*(sweep() for _ in range(4)))
    assert sorted(itertools.chain(*shares)) == sorted(event.id for event in events)


async def test_a_row_that_cannot_be_opened_is_a_debt_without_a_message(owed: Owed, any_db: Database) -> None:
    broken, swapped, fine = message(), message(), message()
    for event in (broken, swapped, fine):
        await owed.owe(event)
    await any_db.execute(
        "UPDATE owed SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE event = $1", broken.id
    )
    await any_db.execute(
        "UPDATE owed SET sealed = (SELECT sealed FROM owed WHERE event = $2) WHERE event = $1",
        swapped.id,
        fine.id,
    )
    await times_pass(any_db, 61)
    read = {debt.event_id: debt.event for debt in await owed.due(60, 100)}
    assert read == {broken.id: None, swapped.id: None, fine.id: fine}


async def test_a_row_of_another_program_is_one_too(owed: Owed, any_db: Database, seal: Seal) -> None:
    event = message()
    foreign = seal.seal(msgspec.msgpack.encode({"not": "an event of ours"}), f"owed:{event.id}")
    await any_db.execute(
        "INSERT INTO owed (event, account, sealed) VALUES ($1, 'city', $2)", event.id, foreign
    )
    await times_pass(any_db, 61)
    assert await owed.due(60, 100) == [Debt(event.id, "city", None)]
    await owed.drop(event.id)
    assert await debts(any_db) == 0


# --- paid later ---


async def test_to_be_sent_later_it_is_a_message_of_ours_and_no_debt(
    owed: Owed, any_db: Database, seal: Seal
) -> None:
    event = message()
    await owed.owe(event)
    await owed.send_later(event.id, text("预约成功"), 0)
    assert await debts(any_db) == 0
    (row,) = await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)
    assert row.conversation == HERE
    assert event_of(row) == event.id
    assert words_of(row, seal) == text("预约成功")


async def test_it_waits_as_long_as_it_shall(owed: Owed, any_db: Database) -> None:
    await owed.send_later(message().id, text("预约成功"), 6)
    assert await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100) == []
    await any_db.execute("UPDATE outbox SET not_before = not_before - interval '6 seconds'")
    assert len(await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)) == 1


async def test_said_twice_it_is_sent_once_and_the_first_words_count(
    owed: Owed, any_db: Database, seal: Seal
) -> None:
    event = message()
    await owed.send_later(event.id, text("预约成功"), 0)
    await owed.send_later(event.id, text("刚才那条消息没有处理"), 0)
    (row,) = await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)
    assert words_of(row, seal) == text("预约成功")


async def test_where_it_cannot_be_queued_the_debt_stays(owed: Owed, any_db: Database) -> None:
    event = message()
    await owed.owe(event)
    await any_db.execute("ALTER TABLE outbox ADD CHECK (key NOT LIKE 'late:%')")
    with pytest.raises(asyncpg.CheckViolationError):
        await owed.send_later(event.id, text("预约成功"), 0)
    assert await debts(any_db) == 1


async def test_where_the_debt_cannot_be_deleted_nothing_is_queued(owed: Owed, any_db: Database) -> None:
    event = message()
    await owed.owe(event)
    await any_db.execute("CREATE TABLE debtors (event text REFERENCES owed)")
    await any_db.execute("INSERT INTO debtors VALUES ($1)", event.id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await owed.send_later(event.id, text("预约成功"), 0)
    assert await states(any_db) == {}


async def test_words_open_only_in_their_own_row(owed: Owed, any_db: Database, seal: Seal) -> None:
    one, other = message(), message()
    await owed.send_later(one.id, text("预约成功"), 0)
    await any_db.execute("UPDATE outbox SET key = $1", f"late:{other.id}")
    (row,) = await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)
    with pytest.raises(SealBrokenError):
        words_of(row, seal)


def test_what_is_no_late_reply_answers_no_message() -> None:
    assert event_of(Row(1, "reminder:42", HERE, b"", 1)) == ""


# --- settled ---


async def test_answered_after_all_nothing_is_owed_and_nothing_is_sent(owed: Owed, any_db: Database) -> None:
    answered, other = message(), message()
    await owed.send_later(answered.id, text("预约成功"), 0)
    await owed.send_later(other.id, text("预约成功"), 0)
    await owed.owe(answered)
    await owed.owe(other)
    await owed.settle(answered.id)
    assert await states(any_db) == {f"late:{answered.id}": "cancelled", f"late:{other.id}": "queued"}
    assert await debts(any_db) == 1, "the other one's"


async def test_a_reply_held_for_a_window_is_taken_back_too(owed: Owed, any_db: Database) -> None:
    event = message()
    await owed.send_later(event.id, text("预约成功"), 0)
    (row,) = await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)
    async with any_db.transaction() as tx:
        await rows.settle(tx, "us", [Result(row, "held", "no window")])
    await owed.settle(event.id)
    assert await states(any_db) == {f"late:{event.id}": "cancelled"}


async def test_what_is_being_sent_is_not_taken_back(owed: Owed, any_db: Database) -> None:
    event = message()
    await owed.send_later(event.id, text("预约成功"), 0)
    (row,) = await rows.claim(any_db, "us", Lane.REPLIES, LEASE, 100)
    await owed.settle(event.id)
    assert await states(any_db) == {f"late:{event.id}": "sending"}
    async with any_db.transaction() as tx:
        assert await rows.begin(tx, "us", [Start(row, "window")], LEASE / 3) == {row.id}


async def test_settling_what_nobody_owes_changes_nothing(owed: Owed, any_db: Database) -> None:
    await owed.owe(message())
    await owed.settle(message().id)
    assert await debts(any_db) == 1
