"""PostgreSQL: one pool, transactions, and nothing between us and SQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import asyncpg

from core.clock import CITY_ZONE
from core.errors import BootError, StoreGoneError

if TYPE_CHECKING:  # only the stubs know these as generic
    Transaction = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:
    Transaction = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

# What says "the server is not there, or not for you now" rather than "the statement is wrong".
GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # we slept, and it did not wait
    asyncpg.TransactionRollbackError,  # a deadlock of which we were the victim
    asyncpg.InternalClientError,  # what a driver says whose server died between two steps of a statement
    TimeoutError,
)
# The same while connecting; inside a block these may also be somebody else's.
UNREACHABLE = (*GONE, OSError, asyncpg.InterfaceError)


class Database:
    """A pool of connections to one PostgreSQL database (15 or newer); sessions are in the city's zone."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s
        self._returning: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, url: str, *, connections: int = 10, timeout_s: float = 4.0) -> "Database":
        """Connect; `url` is a libpq URI, a unix socket as `postgresql:///name?host=/folder`.

        `timeout_s` bounds each wait for a connection and each statement. Who stops inside a transaction, for
        example a process that is suspended, keeps others from its rows for two and a half times as long.
        """
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=0,  # else it would by itself look for a server that is gone, and log each failure
                max_size=connections,
                command_timeout=timeout_s,
                timeout=timeout_s,
                server_settings={
                    "application_name": "bianmin",
                    "timezone": CITY_ZONE.key,
                    "idle_in_transaction_session_timeout": f"{int(2_500 * timeout_s)}",
                },
            )
            async with pool.acquire(timeout=timeout_s):
                return cls(pool, timeout_s)
        except (
            ValueError,
            asyncpg.InvalidCatalogNameError,
            asyncpg.InvalidAuthorizationSpecificationError,
        ) as wrong:
            raise BootError(f"PostgreSQL does not let us in ({wrong}): check stores.database_url") from wrong
        except UNREACHABLE as gone:
            raise StoreGoneError("PostgreSQL") from gone

    async def close(self) -> None:
        """Give every connection back; cut what does not come back within two seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), 2)
        except UNREACHABLE:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Span one change: commit when the block ends, roll back when it raises.

        `StoreGoneError` from the end of the block leaves open whether it was committed.
        """
        async with self._connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transaction]:
        try:
            connection = await self._pool.acquire(timeout=self._timeout_s)
        except UNREACHABLE as gone:
            raise StoreGoneError("PostgreSQL") from gone
        try:
            yield connection
        except BaseException as failed:
            was_closed = _is_closed(connection)
            # A server that hangs takes as long again to take its connection back: nobody waits for that.
            returning = asyncio.create_task(self._give_back(connection))
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)
            # A file that is missing, a connection used wrongly: not the server's fault.
            perhaps = isinstance(failed, OSError | asyncpg.InterfaceError)
            if isinstance(failed, GONE) or (perhaps and was_closed):
                raise StoreGoneError("PostgreSQL") from failed
            raise
        await self._give_back(connection)

    async def _give_back(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
        # What was done with it is decided by now; the pool drops a connection that dies here.
        with suppress(*UNREACHABLE):
            await self._pool.release(connection)

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


def _is_closed(connection: Transaction) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True  # the pool took it out of our hands, which it does when the connection is lost
