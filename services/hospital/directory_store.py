"""The statements on what anybody may ask of the hospitals: where they are, phones, what a visit costs."""

import asyncpg

from core.stores.database import Database
from services.hospital.store import At

Row = asyncpg.Record


async def names(db: Database) -> list[Row]:
    """What can be named: departments, their doctors (`doctor` is not empty), hospitals (neither is)."""
    return await db.fetch(
        """
        SELECT sp.id AS department, sp.name, sp.aliases, sp.symptoms,
               '' AS doctor, '' AS surname, '' AS given_name, '' AS title,
               '' AS hospital, '' AS hospital_name
        FROM specialties sp WHERE EXISTS (SELECT FROM departments dep WHERE dep.specialty = sp.id)
        UNION ALL
        SELECT sp.id, sp.name, '{}', '{}', d.id, d.surname, d.given_name, d.title, h.id, h.name
        FROM doctors d JOIN departments dep ON dep.id = d.department
        JOIN specialties sp ON sp.id = dep.specialty JOIN hospitals h ON h.id = dep.hospital
        UNION ALL
        SELECT '', '', '{}', '{}', '', '', '', '', id, name FROM hospitals
        """
    )


async def sites(db: Database, specialty: str) -> list[Row]:
    """The hospitals; of a specialty only those that have it, and the place there."""
    return await db.fetch(
        """
        SELECT h.id, h.name, h.address, h.phone, h.opening, h.collecting, h.bring, h.insurance,
               coalesce(sp.name, '') AS department, coalesce(dep.place, '') AS place
        FROM hospitals h
        LEFT JOIN departments dep ON dep.hospital = h.id AND dep.specialty = $1
        LEFT JOIN specialties sp ON sp.id = dep.specialty
        WHERE $1 = '' OR dep.id IS NOT NULL
        ORDER BY h.rank
        """,
        specialty,
    )


async def fees(db: Database, at: At) -> Row | None:
    """The lowest and the highest fee of the sessions to come; both None if there are none."""
    return await db.fetchrow(
        """
        SELECT min(fee_fen) AS lowest, max(fee_fen) AS highest FROM sessions
        WHERE status = 'open'
          AND date BETWEEN city_day($1) AND city_day($1) + ($2::hospital_rules).horizon_days
        """,
        at.now,
        at.rules,
    )
