"""What WeChat Pay is to be asked about, of whatever kind: taken by one process at a time, and put off."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.stores.database import Database


@dataclass(frozen=True, slots=True)
class Queue:
    """The rows of a table that wait for the time in their column `due`; `shown` is what is returned of them.

    `waiting` says which do in just the words of the table's partial index, which finds them.
    """

    table: str
    waiting: str
    due: str
    shown: str = "id"

    async def take(self, db: Database, now: datetime, busy_until: datetime, limit: int) -> list[Any]:
        """Rows that are due now; who takes them has them until `busy_until`."""
        return await db.fetch(
            f"""
            UPDATE {self.table} SET busy_until = $2
            WHERE id = ANY(ARRAY(
                SELECT id FROM {self.table}
                WHERE {self.waiting} AND {self.due} <= $1 AND (busy_until IS NULL OR busy_until <= $1)
                ORDER BY {self.due}, id LIMIT $3 FOR UPDATE SKIP LOCKED))
            RETURNING {self.shown}
            """,  # noqa: S608 - our own words
            now,
            busy_until,
            limit,
        )

    async def put_off(self, db: Database, row_id: str, at: datetime) -> None:
        """Ask about one again then, if it still waits; it is in nobody's hands until then."""
        await db.execute(
            f"UPDATE {self.table} SET {self.due} = $2, busy_until = NULL WHERE id = $1 AND {self.waiting}",  # noqa: S608
            row_id,
            at,
        )
