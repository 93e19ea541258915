"""Several senders reach for the same messages, and each message has one of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import asyncpg
import pytest

from core.delivery import rows
from core.delivery.lanes import Lane
from core.delivery.rows import Row
from core.stores.database import Database, Transaction
from tests.core.delivery.sheet import LEASE, OTHERS, US, Sheet


class OneTransaction:
    """A database seen through one transaction that is not over yet; `without` is cut out of what it runs."""

    def __init__(self, tx: Transaction, without: str = "") -> None:
        self._tx = tx
        self._without = without

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        assert self._without in sql
        return await self._tx.fetch(sql.replace(self._without, "") if self._without else sql, *args)


def _seen(tx: Transaction, without: str) -> Database:
    return cast("Database", OneTransaction(tx, without))


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
            return await rows.claim(
                cast("Database", OneTransaction(tx, without)), OTHERS, Lane.REPLIES, LEASE, 10
            )

    async with sheet.db.transaction() as tx:
        ours = await rows.claim(_seen(tx, without), US, Lane.REPLIES, LEASE, 10)
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
    ours, theirs = await _both_take(sheet, watcher, without="FOR UPDATE OF o SKIP LOCKED")
    assert [row.key for row in (*ours, *theirs)] == ["a", "a"]


async def test_many_senders_take_many_messages_each_once_and_in_order(sheet: Sheet) -> None:
    keys = [f"{conversation}/{number}" for number in range(3) for conversation in range(10)]
    for key in keys:
        await sheet.queue(key, f"city:{int(key[0]):032x}")
    left: list[str] = []

    async def sender(name: str) -> None:
        while len(left) < len(keys):
            for row in (await sheet.claim(name, 2)).values():
                left.append(row.key)
                assert await sheet.begin(row, name)
                assert await sheet.settle(row, holder=name)

    async with asyncio.timeout(30):
        await asyncio.gather(*(sender(f"sender {number}") for number in range(6)))
    assert sorted(left) == sorted(keys)
    assert all(
        [key for key in left if key[0] == one] == [f"{one}/{n}" for n in range(3)] for one in "0123456789"
    )
