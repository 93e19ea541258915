"""Digits we invited (design 8): what a message of ours asked for, until when, and what was answered."""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from core.delivery.guards import Guards
from core.delivery.letters import Letter
from core.stores.database import Database, Transaction

MOST = 3  # open at once in one conversation


@dataclass(frozen=True, slots=True)
class Prompt:
    """A message of ours that waits for a digit: `options` are id and label, in the order they were shown.

    `about` is the object the kind knows, `at` when the message was accepted.
    """

    message: int
    kind: str
    title: str
    about: str
    options: tuple[tuple[str, str], ...]
    at: datetime
    expires_at: datetime

    def option(self, number: int) -> str | None:
        """The id that a digit stands for."""
        return self.options[number - 1][0] if 1 <= number <= len(self.options) else None


async def leave(
    tx: Transaction, message: int, conversation: str, kind: str, letter: Letter, guards: Guards
) -> None:
    """Note what a message that was just accepted invites to; of one conversation the latest three stay."""
    if not letter.options:
        return
    await tx.execute(
        """
        INSERT INTO prompts (message, conversation, kind, object, guard_keys, guard_ns, title, options,
                             labels, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
        """,
        message,
        conversation,
        kind,
        letter.about,
        list(guards),
        list(guards.values()),
        letter.title,
        [id_ for id_, _ in letter.options],
        [label for _, label in letter.options],
        datetime.fromtimestamp(letter.expires, UTC),
    )
    await tx.execute(
        """
        DELETE FROM prompts WHERE message IN (
            SELECT message FROM prompts WHERE conversation = $1 ORDER BY at DESC, message DESC OFFSET $2
        )
        """,
        conversation,
        MOST,
    )


async def open_ones(db: Database, conversation: str) -> list[Prompt]:
    """The prompts of a conversation that still count, the latest first."""
    rows = await db.fetch(
        """
        SELECT * FROM prompts
        WHERE conversation = $1 AND expires_at > now() AND guards_hold(guard_keys, guard_ns)
        ORDER BY at DESC, message DESC LIMIT $2
        """,
        conversation,
        MOST,
    )
    return [_prompt(row) for row in rows]


async def answered(tx: Transaction, message: int) -> None:
    """A prompt was answered: the message was read, and the next digit is not for it."""
    await tx.execute("DELETE FROM prompts WHERE message = $1", message)
    await read(tx, message)


async def read(tx: Transaction, message: int) -> None:
    """Mark a message as read, by something the citizen did."""
    await tx.execute(
        """
        UPDATE outbox SET state = 'read', sealed = NULL, settled_at = coalesce(settled_at, now()),
                          holder = NULL, lease_until = NULL
        WHERE id = $1 AND state IN ('sending', 'accepted', 'delivered', 'unknown')
        """,
        message,
    )


async def purge(db: Database) -> None:
    """Forget prompts that are over."""
    await db.execute("DELETE FROM prompts WHERE expires_at < now()")


def _prompt(row: asyncpg.Record) -> Prompt:
    return Prompt(
        row["message"],
        row["kind"],
        row["title"],
        row["object"],
        tuple(zip(row["options"], row["labels"], strict=True)),
        row["at"],
        row["expires_at"],
    )
