"""Who does a recurring job at the moment: a row that one process holds, on the database's time (design 7)."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from core.errors import StoreGoneError
from core.stores.database import Database

LEASE = timedelta(seconds=6)
RENEWAL_S = 2.0

_log = structlog.get_logger("leases")


class Leases:
    """The leases of one process. A job has to be correct even with two holders: one may have been asleep."""

    def __init__(self, db: Database, *, lease: timedelta = LEASE) -> None:
        self._db = db
        self._lease = lease
        self.holder = secrets.token_hex(8)

    async def take(self, name: str, *, unless: str = "") -> bool:
        """Hold a lease, or hold it on; False while somebody else does, or holds one that `unless` begins."""
        found = await self._db.fetchval(
            """
            INSERT INTO leases (name, holder, until)
            SELECT $1, $2, now() + $3 WHERE $4 = '' OR NOT EXISTS (
                SELECT FROM leases WHERE starts_with(name, $4) AND until > now()
            )
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE leases.holder = excluded.holder OR leases.until < now() RETURNING 1
            """,
            name,
            self.holder,
            self._lease,
            unless,
        )
        return found is not None

    async def any_held(self, prefix: str) -> bool:
        """Tell whether somebody holds a lease whose name begins so."""
        return bool(
            await self._db.fetchval(
                "SELECT EXISTS (SELECT FROM leases WHERE starts_with(name, $1) AND until > now())", prefix
            )
        )

    @asynccontextmanager
    async def holding(self, name: str, *, unless: str = "") -> AsyncIterator[bool]:
        """Hold a lease, if it is to be had, as long as this lasts."""
        if not await self.take(name, unless=unless):
            yield False
            return
        renewal = asyncio.create_task(self._renew(name))
        try:
            yield True
        finally:
            renewal.cancel()
            with suppress(asyncio.CancelledError):
                await renewal

    async def release(self) -> None:
        """Give back everything this process holds, so that others need not wait."""
        await self._db.execute("DELETE FROM leases WHERE holder = $1", self.holder)

    async def held(self) -> dict[str, str]:
        """The holders of all leases that are not over."""
        rows = await self._db.fetch("SELECT name, holder FROM leases WHERE until > now()")
        return {row["name"]: row["holder"] for row in rows}

    async def _renew(self, name: str) -> None:
        while True:
            await asyncio.sleep(RENEWAL_S)
            try:
                await self.take(name)
            except StoreGoneError as gone:
                _log.warning("lease_not_renewed", name=name, store=gone.store)
