"""What operators look at: debts that are open or given up, refunds that failed, notices that do not fit."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.stores.database import Database


class Which(StrEnum):
    """The lists; `staff` is what nobody but a person will see to."""

    OPEN = "open"
    FAILED = "failed"
    STAFF = "staff"
    REFUNDS = "refunds"
    STRAYS = "strays"


@dataclass(frozen=True, slots=True)
class Line:
    """One of a list. `id` is what the next page goes on after; `about` says what it is for, in ids."""

    id: str
    at: datetime
    state: str
    amount_fen: int
    about: str
    note: str


_PAYMENTS = """
SELECT p.id, p.changed_at AS at, p.state, p.amount_fen, p.purpose || ' ' || p.object AS about,
       concat(p.tries, CASE p.tries WHEN 1 THEN ' try' ELSE ' tries' END,
              ', ' || nullif(t.reason, '')) AS note
FROM payments p LEFT JOIN pay_tries t ON t.payment = p.id AND t.no = p.tries
WHERE p.id > $1 AND {what} ORDER BY p.id LIMIT $2
"""
_LISTS = {
    Which.OPEN: _PAYMENTS.format(what="p.state IN ('owed', 'asked')"),
    Which.FAILED: _PAYMENTS.format(what="p.state = 'owed' AND p.begun_at IS NOT NULL"),
    Which.STAFF: _PAYMENTS.format(what="p.state = 'stopped'"),
    Which.REFUNDS: """
        SELECT id, changed_at AS at, state, amount_fen, try || ' ' || why AS about, reason AS note
        FROM pay_refunds WHERE id > $1 AND state <> 'done' ORDER BY id LIMIT $2
    """,
    Which.STRAYS: """
        SELECT id, at, 'stray' AS state, 0 AS amount_fen, about, reason AS note
        FROM pay_strays WHERE id > $1 ORDER BY id LIMIT $2
    """,
}


async def page(db: Database, which: Which, after: str, limit: int) -> list[Line]:
    """Up to `limit` lines behind `after`."""
    return [Line(**dict(row)) for row in await db.fetch(_LISTS[which], after, limit)]
