"""What communities hold of a citizen: where they live, as long as they want notices of that place."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.seal import Seal
from core.stores.database import Transaction
from services.community import homes
from services.community import homes_store as store

REQUEST_KEPT = timedelta(days=30)
_OVER = """(SELECT h.changed_at FROM community_homes h
    WHERE h.id = t.{} AND h.state NOT IN ('requested', 'active'))"""


class Dwellings(Holding):
    """Homes that citizens have, or asked for."""

    name = "homes"

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        until = "it is left, refused or over"
        self.tables = (
            Kept(
                "community_homes",
                "where a citizen lives, for notices to a building",
                End.ERASED,
                period=REQUEST_KEPT,
                since=_OVER.format("id"),
                until=until,
            ),
            Kept(
                "community_home_events",
                "who approved a home, and when",
                End.ERASED,
                period=REQUEST_KEPT,
                since=_OVER.format("home"),
                until=until,
            ),
        )

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each home with its door, the oldest first."""
        rows = await store.every(db, subject.citizen)
        entries = [
            {
                "where": row["where_"],
                **msgspec.json.decode(
                    self._seal.open(row["sealed"], homes.context(row["id"])), type=dict[str, str]
                ),
                "role": row["role"],
                "state": row["state"],
                "at": row["asked_at"],
            }
            for row in rows
        ]
        return Portion(self.name, len(entries), {}, entries)

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """All of it goes: nobody else needs it."""
        await store.alone(tx, subject.citizen)
        gone = await store.erase(tx, subject.citizen)
        return {self.name: gone} if gone else {}
