"""The statements on whose unionid is to be asked for, one function each."""

from dataclasses import dataclass
from datetime import datetime

from core.stores.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """One account of a citizen that WeChat is asked about, for the so many-th time since they follow."""

    conversation: str
    tries: int


async def due(db: Database, account: str, now: datetime, most: int) -> int:
    """How many questions of an official account are due, up to `most`."""
    return int(
        await db.fetchval(
            """
            SELECT count(*) FROM (
                SELECT FROM accounts WHERE account = $1 AND following AND unionid_due <= $2 LIMIT $3
            ) waiting
            """,
            account,
            now,
            most,
        )
    )


async def claim(db: Database, account: str, now: datetime, until: datetime, most: int) -> list[Question]:
    """Take due questions in hand; whoever dies with them leaves them due again at `until`."""
    rows = await db.fetch(
        """
        UPDATE accounts SET unionid_due = $3, unionid_tries = unionid_tries + 1
        WHERE conversation IN (
            SELECT conversation FROM accounts WHERE account = $1 AND following AND unionid_due <= $2
            ORDER BY unionid_due LIMIT $4 FOR UPDATE SKIP LOCKED
        )
        RETURNING conversation, unionid_tries
        """,
        account,
        now,
        until,
        most,
    )
    return [Question(row["conversation"], row["unionid_tries"]) for row in rows]


async def settle(tx: Transaction | Database, question: Question) -> bool:
    """Ask no more; False if the question does not stand any more: they left, or left and came back."""
    found = await tx.fetchval(
        """
        UPDATE accounts SET unionid_due = NULL
        WHERE conversation = $1 AND unionid_tries = $2 AND following RETURNING true
        """,
        question.conversation,
        question.tries,
    )
    return bool(found)


async def put_off(db: Database, question: Question, until: datetime, *, counts: bool) -> None:
    """Ask again then; what could not be asked for a reason that is not theirs does not count as a try."""
    await db.execute(
        """
        UPDATE accounts SET unionid_due = $3, unionid_tries = unionid_tries - CASE WHEN $4 THEN 0 ELSE 1 END
        WHERE conversation = $1 AND unionid_tries = $2 AND following
        """,
        question.conversation,
        question.tries,
        until,
        counts,
    )
