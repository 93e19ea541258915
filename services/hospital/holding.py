"""What the hospital holds of a citizen: bookings, which stay in the books without a name."""

from collections.abc import Mapping

from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.stores.database import Transaction

_LEDGER = "as long as the hospital's books; who it was cannot be found once the citizen is erased"
_LIVE = """
SELECT count(*) FROM bookings b JOIN units u ON u.id = b.unit JOIN periods p ON p.id = u.period
WHERE (b.citizen = $1 OR b.person = ANY($2)) AND b.returned_at IS NULL AND p.ends_at > $3
  AND u.state NOT IN ('done', 'noshow') AND NOT (u.state = 'held' AND u.hold_until <= $3)
"""


class Bookings(Holding):
    """Bookings made by a citizen, or for them. A number that is still to come keeps their name until then.

    The books name both by random names, which lead to nobody once the register has let go of them.
    """

    name = "bookings"
    tables = (
        Kept("bookings", "who booked which number for whom, and what it cost", End.NAMELESS, until=_LEDGER),
        Kept("units", "which number is whose", End.NAMELESS, until=_LEDGER),
        Kept("unit_events", "what became of each number, and by whom", End.NAMELESS, until=_LEDGER),
    )

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each booking; those still to come are counted apart."""
        rows = await db.fetch(
            """
            SELECT b.id, b.made_at, b.outcome, u.state, p.starts_at, h.name AS hospital,
                   sp.name AS department, b.fee_fen, b.citizen = $1 AS made_here,
                   b.person = ANY($2) AS for_oneself
            FROM bookings b JOIN units u ON u.id = b.unit JOIN periods p ON p.id = u.period
            JOIN sessions s ON s.id = b.session JOIN departments d ON d.id = s.department
            JOIN hospitals h ON h.id = d.hospital JOIN specialties sp ON sp.id = d.specialty
            WHERE b.citizen = $1 OR b.person = ANY($2) ORDER BY b.made_at, b.id
            """,
            subject.citizen,
            subject.persons,
        )
        return Portion(self.name, len(rows), {}, [dict(row) for row in rows])

    async def obligations(self, db: Reader, subject: Subject) -> int:
        """The numbers still to come: whoever has one is to be reminded, and known at the counter."""
        return int(await db.fetchval(_LIVE, subject.citizen, subject.persons, subject.at))

    async def stays(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """The bookings, in the hospital's books."""
        mine = "SELECT count(*) FROM bookings WHERE citizen = $1 OR person = ANY($2)"
        return {"bookings": int(await tx.fetchval(mine, subject.citizen, subject.persons))}
