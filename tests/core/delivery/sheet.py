"""The rows of messages of ours in one database, and the time that passes for them."""

from datetime import timedelta

import asyncpg

from core.delivery import outbox
from core.delivery.outbox import Row
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
