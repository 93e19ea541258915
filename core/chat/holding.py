"""What a conversation leaves: messages for the human desk, and for a while what was talked about."""

from collections.abc import Mapping
from datetime import timedelta

from core.chat.inbox import session_key, windows_key
from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.seal import Seal
from core.stores.database import Transaction
from core.stores.redis import Redis


class DeskMessages(Holding):
    """Messages for the human desk."""

    name = "desk"
    tables = (
        Kept(
            "desk_messages",
            "what a citizen wrote to the human desk, to be answered",
            End.ERASED,
            timedelta(days=365),
            "closed_at",
            until="it was dealt with",
        ),
        Kept(
            "desk_answers",
            "what staff answered to it",
            End.ERASED,
            timedelta(days=365),
            "(SELECT d.closed_at FROM desk_messages d WHERE d.id = t.message)",
            until="it was dealt with",
        ),
    )

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each of them, in its own words."""
        rows = await db.fetch(
            """
            SELECT id, sealed, left_at, closed_at,
                   ARRAY(SELECT a.sealed FROM desk_answers a WHERE a.message = m.id ORDER BY a.id) AS answers
            FROM desk_messages m WHERE conversation = ANY($1) ORDER BY left_at, id
            """,
            subject.conversations,
        )
        entries = [
            {
                "number": row["id"],
                "words": self._seal.open(row["sealed"], f"desk:{row['id']}").decode(),
                "at": row["left_at"],
                "closed_at": row["closed_at"],
                "answers": [
                    self._seal.open(each, f"desk-answer:{row['id']}").decode() for each in row["answers"]
                ],
            }
            for row in rows
        ]
        return Portion(self.name, len(entries), {}, entries)

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """All of them, answered or not."""
        rows = await tx.fetch(
            "DELETE FROM desk_messages WHERE conversation = ANY($1) RETURNING 1", subject.conversations
        )
        return {"desk": len(rows)}


class Talks(Holding):
    """What is being talked about: sealed, in Redis, for a day at most."""

    name = "talks"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Whether there is something open; what it is goes by itself."""
        del db
        keys = [session_key(each) for each in subject.conversations]
        count = int(await self._redis.client.exists(*keys)) if keys else 0
        return Portion(self.name, count)

    async def forget(self, subject: Subject) -> None:
        """Drop what was talked about, and whether we may write.

        What counts the conversation's messages stays: a run may be under way. It ends within a day.
        """
        for conversation in subject.conversations:
            await self._redis.client.hdel(session_key(conversation), "sealed")
            await self._redis.client.delete(windows_key(conversation))
