"""The statements on places, one function each."""

from collections.abc import Collection, Sequence
from datetime import datetime

from core.stores.database import Database, Transaction
from services.community.model import Place, PlaceKind

_PLACE = "id, coalesce(parent, ''), kind, name, households"


async def alone(tx: Transaction) -> None:
    """Let nobody else load places until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('community-places', 0))")


async def under(db: Database | Transaction, codes: Sequence[str]) -> list[Place]:
    """The places of these communities or of what is above, with what they are in, from above down."""
    rows = await db.fetch(
        f"""
        SELECT DISTINCT {_PLACE}, length(id) FROM community_places p, unnest($1::text[]) AS c (code)
        WHERE p.id LIKE c.code || '%' OR c.code LIKE p.id || '%' ORDER BY length(id), id
        """,  # noqa: S608 - names of columns
        list(codes),
    )
    return [_place(row) for row in map(tuple, rows)]


async def within(db: Database, parent: str, after: str, limit: int) -> list[Place]:
    """What is right below a place ("" = the districts), by name, from behind one on."""
    rows = await db.fetch(
        f"""
        SELECT {_PLACE} FROM community_places
        WHERE parent IS NOT DISTINCT FROM nullif($1, '') AND name > $2 ORDER BY name, id LIMIT $3
        """,  # noqa: S608 - names of columns
        parent,
        after,
        limit,
    )
    return [_place(row) for row in map(tuple, rows)]


async def named(db: Database, said: str, limit: int) -> list[Place]:
    """Compounds and communities whose name is said, or has in it what is said; the nearest first.

    A compound that lies in two grids is one.
    """
    rows = await db.fetch(
        f"""
        SELECT {_PLACE} FROM (
            SELECT DISTINCT ON (split_part(id, '-', 1), kind, name) * FROM community_places
            WHERE kind IN ('compound', 'community')
              AND (strpos(lower(name), lower($1)) > 0 OR strpos(lower($1), lower(name)) > 0)
            ORDER BY split_part(id, '-', 1), kind, name, id
        ) found
        ORDER BY lower(name) <> lower($1), abs(length(name) - length($1)), kind <> 'compound', name, id
        LIMIT $2
        """,  # noqa: S608 - names of columns
        said,
        limit,
    )
    return [_place(row) for row in map(tuple, rows)]


async def names(db: Database, places: Collection[str]) -> dict[str, str]:
    """The names of places by their ids."""
    rows = await db.fetch("SELECT id, name FROM community_places WHERE id = ANY($1)", list(places))
    return {row["id"]: row["name"] for row in rows}


async def parts(db: Database, parent: str, limit: int) -> list[Place]:
    """What a place is made of to those who live there: they know of no grids, and of one compound in two."""
    rows = await db.fetch(
        f"""
        WITH here AS (
            SELECT other.id FROM community_places p JOIN community_places other
              ON other.id = p.id OR (p.kind = 'compound' AND other.kind = p.kind AND other.name = p.name
                                     AND split_part(other.id, '-', 1) = split_part(p.id, '-', 1))
            WHERE p.id = $1
        ), below AS (
            SELECT * FROM community_places WHERE parent IN (SELECT id FROM here)
        ), shown AS (
            SELECT * FROM below WHERE kind <> 'grid'
            UNION ALL
            SELECT p.* FROM below JOIN community_places p ON p.parent = below.id WHERE below.kind = 'grid'
        )
        SELECT {_PLACE} FROM (
            SELECT DISTINCT ON (CASE kind WHEN 'compound' THEN name ELSE id END) * FROM shown
            ORDER BY CASE kind WHEN 'compound' THEN name ELSE id END, id
        ) one ORDER BY name, id LIMIT $2
        """,  # noqa: S608 - names of columns
        parent,
        limit,
    )
    return [_place(row) for row in map(tuple, rows)]


async def add(tx: Transaction, places: Sequence[Place], now: datetime) -> None:
    """Write new places down, those above first."""
    await tx.execute(
        """
        INSERT INTO community_places (added_at, id, parent, kind, name, households)
        SELECT $1, id, nullif(parent, ''), kind, name, households
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[])
            AS p (id, parent, kind, name, households)
        """,
        now,
        [each.id for each in places],
        [each.parent for each in places],
        [each.kind.value for each in places],
        [each.name for each in places],
        [each.households for each in places],
    )


async def count(tx: Transaction, households: Sequence[tuple[str, int | None]]) -> None:
    """Write down how many households live in places."""
    await tx.execute(
        """
        UPDATE community_places p SET households = n.households
        FROM unnest($1::text[], $2::integer[]) AS n (id, households) WHERE p.id = n.id
        """,
        [place for place, _ in households],
        [number for _, number in households],
    )


def _place(row: Sequence[object]) -> Place:
    place, parent, kind, name, households = row[:5]
    number = None if households is None else int(str(households))
    return Place(str(place), str(parent), PlaceKind(str(kind)), str(name), number)
