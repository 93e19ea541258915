"""What operators are told of messages that have not reached citizens."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from core.delivery import outbox, rows, standing
from core.delivery.backlog import BEHIND, Backlog, backlog
from core.delivery.lanes import Lane
from core.delivery.rows import Result, Row
from core.stores.database import Database

HERE, THERE, YONDER = (f"city:{digit * 32}" for digit in "0f9")
WORDS = b"sealed words of ours, longer than 29 bytes"
US = "us"


class Sheet:
    """Rows at every stage."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._made = 0

    async def owes(self, *, ago: timedelta) -> None:
        self._made += 1
        await self.db.execute(
            "INSERT INTO owed (event, account, sealed, since) VALUES ($1, 'city', $2, now() - $3::interval)",
            f"{HERE}:m:{self._made}:1",
            WORDS,
            ago,
        )

    async def queued(self, conversation: str, *, ago: timedelta = timedelta()) -> str:
        self._made += 1
        key = f"late:{conversation}:m:{self._made}:1"
        async with self.db.transaction() as tx:
            await outbox.queue_reply(tx, key, conversation, WORDS, 0)
        await self.db.execute("UPDATE outbox SET made_at = made_at - $2::interval WHERE key = $1", key, ago)
        return key

    async def taken(self, conversation: str, *, ago: timedelta = timedelta()) -> Row:
        key = await self.queued(conversation, ago=ago)
        claimed = await rows.claim(self.db, US, Lane.REPLIES, timedelta(seconds=30), 100)
        return {row.key: row for row in claimed}[key]

    async def put_back(self, row: Row, reason: str, *, held: bool = False) -> None:
        async with self.db.transaction() as tx:
            await rows.settle(tx, US, [Result(row, "held" if held else "queued", reason, 60)])

    async def settled(self, state: str, reason: str = "", *, ago: timedelta = timedelta()) -> None:
        row = await self.taken(YONDER)
        async with self.db.transaction() as tx:
            await rows.settle(tx, US, [Result(row, state, reason)])
        await self.db.execute(
            "UPDATE outbox SET settled_at = settled_at - $2::interval WHERE id = $1", row.id, ago
        )


@pytest.fixture
async def sheet(any_db: Database) -> Sheet:
    return Sheet(any_db)


def minutes_ago(since: datetime | None) -> int:
    assert since is not None
    return round((datetime.now(UTC) - since).total_seconds() / 60)


async def test_where_all_is_said_there_is_nothing_to_tell(sheet: Sheet) -> None:
    await sheet.settled("accepted")
    await sheet.settled("cancelled", "answered")
    assert await backlog(sheet.db) == Backlog()


async def test_what_is_owed_is_as_old_as_the_oldest(sheet: Sheet) -> None:
    for minutes in (5, 30, 1):
        await sheet.owes(ago=timedelta(minutes=minutes))
    behind = await backlog(sheet.db)
    assert (behind.owed, minutes_ago(behind.owed_since)) == (3, 30)


async def test_what_waits_is_counted_with_why_it_does(sheet: Sheet) -> None:
    await sheet.put_back(await sheet.taken(HERE, ago=timedelta(minutes=9)), "token: 40164 not in whitelist")
    await sheet.taken(THERE)
    await sheet.queued(YONDER)
    behind = await backlog(sheet.db)
    assert (behind.waiting, minutes_ago(behind.waiting_since), behind.held) == (3, 9, 0)
    assert behind.waiting_why == "token: 40164 not in whitelist"


async def test_what_is_held_is_not_late_nor_is_what_stands_behind_it(sheet: Sheet) -> None:
    await sheet.put_back(await sheet.taken(HERE, ago=timedelta(hours=9)), "no window", held=True)
    await sheet.queued(HERE, ago=timedelta(hours=8))
    await sheet.queued(THERE, ago=timedelta(minutes=2))
    behind = await backlog(sheet.db)
    assert (behind.held, behind.waiting, minutes_ago(behind.waiting_since)) == (2, 1, 2)
    assert behind.waiting_why == ""


async def test_of_what_is_lost_a_day_is_told(sheet: Sheet) -> None:
    for state in ("failed", "unknown", "expired"):
        await sheet.settled(state, "old", ago=timedelta(hours=25))
        await sheet.settled(state, f"{state} of late", ago=timedelta(hours=23))
    await sheet.settled("unknown", "no answer")
    await sheet.settled("expired", "expired of late")
    behind = await backlog(sheet.db)
    assert (behind.unknown, behind.failed, behind.failed_why) == (2, 3, "expired of late")


async def test_reasons_are_one_though_wechat_numbers_them(sheet: Sheet) -> None:
    for number in range(3):
        await sheet.settled("failed", f"48001 api unauthorized rid: 5f{number}-1a2b")
    for _ in range(2):
        await sheet.settled("failed", "unfollowed")
    assert (await backlog(sheet.db)).failed_why == "48001 api unauthorized"


_MANY_SETTLED = """
    WITH job AS (
        INSERT INTO jobs (key, kind, account, audience, sealed, not_before, valid_until, who)
        VALUES ('k', 'news', 'city', 'all', $1, now(), now(), 'staff') RETURNING id
    )
    INSERT INTO outbox (key, conversation, state, job, row_no, not_before, valid_until, settled_at)
    SELECT i::text, 'city:' || i, CASE WHEN i % 200 = 0 THEN 'failed' ELSE 'accepted' END,
           CASE WHEN i % 2 = 0 THEN id END, CASE WHEN i % 2 = 0 THEN i END, now(), now(),
           now() - i * interval '2 minutes'
    FROM generate_series(1, 20000) AS i, job
"""


async def test_a_look_at_what_is_open_read_thirty_days_of_rows(sheet: Sheet) -> None:
    """Health pages look once a second: of 300,000 settled rows each look took 70 to 100 ms."""
    await sheet.db.execute(_MANY_SETTLED, WORDS)
    for _ in range(3):
        await sheet.queued(HERE)
    await sheet.db.execute("ANALYZE outbox")
    for asked in (standing.WAITING, BEHIND):
        plan = "\n".join(row[0] for row in await sheet.db.fetch(f"EXPLAIN (ANALYZE, TIMING off) {asked}"))
        read = [int(found) for found in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
        assert "Seq Scan on outbox" not in plan, plan
        assert sum(read) < 100, plan
    assert (await backlog(sheet.db)).waiting == 3
