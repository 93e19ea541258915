"""Digits we invited (design 8): what a message of ours asked for, until when, and what was answered."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from core.chat.events import Event
from core.chat.prompts import Prompt, PromptOver
from core.delivery.guards import Guards, of_objects
from core.delivery.letters import Letter
from core.stores.database import Database, Transaction

__all__ = ["Prompt", "PromptOver", "Prompting", "answered", "leave", "purge", "read"]

MOST = 3  # open at once in one conversation
_KEY = "answered"


async def leave(
    tx: Transaction, message: int, conversation: str, kind: str, letter: Letter, guards: Guards
) -> None:
    """Note what a message that was just accepted invites to; of one conversation three stay.

    These are the latest; one that counts no more makes room first.
    """
    if not letter.options:
        return
    objects = of_objects(guards)  # a booking stands though its citizen was away
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
        list(objects),
        list(objects.values()),
        letter.title,
        [id_ for id_, _ in letter.options],
        [label for _, label in letter.options],
        datetime.fromtimestamp(letter.expires, UTC),
    )
    await tx.execute(
        """
        DELETE FROM prompts WHERE message IN (
            SELECT message FROM prompts WHERE conversation = $1
            ORDER BY expires_at > now() AND guards_hold(guard_keys, guard_ns) DESC, at DESC, message DESC
            OFFSET $2
        )
        """,
        conversation,
        MOST,
    )


async def answered(tx: Transaction, prompt: Prompt) -> None:
    """Carry out an answer in this transaction: the message was read, and the next digit is not for it.

    Call it before anything is changed. What the same event answered before is no news. `PromptOver`: another
    event's answer was carried out, or it counts no more.
    """
    run = _answer_of(prompt.event)
    taken = await tx.fetchval(
        """
        DELETE FROM prompts
        WHERE message = $1 AND expires_at > now() AND guards_hold(guard_keys, guard_ns) RETURNING true
        """,
        prompt.message,
    )
    # A statement of its own: it sees what whoever held the row until now has committed.
    if not taken and not await tx.fetchval("SELECT true FROM effects WHERE run = $1 AND key = $2", run, _KEY):
        raise PromptOver
    if taken:
        await tx.execute(
            "INSERT INTO effects (run, key, digest, result) VALUES ($1, $2, $3, $4)",
            run,
            _KEY,
            prompt.effect.digest,
            msgspec.json.encode(prompt).decode(),
        )
    await read(tx, prompt.message)


async def read(tx: Transaction, *messages: int) -> None:
    """Mark messages as read, by something the citizen did."""
    await tx.execute(
        """
        UPDATE outbox SET state = 'read', sealed = NULL, settled_at = coalesce(settled_at, now()),
                          holder = NULL, lease_until = NULL
        WHERE id = ANY($1) AND state IN ('sending', 'accepted', 'delivered', 'unknown')
        """,
        messages,
    )


async def purge(db: Database) -> None:
    """Forget prompts that are over; whoever answers a day late is still told so."""
    await db.execute("DELETE FROM prompts WHERE expires_at < now() - interval '1 day'")


class Prompting:
    """The prompts of all conversations, for the turns that read and answer them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def pending(self, event: Event) -> list[Prompt]:
        """All that this conversation was asked, the latest first; what this event answered, alone."""
        rows = await self._db.fetch(
            """
            SELECT p.*, p.expires_at <= now() AS late, NOT guards_hold(p.guard_keys, p.guard_ns) AS moved,
                   e.result AS answered
            FROM (SELECT) here LEFT JOIN effects e ON e.run = $2 AND e.key = $3
                 LEFT JOIN prompts p ON p.conversation = $1
            ORDER BY p.at DESC, p.message DESC
            """,
            event.conversation,
            _answer_of(event.id),
            _KEY,
        )
        if rows[0]["answered"] is not None:
            return [msgspec.json.decode(rows[0]["answered"], type=Prompt)]
        return [_prompt(dict(row)) for row in rows if row["message"] is not None]

    async def opened(self, prompt: Prompt) -> None:
        """The message was read, and waits for the outcome of the dialogue that it opened."""
        async with self._db.transaction() as tx:
            await read(tx, prompt.message)

    async def answered(self, prompt: Prompt) -> None:
        """The option was carried out; no news where its service said so in its own transaction."""
        async with self._db.transaction() as tx:
            await answered(tx, prompt)

    async def seen(self, kind: str, about: str) -> None:
        """Whoever was asked about an object has opened its page: what asked was read, and still waits."""
        async with self._db.transaction() as tx:
            asked = await tx.fetch("SELECT message FROM prompts WHERE kind = $1 AND object = $2", kind, about)
            await read(tx, *(row["message"] for row in asked))

    async def settled(self, kind: str, about: str) -> None:
        """What was asked about an object was answered on its page: it was read, no digit is for it."""
        async with self._db.transaction() as tx:
            asked = await tx.fetch(
                "DELETE FROM prompts WHERE kind = $1 AND object = $2 RETURNING message", kind, about
            )
            await read(tx, *(row["message"] for row in asked))

    async def over(self, message: int) -> None:
        """What a dialogue did from here is done."""
        await self._db.execute("DELETE FROM prompts WHERE message = $1", message)


def _answer_of(event: str) -> str:
    return f"{event}/prompt"


def _prompt(row: dict[str, Any]) -> Prompt:
    return Prompt(
        message=row["message"],
        kind=row["kind"],
        title=row["title"],
        about=row["object"],
        options=tuple(zip(row["options"], row["labels"], strict=True)),
        at=row["at"],
        expires_at=row["expires_at"],
        late=row["late"],
        moved=row["moved"],
    )
