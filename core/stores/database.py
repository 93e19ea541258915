"""PostgreSQL: one pool, transactions, and nothing between us and SQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from core.errors import StoreGoneError

if TYPE_CHECKING:  # only the stubs know these as generic
    Transaction = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Transaction = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# What says "the server is not there" rather than "the statement is wrong".
GONE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncio.TimeoutError,
)


class Database:
    """A pool of connections to one PostgreSQL database (15 or newer)."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, connections: int = 10, timeout_s: float = 4.0) -> "Database":
        """Connect; `url` is a libpq URI, a unix socket as `postgresql:///name?host=/folder`."""
        pool = await asyncpg.create_pool(
            url, min_size=1, max_size=connections, command_timeout=timeout_s, timeout=timeout_s
        )
        return cls(pool)

    async def close(self) -> None:
        """Give every connection back; cut what does not come back within two seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), 2)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Span one change: commit when the block ends, roll back when it raises."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection
        except GONE as gone:
            raise StoreGoneError("PostgreSQL") from gone

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transaction]:
        try:
            async with self._pool.acquire() as connection:
                yield connection
        except GONE as gone:
            raise StoreGoneError("PostgreSQL") from gone

    async def fetch(self, sql: str, *args: object) -> list[asyncpg.Record]:
        """Run one statement and return its rows."""
        async with self._connection() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: object) -> asyncpg.Record | None:
        """Run one statement and return its first row."""
        async with self._connection() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: object) -> Any:
        """Run one statement and return its first value."""
        async with self._connection() as connection:
            return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: object) -> str:
        """Run one statement and return PostgreSQL's word for what it did."""
        async with self._connection() as connection:
            return await connection.execute(sql, *args)
