"""The rows of messages of ours in one database, and the time that passes for them."""

from datetime import timedelta

import asyncpg

from core.delivery import outbox, rows
from core.delivery.lanes import Lane
from core.delivery.rows import Result, Row, Start
from core.stores.database import Database

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
            await outbox.queue_reply(tx, key, conversation, WORDS, after_s)

    async def cancel(self, key: str) -> None:
        async with self.db.transaction() as tx:
            await outbox.cancel(tx, key, "answered")

    async def claim(self, holder: str = US, most: int = 100) -> dict[str, Row]:
        found = await rows.claim(self.db, holder, Lane.REPLIES, LEASE, most)
        return {row.key: row for row in found}

    async def taken(self, key: str = "a") -> Row:
        """A message that was just queued, in our hands."""
        await self.queue(key)
        return (await self.claim())[key]

    async def begin(self, row: Row, holder: str = US, channel: str = "window") -> bool:
        async with self.db.transaction() as tx:
            return row.id in await rows.begin(tx, holder, [Start(row, channel)], LEFT)

    async def begun(self, key: str = "a") -> Row:
        row = await self.taken(key)
        assert await self.begin(row)
        return row

    async def hold(self, row: Row, after_s: float = 0) -> None:
        await self.put_back(row, after_s, held=True, reason="no window")

    async def put_back(
        self, row: Row, after_s: float, *, held: bool = False, reason: str = "", holder: str = US
    ) -> None:
        await self.result(Result(row, "held" if held else "queued", reason, after_s), holder)

    async def settle(self, row: Row, state: str = "accepted", holder: str = US) -> bool:
        return await self.result(Result(row, state, "so it is"), holder)

    async def result(self, result: Result, holder: str = US) -> bool:
        async with self.db.transaction() as tx:
            return result.row.id in await rows.settle(tx, holder, [result])

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
                made_at = made_at - $1::interval, first_at = first_at - $1::interval,
                trying_at = trying_at - $1::interval, settled_at = settled_at - $1::interval
            """,
            by,
        )
