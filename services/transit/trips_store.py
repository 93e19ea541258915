"""The statements on trips, what they were charged, and the books, one function each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from core.stores.database import Database, Transaction
from services.transit.model import Money, Stored
from services.transit.pairing import Tap, TripState, Way

Day = tuple[str, date]
_TRIP = "id, account, first_tap, last_tap, state, money, fare_fen, charged_fen, because, metres, version"


class TripRow(NamedTuple):
    """A trip as it is written the first time."""

    account: str
    day: date
    first_tap: int
    last_tap: int | None
    state: str
    money: str
    fare_fen: int
    charged_fen: int
    because: str
    metres: int
    tariff: str


class Posting(NamedTuple):
    """A row of the books."""

    trip: int
    what: str
    debit: str
    credit: str
    fen: int
    key: str


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment that stands for a trip."""

    payment: str
    fen: int
    paid: bool
    behind: bool
    refunding_fen: int


async def take_due(tx: Transaction, limit: int, now: datetime) -> list[Day]:
    """Account-days to pair anew, which nobody else has in hand; due again if this comes to nothing."""
    rows = await tx.fetch(
        """
        DELETE FROM transit_due d USING (
            SELECT account, day FROM transit_due WHERE not_before IS NULL OR not_before <= $2
            ORDER BY since LIMIT $1 FOR UPDATE SKIP LOCKED
        ) t WHERE d.account = t.account AND d.day = t.day RETURNING d.account, d.day
        """,
        limit,
        now,
    )
    return [(row[0], row[1]) for row in rows]


async def take_one(tx: Transaction, day: Day) -> bool:
    """One account-day, if it is due still and in nobody's hand."""
    told = await tx.execute(
        """
        DELETE FROM transit_due d USING (
            SELECT account, day FROM transit_due WHERE (account, day) = ($1, $2) FOR UPDATE SKIP LOCKED
        ) t WHERE d.account = t.account AND d.day = t.day
        """,
        *day,
    )
    return told == "DELETE 1"


async def put_off(db: Database, day: Day, begun: datetime, first: timedelta, longest: timedelta) -> None:
    """Let one that failed wait: `first` so long, then twice as long each time, `longest` at the most.

    Not if a tap has come since it was `begun`: that may have put it right.
    """
    await db.execute(
        """
        UPDATE transit_due SET
            tries = least(tries + 1, 30),
            not_before = $3::timestamptz + least($4::interval * 2 ^ least(tries, 20), $5::interval)
        WHERE (account, day) = ($1, $2) AND since <= $3::timestamptz
        """,
        *day,
        begun,
        first,
        longest,
    )


async def unsettled(db: Database, after: Day | None, limit: int) -> list[tuple[str, date, int, datetime]]:
    """Account-days that failed, with how often, and when they are tried again; in their order."""
    account, day = after or ("", date.min)
    rows = await db.fetch(
        """
        SELECT account, day, tries, coalesce(not_before, since) FROM transit_due
        WHERE tries > 0 AND (account, day) > ($1, $2) ORDER BY account, day LIMIT $3
        """,
        account,
        day,
        limit,
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def taps(tx: Transaction, days: Sequence[Day]) -> dict[Day, list[Tap]]:
    """Every tap that counts on these account-days."""
    found: dict[Day, list[Tap]] = {day: [] for day in days}
    rows = await tx.fetch(
        """
        SELECT t.account, t.day, t.id, t.at, t.way, t.line, t.station, t.vehicle, t.companion,
               t.cap_fen
        FROM unnest($1::text[], $2::date[]) AS d (account, day)
        JOIN transit_taps t ON (t.account, t.day) = (d.account, d.day)
        WHERE t.counted
        """,
        *_columns(days),
    )
    for account, day, number, at, way, *more in rows:
        found[account, day].append(Tap(number, at, Way(way), *more))
    return found


async def trips(tx: Transaction, days: Sequence[Day]) -> dict[Day, dict[int, Stored]]:
    """The trips of these account-days as they stand, by their first taps."""
    found: dict[Day, dict[int, Stored]] = {day: {} for day in days}
    rows = await tx.fetch(
        f"""
        SELECT t.day, {", ".join(f"t.{each}" for each in _TRIP.split(", "))}
        FROM unnest($1::text[], $2::date[]) AS d (account, day)
        JOIN transit_trips t ON (t.account, t.day) = (d.account, d.day)
        FOR UPDATE OF t
        """,  # noqa: S608 - names of columns
        *_columns(days),
    )
    for day, *values in rows:
        trip = _stored(values)
        found[trip.account, day][trip.first_tap] = trip
    return found


async def trip(tx: Transaction, number: int) -> Stored:
    """A trip that nobody else changes until the transaction is over."""
    row = await tx.fetchrow(f"SELECT {_TRIP} FROM transit_trips WHERE id = $1 FOR UPDATE", number)  # noqa: S608
    if row is None:
        raise LookupError(f"no trip {number}")
    return _stored(list(row))


async def add(tx: Transaction, rows: Sequence[TripRow], now: datetime) -> dict[int, int]:
    """Write new trips down; their ids by their first taps."""
    if not rows:
        return {}
    found = await tx.fetch(
        """
        INSERT INTO transit_trips (changed_at, account, day, first_tap, last_tap, state, money, fare_fen,
                                   charged_fen, because, metres, tariff)
        SELECT $1, * FROM unnest($2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
            $8::integer[], $9::integer[], $10::text[], $11::integer[], $12::text[])
        RETURNING first_tap, id
        """,
        now,
        *zip(*rows, strict=True),
    )
    return {row[0]: row[1] for row in found}


async def change(tx: Transaction, trips: Sequence[Stored], now: datetime) -> None:
    """Write changed trips down, each one version further."""
    if not trips:
        return
    await tx.execute(
        """
        UPDATE transit_trips t SET
            last_tap = x.last_tap, state = x.state, money = x.money, fare_fen = x.fare_fen,
            charged_fen = x.charged_fen, because = x.because, metres = x.metres, version = x.version,
            changed_at = $1
        FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::integer[], $7::integer[],
                    $8::text[], $9::integer[], $10::integer[])
            AS x (id, last_tap, state, money, fare_fen, charged_fen, because, metres, version)
        WHERE t.id = x.id
        """,
        now,
        [each.id for each in trips],
        [each.last_tap for each in trips],
        [each.state.value for each in trips],
        [each.money.value for each in trips],
        [each.fare_fen for each in trips],
        [each.charged_fen for each in trips],
        [each.because for each in trips],
        [each.metres for each in trips],
        [each.version for each in trips],
    )


async def post(tx: Transaction, postings: Sequence[Posting], now: datetime) -> None:
    """Write into the books; the same key once."""
    if postings:
        await tx.execute(
            """
            INSERT INTO transit_ledger (at, trip, what, debit, credit, fen, key)
            SELECT $1, * FROM unnest(
                $2::bigint[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[])
            """,
            now,
            *zip(*postings, strict=True),
        )


async def charge(tx: Transaction, charges: Sequence[tuple[str, int, int, int, bool]]) -> None:
    """Payment, trip, version and fen of what was asked for, and whether it is behind from the beginning."""
    if charges:
        await tx.execute(
            """
            INSERT INTO transit_charges (payment, trip, version, fen, behind)
            SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::integer[], $5::boolean[])
            """,
            *zip(*charges, strict=True),
        )


async def charges(tx: Transaction, numbers: Sequence[int]) -> dict[int, list[Charge]]:
    """What stands for each of these trips, the newest first."""
    found: dict[int, list[Charge]] = {number: [] for number in numbers}
    rows = await tx.fetch(
        """
        SELECT trip, payment, fen, paid, behind, refunding_fen FROM transit_charges
        WHERE trip = ANY($1) AND NOT cancelled ORDER BY version DESC
        """,
        list(numbers),
    )
    for number, *values in rows:
        found[number].append(Charge(*values))
    return found


async def drop_charges(tx: Transaction, payments: Collection[str]) -> None:
    """These were cancelled: they stand for nothing any more."""
    await tx.execute(
        "UPDATE transit_charges SET cancelled = true, behind = false WHERE payment = ANY($1)", list(payments)
    )


async def trip_of(tx: Transaction, payment: str) -> int:
    """The trip that a payment stands for."""
    number = await tx.fetchval("SELECT trip FROM transit_charges WHERE payment = $1", payment)
    if number is None:
        raise LookupError(f"payment {payment} stands for no trip")
    return int(number)


async def note_charge(tx: Transaction, charge: Charge) -> None:
    """How a payment stands now."""
    await tx.execute(
        "UPDATE transit_charges SET paid = $2, behind = $3, refunding_fen = $4 WHERE payment = $1",
        charge.payment,
        charge.paid,
        charge.behind,
        charge.refunding_fen,
    )


async def mark_over(db: Database, day: date, now: datetime) -> int:
    """Everything that is still open of days up to this one is to be paired anew; how many account-days."""
    told = await db.execute(
        """
        INSERT INTO transit_due (account, day, since)
        SELECT DISTINCT account COLLATE "C" AS account, day, $2::timestamptz FROM transit_trips
        WHERE state = 'open' AND day <= $1 ORDER BY account, day  -- as gates mark: nobody waits in a circle
        ON CONFLICT (account, day) DO UPDATE SET since = excluded.since, not_before = NULL
        """,
        day,
        now,
    )
    return int(told.split()[-1])


def _columns(days: Sequence[Day]) -> tuple[list[str], list[date]]:
    return [account for account, _ in days], [day for _, day in days]


def _stored(values: Sequence[Any]) -> Stored:
    number, account, first, last, state, money, *rest = values
    return Stored(number, account, first, last, TripState(state), Money(money), *rest)
