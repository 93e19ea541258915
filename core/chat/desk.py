"""The human desk: its hours, and the sealed messages citizens leave for it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial

import asyncpg

from core.clock import CITY_ZONE, Clock
from core.effects import Effect, perform
from core.seal import Seal
from core.stores.database import Database, Transaction

_SATURDAY = 5
_SHORT = 8  # hex digits of a conversation's name that tell it from the others at a glance
_MESSAGE = """
SELECT m.id, m.conversation, m.sealed, m.left_at, m.closed_at, m.closed_by,
       (SELECT array_agg(s.id ORDER BY s.left_at, s.id) FROM desk_messages s
        WHERE s.conversation = m.conversation) AS siblings
FROM desk_messages m
"""


Accounts = Collection[str] | None  # whose messages are meant; None for those of all


@dataclass(frozen=True, slots=True)
class DeskHours:
    """When a person sits at the desk: working days, from `opens` to `closes`, city time."""

    opens: time
    closes: time

    def open_at(self, moment: datetime) -> bool:
        """Tell whether somebody is there."""
        local = moment.astimezone(CITY_ZONE)
        return local.weekday() < _SATURDAY and self.opens <= local.time() < self.closes


@dataclass(frozen=True, slots=True)
class Message:
    """What a citizen left; `closed_by` is "" while it waits.

    `siblings` are the ids of all messages this conversation left, this one among them, oldest first.
    """

    id: str
    conversation: str
    text: str
    left_at: datetime
    closed_at: datetime | None
    closed_by: str
    siblings: tuple[str, ...]

    @property
    def account(self) -> str:
        """The key of the official account it came through."""
        return self.conversation.partition(":")[0]

    @property
    def writer(self) -> str:
        """A short name of the conversation: the same for all messages of one citizen, and no openid."""
        return self.conversation.partition(":")[2][:_SHORT]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages nobody has dealt with yet, and when the oldest of them was left."""

    count: int
    oldest: datetime | None


class Desk:
    """Takes messages from citizens and shows them to staff."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, hours: DeskHours) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._hours = hours

    def is_open(self) -> bool:
        """Tell whether somebody is at the desk now."""
        return self._hours.open_at(self._clock.now())

    async def leave(self, conversation: str, text: str, effect: Effect) -> str:
        """Keep a message for the staff; returns its id."""
        return await perform(self._db, effect, partial(self._insert, conversation, text))

    async def list(
        self, after: str = "", limit: int = 20, *, closed: bool = False, accounts: Accounts = None
    ) -> list[Message]:
        """Page through the messages, oldest first: those that wait, or with `closed` all of them.

        `after` is the id of the last one seen; `accounts` are those whose messages are wanted.
        """
        rows = await self._db.fetch(
            f"""
            {_MESSAGE}
            WHERE (m.closed_at IS NULL OR $3)
              AND ($4::text[] IS NULL OR split_part(m.conversation, ':', 1) = ANY($4))
              AND ($1 = '' OR (m.left_at, m.id) > (SELECT left_at, id FROM desk_messages WHERE id = $1))
            ORDER BY m.left_at, m.id LIMIT $2
            """,  # noqa: S608 - our own words
            after,
            limit,
            closed,
            None if accounts is None else list(accounts),
        )
        return [self._message(row) for row in rows]

    async def show(self, message: str) -> Message | None:
        """One message, or None."""
        row = await self._db.fetchrow(f"{_MESSAGE} WHERE m.id = $1", message)
        return self._message(row) if row else None

    async def close(self, message: str, by: str, accounts: Accounts = None) -> bool:
        """Mark a message as dealt with; False if there is no such open one (of these accounts)."""
        done = await self._db.execute(
            """
            UPDATE desk_messages SET closed_at = now(), closed_by = $2
            WHERE id = $1 AND closed_at IS NULL
              AND ($3::text[] IS NULL OR split_part(conversation, ':', 1) = ANY($3))
            """,
            message,
            by,
            None if accounts is None else list(accounts),
        )
        return done == "UPDATE 1"

    async def waiting(self, accounts: Accounts = None) -> Waiting:
        """How much waits for the staff (of these accounts)."""
        row = await self._db.fetchrow(
            """
            SELECT count(*) AS count, min(left_at) AS oldest FROM desk_messages
            WHERE closed_at IS NULL AND ($1::text[] IS NULL OR split_part(conversation, ':', 1) = ANY($1))
            """,
            None if accounts is None else list(accounts),
        )
        return Waiting(row["count"], row["oldest"]) if row else Waiting(0, None)

    async def _insert(self, conversation: str, text: str, tx: Transaction) -> str:
        number = str(await tx.fetchval("SELECT nextval('desk_numbers')"))  # short: people say it on the phone
        await tx.execute(
            "INSERT INTO desk_messages (id, conversation, sealed) VALUES ($1, $2, $3)",
            number,
            conversation,
            self._seal.seal(text.encode(), f"desk:{number}"),
        )
        return number

    def _message(self, row: asyncpg.Record) -> Message:
        return Message(
            id=row["id"],
            conversation=row["conversation"],
            text=self._seal.open(row["sealed"], f"desk:{row['id']}").decode(),
            left_at=row["left_at"],
            closed_at=row["closed_at"],
            closed_by=row["closed_by"] or "",
            siblings=tuple(row["siblings"]),
        )
