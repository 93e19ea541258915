"""Staff answers what a citizen left at the human desk: inside a send window, else with the next contact."""
# ruff: noqa: N818 - a refusal is named by what is the case

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.clock import Clock
from core.delivery.notices import Notice, Notices
from core.effects import Effect, perform
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database, Transaction

KIND = "desk_answered"
LEAST, MOST = 2, 500  # characters: with what was asked they fit into one message


class NoSuchMessage(DomainError):
    """There is no such message at the desks that somebody works at."""

    code = "no_such_message"


class MessageClosed(DomainError):
    """Somebody has closed it meanwhile."""

    code = "message_closed"


class AnswerStrange(DomainError):
    """An answer has `least` to `most` characters, and neither < nor > among them."""

    code = "answer_strange"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, by which member of staff."""

    text: str
    member: str
    at: datetime


class Answering:
    """The answers to all messages. `accounts` are those whose desks a member works at."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, notices: Notices) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._notices = notices

    async def answer(
        self, message: str, text: str, member: str, effect: Effect, *, accounts: Collection[str]
    ) -> str:
        """Answer an open message; its number. `AnswerStrange`, `NoSuchMessage`, `MessageClosed`."""
        said = answer_of(text)
        return await perform(self._db, effect, partial(self._answer, message, said, member, accounts))

    async def answers(self, messages: Sequence[str]) -> Mapping[str, list[Answer]]:
        """What was answered to each of these messages, the oldest first."""
        rows = await self._db.fetch(
            "SELECT * FROM desk_answers WHERE message = ANY($1) ORDER BY id", list(messages)
        )
        found: defaultdict[str, list[Answer]] = defaultdict(list)
        for row in rows:
            text = self._seal.open(row["sealed"], _context(row["message"])).decode()
            found[row["message"]].append(Answer(text, row["member"], row["at"]))
        return found

    async def _answer(
        self, message: str, text: str, member: str, accounts: Collection[str], tx: Transaction
    ) -> str:
        row = await tx.fetchrow(
            """
            SELECT conversation, sealed, closed_at FROM desk_messages
            WHERE id = $1 AND split_part(conversation, ':', 1) = ANY($2) FOR UPDATE
            """,
            message,
            list(accounts),
        )
        if row is None:
            raise NoSuchMessage
        if row["closed_at"] is not None:
            raise MessageClosed
        number = await tx.fetchval(
            "INSERT INTO desk_answers (message, sealed, member, at) VALUES ($1, $2, $3, $4) RETURNING id",
            message,
            self._seal.seal(text.encode(), _context(message)),
            member,
            self._clock.now(),
        )
        asked = self._seal.open(row["sealed"], f"desk:{message}").decode()
        facts = {"number": message, "asked": asked, "answer": text}
        await self._notices.queue(tx, Notice(KIND, message, row["conversation"], facts, step=str(number)))
        return message


def answer_of(text: str) -> str:
    """An answer as it is sent; `AnswerStrange`."""
    said = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    plain = said.replace("\n", "")
    if not LEAST <= len(plain) <= MOST or not plain.isprintable() or {"<", ">"} & set(plain):
        raise AnswerStrange(least=LEAST, most=MOST)
    return said


def _context(message: str) -> str:
    """Name the only place where a sealed answer opens."""
    return f"desk-answer:{message}"
