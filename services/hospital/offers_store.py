"""The hospital's statements on what is to be had: who has numbers, when, and what there is instead."""

from datetime import date

from core.stores.database import Database
from services.hospital.store import At, Refusal, Row, refusal_of

# What a person's own limits (H7, H8, H10, H11) say against one more claim in session `s`; no row: nothing.
# $3 is the person, NULL for nobody in particular; $4 the booking that is to be moved, if one is. A hint for
# lists: `claim_unit` and `move_booking` decide. A hold that lapsed and was not swept yet says nothing ahead.
_LIMIT = """
LATERAL (
    SELECT l.refusal, l.at FROM claim_limit($3, s, $1, $2, $4) l
    WHERE l.refusal IS NOT NULL
      AND NOT EXISTS (SELECT FROM units WHERE person = $3 AND state = 'held' AND hold_until <= $1)
)
"""


# What can be claimed; the period of a booking that is to be moved is nowhere to move to.
_OPEN = """
(SELECT o.* FROM bookable_units($1, $2) o
 WHERE period IS DISTINCT FROM (SELECT period FROM bookings m JOIN units ON units.id = unit WHERE m.id = $4))
"""


# Which half-days with something `open` the person $3 may not have. Every limit looks at what they have, or
# gave back, on that same day: other days need not be asked about. (An open hold bars all; no order helps.)
_BARRED = f"""
barred AS (
    SELECT s.id FROM sessions s, {_LIMIT} l
    WHERE s.id IN (SELECT session FROM open)
      AND s.date IN (SELECT d.date FROM bookings b JOIN sessions d ON d.id = b.session WHERE b.person = $3)
)
"""  # noqa: S608 - our own words


async def departments(
    db: Database, at: At, person: str | None, hospital: str, clinic_class: str
) -> list[Row]:
    """The specialties: with something for this person, with something for others only, with nothing.

    A hospital or a class of numbers leaves those that have it; "" leaves all.
    """
    return await db.fetch(
        f"""
        WITH open AS (
            SELECT department, session, count(*) AS free FROM {_OPEN} b
            WHERE $6 = '' OR session IN (SELECT id FROM sessions WHERE class = $6)
            GROUP BY department, session
        ), {_BARRED}
        SELECT sp.id, sp.name, sp.aliases, sp.symptoms, array_agg(h.name ORDER BY h.rank) AS hospitals,
               coalesce(sum(open.free), 0)::integer AS left
        FROM specialties sp
        JOIN departments dep ON dep.specialty = sp.id
        JOIN hospitals h ON h.id = dep.hospital
        LEFT JOIN (
            SELECT o.department, sum(o.free) AS free, bool_or(barred.id IS NULL) AS for_them
            FROM open o LEFT JOIN barred ON barred.id = o.session GROUP BY o.department
        ) open ON open.department = dep.id
        WHERE ($5 = '' OR h.id = $5) AND ($6 = '' OR EXISTS (
            SELECT FROM doctors d JOIN timetables t ON t.doctor = d.id
            WHERE d.department = dep.id AND t.class = $6))
        GROUP BY sp.id
        ORDER BY coalesce(bool_or(open.for_them), false) DESC, coalesce(sum(open.free), 0) = 0, sp.rank
        """,  # noqa: S608 - our own words
        at.now,
        at.rules,
        person,
        at.moving,
        hospital,
        clinic_class,
    )


async def doctors(db: Database, specialty: str, at: At, person: str | None) -> list[Row]:
    """The doctors by the next period this person may have; behind them those with some for others only."""
    return await db.fetch(
        f"""
        WITH open AS (
            SELECT b.doctor, b.session, b.date, b.half, min(b.starts_at) AS next_at, count(*)::integer AS left
            FROM departments dep JOIN {_OPEN} b ON b.department = dep.id
            WHERE dep.specialty = $5
            GROUP BY b.doctor, b.session, b.date, b.half
        ), {_BARRED}
        SELECT d.id, d.surname, d.given_name, d.title, d.skills, sp.name AS department, h.name AS hospital,
               h.id AS hospital_id, coming.class, coming.fee_fen, open.left, open.halves, open.open_halves,
               coalesce(open.for_them, open.next_at) AS next_at
        FROM departments dep
        JOIN specialties sp ON sp.id = dep.specialty
        JOIN hospitals h ON h.id = dep.hospital
        JOIN doctors d ON d.department = dep.id
        JOIN LATERAL (
            SELECT s.class, s.fee_fen FROM sessions s
            WHERE s.doctor = d.id AND s.status = 'open'
              AND s.date BETWEEN city_day($1) AND city_day($1) + ($2::hospital_rules).horizon_days
            ORDER BY s.date, s.half LIMIT 1
        ) coming ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(o.left), 0)::integer AS left, min(o.next_at) AS next_at,
                   min(o.next_at) FILTER (WHERE barred.id IS NULL) AS for_them,
                   array_agg(DISTINCT o.date || ' ' || o.half) AS halves,
                   array_agg(DISTINCT o.date || ' ' || o.half) FILTER (WHERE barred.id IS NULL) AS open_halves
            FROM open o LEFT JOIN barred ON barred.id = o.session WHERE o.doctor = d.id
        ) open
        WHERE dep.specialty = $5
        ORDER BY open.for_them NULLS LAST, open.next_at NULLS LAST, h.rank, d.id
        """,  # noqa: S608 - our own words
        at.now,
        at.rules,
        person,
        at.moving,
        specialty,
    )


async def sessions(db: Database, doctor: str, at: At, person: str | None) -> list[Row]:
    """A doctor's bookable half-days; those this person cannot claim come last, with their `refusal`."""
    return await db.fetch(
        f"""
        SELECT s.id, s.date, s.half, s.class, s.fee_fen, d.surname, d.given_name,
               open.starts_at, open.left, barred.refusal, barred.at
        FROM (SELECT session, min(starts_at) AS starts_at, count(*)::integer AS left
              FROM {_OPEN} b WHERE doctor = $5 GROUP BY session) open
        JOIN sessions s ON s.id = open.session
        JOIN doctors d ON d.id = s.doctor
        LEFT JOIN {_LIMIT} barred ON true
        ORDER BY barred.refusal IS NOT NULL, open.starts_at
        """,  # noqa: S608 - our own words
        at.now,
        at.rules,
        person,
        at.moving,
        doctor,
    )


async def full_sessions(db: Database, doctor: str, at: At) -> list[Row]:
    """A doctor's half-days that could be booked now if they were not 约满, as `sessions` has them."""
    return await db.fetch(
        """
        SELECT s.id, s.date, s.half, s.class, s.fee_fen, d.surname, d.given_name,
               min(p.starts_at) AS starts_at, 0 AS left, NULL::text AS refusal, NULL::timestamptz AS at
        FROM sessions s JOIN doctors d ON d.id = s.doctor JOIN periods p ON p.session = s.id
        WHERE s.doctor = $3 AND s.status = 'open'
          AND s.date BETWEEN city_day($1) AND city_day($1) + ($2::hospital_rules).horizon_days
          AND booking_opens_at(s.date, s.release_at, $2) <= $1
          AND booking_closes_at(s.half, s.date, p.starts_at, $2) > $1
          AND s.id NOT IN (SELECT session FROM bookable_units($1, $2) WHERE doctor = $3)
        GROUP BY s.id, d.id
        """,
        at.now,
        at.rules,
        doctor,
    )


async def limit(db: Database, session: str, person: str, at: At) -> Refusal | None:
    """What the person's own limits say now against a claim in this session."""
    row = await db.fetchrow(
        f"SELECT l.refusal, l.at FROM sessions s, {_LIMIT} l WHERE s.id = $5",  # noqa: S608 - our own words
        at.now,
        at.rules,
        person,
        at.moving,
        session,
    )
    return refusal_of(row)


async def periods(db: Database, session: str, at: At) -> list[Row]:
    return await db.fetch(
        f"""
        SELECT c.*, open.left
        FROM (SELECT period, count(*)::integer AS left FROM {_OPEN} b WHERE session = $3 GROUP BY period) open
        JOIN clinic_periods c ON c.period = open.period
        ORDER BY c.starts_at
        """,  # noqa: S608 - our own words
        at.now,
        at.rules,
        session,
        at.moving,
    )


async def full_periods(db: Database, session: str, at: At) -> list[Row]:
    """The periods of a half-day that could be booked now if they were not 约满, as `periods` has them."""
    return await db.fetch(
        """
        SELECT c.*, 0 AS left FROM clinic_periods c
        WHERE c.session = $3 AND c.status = 'open' AND booking_closes_at(c.half, c.date, c.starts_at, $2) > $1
          AND c.period NOT IN (SELECT period FROM bookable_units($1, $2) WHERE session = $3)
        """,
        at.now,
        at.rules,
        session,
    )


async def period(db: Database, period_id: str, at: At) -> Row | None:
    """One period, bookable or not, its units left, the deadline of a booking made now or moved there."""
    return await db.fetchrow(
        """
        SELECT c.*,
               cancel_until(c.class, c.date, c.starts_at,
                            coalesce((SELECT made_at FROM bookings WHERE id = $4), $1), $2) AS cancel_until,
               (SELECT count(*) FROM bookable_units($1, $2) b WHERE b.period = c.period)::integer AS left
        FROM clinic_periods c WHERE c.period = $3
        """,
        at.now,
        at.rules,
        period_id,
        at.moving,
    )


async def alternatives(
    db: Database, period_id: str, at: At, most: int, person: str | None = None
) -> list[Row]:
    """Nearest first: the same doctor; the same half-day of the specialty; the specialty at any time.

    Half-days that this person cannot claim are left out.
    """
    return await db.fetch(
        f"""
        WITH wanted AS (
            SELECT period, doctor, specialty, date, half, starts_at FROM clinic_periods WHERE period = $5
        ), open AS (
            SELECT b.period, b.session, b.doctor, b.date, b.half, b.starts_at, count(*)::integer AS left
            FROM wanted w
            JOIN departments dep ON dep.specialty = w.specialty
            JOIN {_OPEN} b ON b.department = dep.id
            WHERE b.period <> w.period
            GROUP BY b.period, b.session, b.doctor, b.date, b.half, b.starts_at
        ), barred AS (
            SELECT s.id FROM sessions s, {_LIMIT} l
            WHERE s.id IN (SELECT session FROM open)
        ), best AS (
            SELECT o.period, o.left, row_number() OVER (
                ORDER BY CASE WHEN o.doctor = w.doctor THEN 0
                              WHEN (o.date, o.half) = (w.date, w.half) THEN 1 ELSE 2 END,
                         abs(extract(epoch FROM o.starts_at - w.starts_at)), o.period) AS rank
            FROM open o, wanted w
            WHERE o.session NOT IN (SELECT id FROM barred)
            ORDER BY rank LIMIT $6
        )
        SELECT c.*, best.left FROM best JOIN clinic_periods c ON c.period = best.period ORDER BY best.rank
        """,  # noqa: S608 - our own words
        at.now,
        at.rules,
        person,
        at.moving,
        period_id,
        most,
    )


async def next_period(db: Database, doctor: str, today: date) -> Row | None:
    """The first period a doctor has from today on, full or not."""
    return await db.fetchrow(
        """
        SELECT c.period, c.surname, c.given_name FROM sessions s JOIN clinic_periods c ON c.session = s.id
        WHERE s.doctor = $1 AND s.date >= $2 ORDER BY c.starts_at LIMIT 1
        """,
        doctor,
        today,
    )


async def first_period(db: Database, session: str) -> str | None:
    """The first period of a half-day, bookable or not."""
    found: str | None = await db.fetchval(
        "SELECT period FROM clinic_periods WHERE session = $1 ORDER BY starts_at LIMIT 1", session
    )
    return found
