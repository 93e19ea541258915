"""What the transit holds of a citizen: where they rode, which is sensitive; and what it cost, for books."""

from collections.abc import Mapping
from datetime import timedelta

from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.stores.database import Transaction
from services.transit import accounts_store
from services.transit.accounts_store import Step

GRANTS_KEPT = timedelta(days=30)  # so long may a gate be without a network before its taps are nobody's
ASIDE_KEPT = timedelta(days=180)
PLACES_KEPT = timedelta(days=180)  # disputes have 30 days, invoices 90
_NOWHERE = "line = '', station = '', vehicle = '', at = date_trunc('day', at)"
_BOOKS = "as long as the books; who it was cannot be found once the citizen is erased"
_MINE = "SELECT id FROM transit_accounts WHERE citizen = $1"


class Rides(Holding):
    """Accounts, codes, taps, trips and the books.

    With their citizen go the places of all taps and whose the codes were; what the rides cost stays under
    random names that lead to nobody any more. A tap that a gate uploads afterwards is nobody's.
    """

    name = "rides"
    tables = (
        Kept("transit_accounts", "who rides with a code of the city's", End.NAMELESS, until=_BOOKS),
        Kept("transit_account_events", "what became of each account", End.NAMELESS, until=_BOOKS),
        Kept(
            "transit_grants",
            "whose a code is, for the taps of gates that were without a network",
            End.ERASED,
            period=GRANTS_KEPT,
            since="t.expires_at",
            until="it ends",
        ),
        Kept(
            "transit_taps",
            "when and where somebody went in or out; the places and the time of day go, the day stays",
            End.EMPTIED,
            period=PLACES_KEPT,
            since="t.at",
            unless="t.line = ''",
            emptied=_NOWHERE,
            until="it was",
        ),
        Kept(
            "transit_quarantine",
            "taps that nobody believes, for the operator; they name no account",
            End.NAMELESS,
            period=ASIDE_KEPT,
            since="t.arrived_at",
            until="it came",
        ),
        Kept("transit_due", "whose taps are to be paired", End.ERASED, until="until they are, in seconds"),
        Kept("transit_trips", "what a ride cost, and how it was paid", End.NAMELESS, until=_BOOKS),
        Kept("transit_trip_events", "what became of each trip", End.NAMELESS, until=_BOOKS),
        Kept("transit_charges", "which payment stands for which trip", End.NAMELESS, until=_BOOKS),
        Kept("transit_ledger", "the books", End.NAMELESS, until=_BOOKS),
    )

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each trip with its places and its fare, the oldest first."""
        rows = await db.fetch(
            """
            SELECT t.id, t.day, t.state, t.money, t.fare_fen, f.at AS began_at, f.line,
                   f.station AS from_station, f.vehicle, l.at AS ended_at, l.station AS to_station
            FROM transit_accounts a JOIN transit_trips t ON t.account = a.id
            JOIN transit_taps f ON f.id = t.first_tap LEFT JOIN transit_taps l ON l.id = t.last_tap
            WHERE a.citizen = $1 AND t.state <> 'void' ORDER BY f.at, t.id
            """,
            subject.citizen,
        )
        return Portion(self.name, len(rows), {}, [dict(row) for row in rows])

    async def obligations(self, db: Reader, subject: Subject) -> int:
        """Rides under way, what is not priced yet or owed, and an account that its citizen could close."""
        return int(
            await db.fetchval(
                f"""
                SELECT (SELECT count(*) FROM transit_accounts WHERE citizen = $1
                        AND state NOT IN ('consent', 'suspended', 'closed'))
                     + (SELECT count(*) FROM transit_due WHERE account IN ({_MINE}))
                     + (SELECT count(*) FROM transit_trips WHERE account IN ({_MINE})
                        AND (state = 'open' OR money IN ('owed', 'arrears')))
                """,  # noqa: S608 - our own words
                subject.citizen,
            )
        )

    async def stays(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """The trips, in the books."""
        trips = f"SELECT count(*) FROM transit_trips WHERE account IN ({_MINE}) AND state <> 'void'"  # noqa: S608
        return {"rides": int(await tx.fetchval(trips, subject.citizen))}

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Close what they ride with, and let go of where they went in and out, and of whose the codes were.

        Without places no day can be paired again: none stays due, and no trip under way.
        """
        step = Step("erasure", "erased", subject.at)
        for account in await accounts_store.alone(tx, [subject.citizen]):
            await accounts_store.step(tx, account.id, "erased", "closed", step)
        await tx.execute(f"DELETE FROM transit_grants WHERE account IN ({_MINE})", subject.citizen)  # noqa: S608
        await tx.execute(
            f"""
            UPDATE transit_taps SET {_NOWHERE} WHERE account IN ({_MINE})
            """,  # noqa: S608 - our own words
            subject.citizen,
        )
        await tx.execute(f"DELETE FROM transit_due WHERE account IN ({_MINE})", subject.citizen)  # noqa: S608
        await tx.execute(
            f"""
            UPDATE transit_trips SET state = 'missing_exit', version = version + 1, changed_at = $2
            WHERE account IN ({_MINE}) AND state = 'open'
            """,  # noqa: S608 - our own words
            subject.citizen,
            subject.at,
        )
        return {}
