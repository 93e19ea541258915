"""The hospital's statements on periods, units and bookings: one function each.

Rules and holds take the time from the caller (`now`, of the clock handed in), not from the database: a test
must be able to stand at an edge, and all rules of one claim look at one instant. Where two processes' clocks
differ, an edge moves by that much; no unit is sold twice: capacity hangs on locks and states, not on time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.stores.database import Database, Transaction

Row = asyncpg.Record
RulesRow = tuple[object, ...]

_BOOKING = """
SELECT c.*, b.id AS booking, b.citizen, b.person, b.made_at, b.fee_fen AS booked_fee_fen, u.no, u.hold_until,
       CASE WHEN b.outcome = 'timeout' OR u.state = 'held' AND b.returned_at IS NULL AND u.hold_until <= $1
                THEN 'lapsed'
            WHEN b.outcome IS NOT NULL THEN 'cancelled'
            ELSE u.state END AS state,
       cancel_until(c.class, c.date, c.starts_at, b.made_at, $2) AS cancel_until, b.version
FROM bookings b JOIN units u ON u.id = b.unit JOIN clinic_periods c ON c.period = u.period
"""


@dataclass(frozen=True, slots=True)
class At:
    """When and under which rules a statement looks at the world, and which booking it leaves out of it."""

    now: datetime
    rules: RulesRow
    moving: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim writes if it succeeds."""

    period: str
    citizen: str
    person: str
    booking: str
    key: str


@dataclass(frozen=True, slots=True)
class Return:
    """Which unit is given back by whom, for which patient, with which key for its events.

    `version`: the one that was seen, if any.
    """

    booking: str
    citizen: str
    key: str
    version: int | None = None
    person: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and the moment the sentence names."""

    code: str
    at: datetime | None


async def claim(tx: Transaction, wanted: Claim, at: At) -> Refusal | None:
    """Claim one unit in one round trip; None when the booking was made."""
    row = await tx.fetchrow(
        "SELECT refusal, at FROM claim_unit($1, $2, $3, $4, $5, $6, $7)",
        wanted.period,
        wanted.citizen,
        wanted.person,
        wanted.booking,
        wanted.key,
        at.now,
        at.rules,
    )
    return refusal_of(row)


async def cancel(tx: Transaction, back: Return, at: At) -> Refusal | None:
    """Give a booking back; None when it was done."""
    row = await tx.fetchrow(
        "SELECT refusal, at FROM cancel_booking($1, $2, $3, $4, $5)",
        back.booking,
        back.citizen,
        back.key,
        at.now,
        at.rules,
    )
    return refusal_of(row) or await unseen(tx, back)


async def unseen(tx: Transaction, back: Return) -> Refusal | None:
    """Refuse, after it was changed, what was not the version that was seen: it is ours and stands still."""
    if back.version is None:
        return None
    now = await tx.fetchval("SELECT version FROM bookings WHERE id = $1", back.booking)
    return None if now == back.version + 1 else Refusal("booking_changed", None)


async def suspend(tx: Transaction, session: str, who: str, key: str, now: datetime) -> list[str]:
    rows = await tx.fetch("SELECT suspend_session($1, $2, $3, $4) AS booking", session, who, key, now)
    return [row["booking"] for row in rows]


async def lapse(db: Database, at: At, limit: int) -> int:
    """Free up to `limit` units that were held too long and return how many it were."""
    return int(await db.fetchval("SELECT lapse_holds($1, $2, NULL, NULL, $3)", at.now, at.rules, limit))


async def move(tx: Transaction, unit: int, what: str, who: str, key: str, now: datetime) -> str:
    """Move a unit along its machine and return its new state."""
    return str(await tx.fetchval("SELECT unit_move($1, $2, $3, $4, $5)", unit, what, who, key, now))


async def booking(db: Database | Transaction, booking_id: str, at: At) -> Row | None:
    return await db.fetchrow(f"{_BOOKING} WHERE b.id = $3", at.now, at.rules, booking_id)


async def bookings(db: Database, persons: Sequence[str], at: At) -> list[Row]:
    """What these persons still have before them, soonest first; lapsed holds and past visits are left out."""
    return await db.fetch(
        f"""
        {_BOOKING}
        WHERE b.person = ANY($3) AND b.returned_at IS NULL AND c.ends_at > $1
          AND u.state NOT IN ('done', 'noshow') AND NOT (u.state = 'held' AND u.hold_until <= $1)
        ORDER BY c.starts_at, b.id
        """,
        at.now,
        at.rules,
        persons,
    )


async def discrepancies(db: Database) -> list[Row]:
    """U2: quota against units, units against their last event, units against live bookings; per session."""
    return await db.fetch(
        """
        SELECT s.id AS session, 'quota_and_units' AS what, s.quota AS expected, count(u.id)::integer AS found
        FROM sessions s LEFT JOIN periods p ON p.session = s.id LEFT JOIN units u ON u.period = p.id
        GROUP BY s.id HAVING count(u.id) <> s.quota
        UNION ALL
        SELECT p.session, 'units_and_events', 0, count(*)::integer
        FROM units u JOIN periods p ON p.id = u.period
        LEFT JOIN unit_events e ON e.unit = u.id AND e.version = u.version
        WHERE e.new IS DISTINCT FROM u.state
        GROUP BY p.session
        UNION ALL
        SELECT p.session, 'units_and_bookings', 0, count(*)::integer
        FROM units u JOIN periods p ON p.id = u.period
        LEFT JOIN bookings b ON b.unit = u.id AND b.returned_at IS NULL
        WHERE (b.id, b.person) IS DISTINCT FROM (u.booking, u.person)
        GROUP BY p.session
        ORDER BY 1, 2
        """
    )


def refusal_of(row: Row | None) -> Refusal | None:
    """What a row with `refusal` and `at` says."""
    if row is None or row["refusal"] is None:
        return None
    return Refusal(row["refusal"], row["at"])
