"""What is due when: rows with a time, fired into the outbox in one statement (design 7).

All firing is by the database's clock; nothing is scheduled in the past.
"""

from datetime import datetime

from core.clock import Clock
from core.delivery import guards
from core.delivery.notices import Notice, Notices
from core.stores.database import Database, Transaction

AT_ONCE = 2_000


class Reminders:
    """Sets reminders in the transaction that makes their reason, and fires those that are due."""

    def __init__(self, db: Database, notices: Notices, clock: Clock) -> None:
        self._db = db
        self._notices = notices
        self._clock = clock

    async def set(self, tx: Transaction, notice: Notice, due: datetime) -> bool:
        """Remind of something then; False if that is over, or stands there already.

        It hangs on the notice's guards as they are now: once one of them has moved it is never sent. On its
        recipient it hangs when it is fired (ADR 0015). The notice is said and checked now, as on that day;
        `NoticeRefused` names what is wrong with it.
        """
        if due <= self._clock.now() or (notice.valid_until is not None and due >= notice.valid_until):
            return False
        if not notice.guards:
            raise ValueError(f"a reminder hangs on what it reminds of: {notice.kind} names no guard")
        entry = await self._notices.entry(tx, notice, due)
        found = await tx.fetchval(
            """
            INSERT INTO reminders (key, conversation, kind, lane, sealed, guard_keys, guard_ns, due_at,
                                   valid_until, repeatable)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key) DO NOTHING RETURNING 1
            """,
            entry.key,
            entry.conversation,
            entry.kind,
            entry.lane,
            entry.sealed,
            list(entry.guards),
            list(entry.guards.values()),
            entry.not_before,
            entry.valid_until,
            entry.repeatable,
        )
        return found is not None

    async def fire(self) -> int:
        """Queue every reminder that is due; how many were. What has changed, is over or stopped is dropped.

        One statement moves a reminder: it is fired and stands in the outbox, or it is still due.
        """
        fired = 0
        kinds = [(kind.name, kind.purpose) for kind in self._notices.kinds if kind.purpose]
        names, purposes = [name for name, _ in kinds], [purpose for _, purpose in kinds]
        given = (AT_ONCE, guards.RECIPIENT, guards.STOP, names, purposes)
        rows = await self._db.fetch(_FIRE, *given)
        while rows:
            fired += sum(row["state"] == "fired" for row in rows)
            again = len(rows) == AT_ONCE
            rows = await self._db.fetch(_FIRE, *given) if again else []
        return fired


_FIRE = """
    WITH due AS (
        SELECT r.id, k.purpose, CASE WHEN valid_until <= now() THEN 'expired'
                        WHEN guards_hold(guard_keys, guard_ns) AND NOT EXISTS (
                            SELECT FROM stops s
                            WHERE s.conversation = r.conversation AND s.purpose = k.purpose
                        ) THEN 'fired' ELSE 'cancelled' END AS becomes
        FROM reminders r LEFT JOIN unnest($4::text[], $5::text[]) AS k (kind, purpose) USING (kind)
        WHERE state = 'due' AND due_at <= now()
        ORDER BY due_at LIMIT $1 FOR UPDATE OF r SKIP LOCKED
    ), queued AS (
        INSERT INTO outbox (key, conversation, sealed, kind, lane, not_before, valid_until, guard_keys,
                            guard_ns, repeatable)
        SELECT r.key, conversation, sealed, kind, lane, now(), valid_until,
               guard_keys || here.keys, guard_ns || here.ns, repeatable
        FROM reminders r JOIN due USING (id), LATERAL (
            SELECT array_agg(g.key ORDER BY g.no) AS keys, array_agg(coalesce(v.n, 0) ORDER BY g.no) AS ns
            FROM (VALUES (1, $2 || conversation), (2, $3 || purpose || ':' || conversation)) AS g (no, key)
                 LEFT JOIN versions v USING (key)
            WHERE g.key IS NOT NULL
        ) here
        WHERE becomes = 'fired'
        ON CONFLICT (key) DO NOTHING
    )
    UPDATE reminders r SET state = becomes, settled_at = now(), sealed = NULL
    FROM due WHERE r.id = due.id RETURNING r.state
"""
