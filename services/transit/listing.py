"""Rides as people read them: from where to where, when, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.stores.database import Database, Transaction
from services.transit.accounts_store import BEHIND
from services.transit.model import Money
from services.transit.network import Network
from services.transit.pairing import TripState

PAGE = 10
_RIDE = """
SELECT t.id, t.state, t.money, t.fare_fen, f.at AS began, l.at AS ended, f.line, f.station AS start,
       CASE WHEN l.id <> f.id THEN l.station ELSE '' END AS finish
FROM transit_accounts a JOIN transit_trips t ON t.account = a.id
JOIN transit_taps f ON f.id = t.first_tap LEFT JOIN transit_taps l ON l.id = t.last_tap
"""


@dataclass(frozen=True, slots=True)
class Ride:
    """A trip in names; `start` of a bus ride is "" and `finish` of one that has not ended."""

    id: int
    state: TripState
    money: Money
    fen: int
    began: datetime
    ended: datetime | None
    line: str
    start: str
    finish: str
    behind_fen: int = 0  # what of `fen` was advanced, and has not come back


async def rides(db: Database, network: Network, citizen: str, before: int | None) -> list[Ride]:
    """A page of rides, the latest first."""
    rows = await db.fetch(
        _RIDE  # noqa: S608 - our own words
        + """
        WHERE a.citizen = $1 AND t.state <> 'void' AND ($2::bigint IS NULL OR (f.at, t.id) < (
            SELECT b.at, x.id FROM transit_trips x JOIN transit_taps b ON b.id = x.first_tap WHERE x.id = $2))
        ORDER BY f.at DESC, t.id DESC LIMIT $3
        """,
        citizen,
        before,
        PAGE,
    )
    return [_ride(network, row) for row in rows]


async def behind(db: Database, network: Network, citizen: str) -> list[Ride]:
    """The rides that were advanced and have not come back, the oldest first."""
    rows = await db.fetch(_RIDE + "WHERE a.citizen = $1 AND t.money = 'arrears' ORDER BY f.at, t.id", citizen)
    fen = {row["id"]: row["fen"] for row in await db.fetch(BEHIND, [citizen])}
    return [replace(_ride(network, row), behind_fen=fen.get(row["id"], 0)) for row in rows]


async def of_trips(tx: Transaction, network: Network, trips: Sequence[int]) -> list[tuple[str, Ride]]:
    """Rides by their numbers, each with its citizen."""
    rows = await tx.fetch(_RIDE.replace("SELECT", "SELECT a.citizen,") + "WHERE t.id = ANY($1)", list(trips))
    return [(row["citizen"], _ride(network, row)) for row in rows]


async def payments_behind(db: Database, citizen: str) -> list[str]:
    """What is to be debited for them."""
    rows = await db.fetch(
        """
        SELECT c.payment FROM transit_accounts a JOIN transit_trips t ON t.account = a.id
        JOIN transit_charges c ON c.trip = t.id WHERE a.citizen = $1 AND c.behind ORDER BY c.payment
        """,
        citizen,
    )
    return [row[0] for row in rows]


def _ride(network: Network, row: Any) -> Ride:
    line = network.metro.get(row["line"]) or network.buses.get(row["line"])
    return Ride(
        id=row["id"],
        state=TripState(row["state"]),
        money=Money(row["money"]),
        fen=row["fare_fen"],
        began=row["began"],
        ended=row["ended"],
        line=line.name if line else row["line"],
        start=_station(network, row["start"]),
        finish=_station(network, row["finish"] or ""),
    )


def _station(network: Network, name: str) -> str:
    station = network.stations.get(name)
    return station.name if station else name
