"""The statements that write the catalogue and open days, one function each."""

from collections.abc import Sequence
from datetime import date, timedelta

from core.stores.database import Database, Transaction

Rows = Sequence[tuple[object, ...]]


async def lock(tx: Transaction) -> None:
    """Let one process at a time write the catalogue."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('hospital catalogue', 0))")


async def loaded(db: Database, source: str) -> bytes | None:
    digest: bytes | None = await db.fetchval("SELECT digest FROM catalogues WHERE source = $1", source)
    return digest


async def sources(db: Database) -> list[str]:
    return [row["source"] for row in await db.fetch("SELECT source FROM catalogues ORDER BY source")]


async def note_loaded(tx: Transaction, source: str, digest: bytes) -> None:
    await tx.execute(
        """
        INSERT INTO catalogues (source, digest) VALUES ($1, $2)
        ON CONFLICT (source) DO UPDATE SET digest = excluded.digest, loaded = now()
        """,
        source,
        digest,
    )


async def put_hospitals(tx: Transaction, rows: Rows) -> None:
    await tx.executemany(
        """
        INSERT INTO hospitals (id, name, address, phone, opening, collecting, bring, insurance, rank)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, address = excluded.address,
            phone = excluded.phone, opening = excluded.opening, collecting = excluded.collecting,
            bring = excluded.bring, insurance = excluded.insurance, rank = excluded.rank
        """,
        _ranked(rows),
    )


async def put_specialties(tx: Transaction, rows: Rows) -> None:
    await tx.executemany(
        """
        INSERT INTO specialties (id, name, aliases, symptoms, rank) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, aliases = excluded.aliases,
            symptoms = excluded.symptoms, rank = excluded.rank
        """,
        _ranked(rows),
    )


async def put_departments(tx: Transaction, rows: Rows) -> None:
    await tx.executemany(
        """
        INSERT INTO departments (id, hospital, specialty, place) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET place = excluded.place
        """,
        rows,
    )


async def put_doctors(tx: Transaction, rows: Rows) -> None:
    await tx.executemany(
        """
        INSERT INTO doctors (id, department, surname, given_name, title, skills)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET department = excluded.department, surname = excluded.surname,
            given_name = excluded.given_name, title = excluded.title, skills = excluded.skills
        """,
        rows,
    )


async def put_timetables(tx: Transaction, rows: Rows) -> None:
    """Replace the weeks of the doctors named; sessions already open keep their hours."""
    await tx.execute("DELETE FROM timetables WHERE doctor = ANY($1)", list({row[0] for row in rows}))
    await tx.copy_records_to_table(
        "timetables",
        records=rows,
        columns=(
            "doctor",
            "weekday",
            "half",
            "class",
            "fee_fen",
            "starts",
            "ends",
            "period_minutes",
            "units",
            "onsite_percent",
            "room",
        ),
    )


async def open_day(tx: Transaction, day: date, onsite_until: timedelta) -> int:
    return int(await tx.fetchval("SELECT open_day($1, now(), $2)", day, onsite_until))


async def learn(tx: Transaction) -> None:
    """Tell the planner of many new rows at once, before it plans by a guess."""
    await tx.execute("ANALYZE sessions, periods, units")


def _ranked(rows: Rows) -> list[tuple[object, ...]]:
    """Give each row its place in the file, which is its place in a list."""
    return [(*row, rank) for rank, row in enumerate(rows, start=1)]
