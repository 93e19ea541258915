"""The nightly purge: what is older than its period goes, and a report says what went and what is overdue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.privacy.holdings import Kept
from core.stores.database import Database

AT_ONCE = 5_000  # rows a statement removes: it has to end well within the database's time limit
GRACE = timedelta(days=1)  # between two purges

_log = structlog.get_logger("retention")


@dataclass(frozen=True, slots=True)
class Report:
    """What one purge did to one table; `oldest` is of the rows it may remove one day, None without any."""

    table: str
    removed: int
    oldest: datetime | None
    overdue: bool


class Retention:
    """Purges by the rules of all tables, and remembers what it did."""

    def __init__(self, db: Database, clock: Clock, rules: Sequence[Kept]) -> None:
        self._db = db
        self._clock = clock
        self.rules = tuple(rules)

    async def purge(self) -> list[Report]:
        """Remove what is older than its period, table by table; what could not be is told as overdue."""
        now = self._clock.now()
        timed = [(rule, rule.period) for rule in self.rules if rule.period is not None]
        reports = [await self._purge(rule, now - period) for rule, period in timed]
        for each in reports:
            log = _log.error if each.overdue else _log.info
            log("purged", table=each.table, removed=each.removed, overdue=each.overdue)
        await self._db.execute(
            """
            INSERT INTO purge_reports (at, "table", removed, oldest, overdue)
            SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::boolean[])
            ON CONFLICT (at, "table") DO NOTHING
            """,
            now,
            [each.table for each in reports],
            [each.removed for each in reports],
            [each.oldest for each in reports],
            [each.overdue for each in reports],
        )
        return reports

    async def last(self) -> tuple[datetime, list[Report]] | None:
        """The last purge, and when it was; None before the first."""
        rows = await self._db.fetch(
            """
            SELECT * FROM purge_reports WHERE at = (SELECT max(at) FROM purge_reports) ORDER BY "table"
            """
        )
        if not rows:
            return None
        found = [Report(row["table"], row["removed"], row["oldest"], row["overdue"]) for row in rows]
        return rows[0]["at"], found

    async def _purge(self, rule: Kept, before: datetime) -> Report:
        removed, gone = 0, AT_ONCE
        while gone == AT_ONCE:
            gone = int(await self._db.fetchval(_remove(rule), before, AT_ONCE))
            removed += gone
        oldest: datetime | None = await self._db.fetchval(_oldest(rule))
        return Report(rule.table, removed, oldest, overdue=oldest is not None and oldest < before - GRACE)


def _matching(rule: Kept) -> str:
    return f" AND NOT ({rule.unless})" if rule.unless else ""


def _remove(rule: Kept) -> str:
    """The statement that forgets the next rows of a table; its words are our own."""
    forget = f"UPDATE {rule.table} SET {rule.emptied}" if rule.emptied else f"DELETE FROM {rule.table}"  # noqa: S608
    return f"""
        WITH old AS (
            {forget} WHERE ctid = ANY(ARRAY(
                SELECT t.ctid FROM {rule.table} t WHERE {rule.since} < $1{_matching(rule)}
                LIMIT $2 FOR UPDATE OF t SKIP LOCKED
            )) RETURNING 1
        ) SELECT count(*) FROM old
    """  # noqa: S608 - put together from our own words


def _oldest(rule: Kept) -> str:
    return f"SELECT min({rule.since}) FROM {rule.table} t WHERE true{_matching(rule)}"  # noqa: S608 - as above
