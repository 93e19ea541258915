"""The messages of a citizen: what was sent or is to be, what they allowed, were asked, and are owed."""

from collections.abc import Mapping
from datetime import timedelta

from core.delivery import guards, stops
from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.stores.database import Transaction

_MONTH = timedelta(days=30)
_DAY = timedelta(days=1)


class Messages(Holding):
    """Rows name a conversation, a keyed hash that nobody finds an openid in; words are sealed."""

    name = "messages"
    tables = (
        Kept(
            "outbox",
            "messages on their way, and whether they arrived; then the words go",
            End.NAMELESS,
            _MONTH,
            "settled_at",
            until="the message was settled",
        ),
        Kept(
            "reminders",
            "what a citizen is to be reminded of, and when",
            End.ERASED,
            _MONTH,
            "settled_at",
            until="the reminder was due",
        ),
        Kept(
            "prompts",
            "what a message of ours asked, so that a digit can answer it",
            End.ERASED,
            _DAY,
            "expires_at",
            until="the question is over",
        ),
        Kept(
            "credits",
            "which notices a citizen allowed",
            End.ERASED,
            _MONTH,
            "coalesce(spent_at, void_at)",
            until="the permission was used or taken back",
        ),
        Kept(
            "receipts",
            "what WeChat says became of a message, until it stands in its row",
            End.ERASED,
            _DAY,
            "at",
            until="it came",
        ),
        Kept("owed", "messages that are owed an answer", End.ERASED, _DAY, "since", until="it came"),
        Kept(
            "effects",
            "which effect of which conversation is done, so that none is done twice",
            End.ERASED,
            _MONTH,
            "at",
            until="the effect",
        ),
        Kept(
            "versions",
            "how often an object changed: a message made before is not sent",
            End.NAMELESS,
            until="for ever: a count that began anew would let an old message through",
        ),
        Kept(
            "stops", "which notices a citizen does not want", End.ERASED, until="as long as they are stopped"
        ),
    )

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """How many of each; words that were sent are not kept."""
        row = await db.fetchrow(
            """
            SELECT (SELECT count(*) FROM outbox WHERE conversation = ANY($1) AND settled_at IS NULL
                                                      AND job IS NULL) AS waiting,
                   (SELECT count(*) FROM reminders WHERE conversation = ANY($1)
                                                       AND state = 'due') AS reminders,
                   (SELECT count(*) FROM prompts WHERE conversation = ANY($1)) AS questions,
                   (SELECT count(*) FROM credits WHERE conversation = ANY($1) AND spent_at IS NULL
                                                       AND void_at IS NULL) AS permissions
            """,
            subject.conversations,
        )
        found = {key: int(value) for key, value in dict(row or {}).items()}
        stopped = await stops.stopped(db, subject.conversations)
        shown = {**found, "stopped": stopped}
        return Portion(self.name, sum(found.values()), shown, [shown] if any(shown.values()) else [])

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Take back what is on its way, and forget the rest; what was sent goes within thirty days."""
        for conversation in subject.conversations:
            await guards.bump(tx, guards.recipient(conversation))
            await tx.execute(_FORGET_RUNS, conversation)
        erased = {"messages": _count(await tx.execute(_TAKE_BACK, subject.conversations))}
        for statement in _FORGET:
            await tx.execute(statement, subject.conversations)
        erased["reminders"] = _count(
            await tx.execute(
                "DELETE FROM reminders WHERE conversation = ANY($1) AND state = 'due'", subject.conversations
            )
        )
        return erased


_TAKE_BACK = """
    UPDATE outbox SET
        state = CASE WHEN perhaps OR attempted_at IS NOT NULL THEN 'unknown' ELSE 'cancelled' END,
        reason = 'erased', hold = '', settled_at = now(), sealed = NULL, holder = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM outbox WHERE conversation = ANY($1) AND settled_at IS NULL AND job IS NULL
        ORDER BY id FOR UPDATE
    )
"""
_FORGET = (
    "DELETE FROM prompts WHERE conversation = ANY($1)",
    "DELETE FROM credits WHERE conversation = ANY($1) AND spent_at IS NULL AND void_at IS NULL",
    "DELETE FROM receipts WHERE conversation = ANY($1)",
    "DELETE FROM stops WHERE conversation = ANY($1)",
    "DELETE FROM owed USING unnest($1::text[]) AS c (name) WHERE starts_with(event, c.name || ':')",
)
# A run begins with a conversation and a colon, and behind the colon comes the semicolon: for the index.
_FORGET_RUNS = "DELETE FROM effects WHERE run ~>=~ ($1 || ':') AND run ~<~ ($1 || ';')"


def _count(said: str) -> int:
    """How many rows PostgreSQL says it changed: "UPDATE 3"."""
    return int(said.rpartition(" ")[2])
