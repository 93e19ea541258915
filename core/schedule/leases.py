"""Who does a recurring job at the moment: a row that one process holds, on the database's time (design 7)."""

import secrets
from datetime import timedelta

from core.stores.database import Database

LEASE = timedelta(seconds=6)
RENEWAL_S = 2.0


class Leases:
    """The leases of one process. A job has to be correct even with two holders: one may have been asleep."""

    def __init__(self, db: Database, *, lease: timedelta = LEASE) -> None:
        self._db = db
        self._lease = lease
        self.holder = secrets.token_hex(8)

    async def take(self, name: str) -> bool:
        """Hold a lease, or hold it on; False while somebody else does."""
        found = await self._db.fetchval(
            """
            INSERT INTO leases (name, holder, until) VALUES ($1, $2, now() + $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
            WHERE leases.holder = excluded.holder OR leases.until < now() RETURNING 1
            """,
            name,
            self.holder,
            self._lease,
        )
        return found is not None

    async def release(self) -> None:
        """Give back everything this process holds, so that others need not wait."""
        await self._db.execute("DELETE FROM leases WHERE holder = $1", self.holder)

    async def held(self) -> dict[str, str]:
        """The holders of all leases that are not over."""
        rows = await self._db.fetch("SELECT name, holder FROM leases WHERE until > now()")
        return {row["name"]: row["holder"] for row in rows}
