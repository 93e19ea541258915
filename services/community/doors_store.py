"""The statements on doors, one function each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.stores.database import Database, Transaction

_OF_THESE = "split_part(place, '-', 1) = ANY($1)"


@dataclass(frozen=True, slots=True)
class NewDoor:
    """A door as it is kept."""

    place: str
    door: bytes
    sealed: bytes
    names: Sequence[bytes]


async def of_communities(tx: Transaction, codes: Collection[str]) -> set[bytes]:
    """The doors of these communities."""
    rows = await tx.fetch(f"SELECT door FROM community_doors WHERE {_OF_THESE}", list(codes))  # noqa: S608
    return {row["door"] for row in rows}


async def replace(tx: Transaction, codes: Collection[str], doors: Sequence[NewDoor], now: datetime) -> None:
    """Put these doors in the place of all that these communities had."""
    await tx.execute(f"DELETE FROM community_doors WHERE {_OF_THESE}", list(codes))  # noqa: S608
    await tx.executemany(
        "INSERT INTO community_doors (place, door, sealed, names, loaded_at) VALUES ($1, $2, $3, $4, $5)",
        [(each.place, each.door, each.sealed, list(each.names), now) for each in doors],
    )


async def named(db: Database, doors: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """The names at those of these doors that are listed."""
    rows = await db.fetch("SELECT door, names FROM community_doors WHERE door = ANY($1)", list(doors))
    return {row["door"]: row["names"] for row in rows}


async def having_lists(db: Database, places: Sequence[str]) -> set[str]:
    """Those of these places whose community has a list."""
    rows = await db.fetch(
        """
        SELECT p AS place FROM unnest($1::text[]) p WHERE EXISTS (
            SELECT FROM community_doors d WHERE starts_with(d.place, split_part(p, '-', 1))
        )
        """,
        list(places),
    )
    return {row["place"] for row in rows}
