"""Digits we invited (design 8): what a message of ours asked for, until when, and what was answered.

It is noted when the request of the message leaves, and counts once that surely arrived (docs/adr/0017).
Whoever changes both locks the message before its prompt.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.chat.events import Event
from core.chat.prompts import Prompt, PromptOver
from core.delivery.guards import Guards, of_objects
from core.delivery.letters import Letter
from core.delivery.mail import Mail
from core.stores.database import Database, Transaction

__all__ = ["Prompt", "PromptOver", "Prompting", "answered", "arrived", "leave", "note", "read"]

MOST = 3  # open at once in one conversation
_KEY = "answered"
_NOTE = """
    INSERT INTO prompts (message, conversation, kind, object, guard_keys, guard_ns, title, options, labels,
                         expires_at, arrived)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (message) DO UPDATE SET arrived = excluded.arrived, at = now() WHERE NOT prompts.arrived
"""
_ONE_AT_A_TIME = """
    SELECT pg_advisory_xact_lock(hashtextextended('prompts:' || conversation, 0))
    FROM (SELECT DISTINCT unnest($1::text[]) AS conversation ORDER BY conversation) each
"""
# Its request left, and nobody knows what became of it.
_PERHAPS = """
    (o.state = 'sending' AND o.attempted_at IS NOT NULL
     OR o.perhaps AND o.state IN ('queued', 'held', 'sending', 'unknown'))
"""


async def note(tx: Transaction, mails: Sequence[Mail]) -> None:
    """Note what messages invite to whose requests leave now: they may arrive, and we never hear of it."""
    found = [
        (mail.row.id, mail.row.conversation, mail.row.kind, *_invitation(mail.letter, mail.row.guards), False)
        for mail in mails
        if mail.letter is not None and mail.letter.options
    ]
    if found:
        await tx.executemany(_NOTE, found)


async def arrived(tx: Transaction, messages: Sequence[int]) -> None:
    """Let count what these messages invite to, which surely arrived; of one conversation three stay."""
    if not messages:
        return
    rows = await tx.fetch(
        """
        UPDATE prompts SET arrived = true, at = now() WHERE message = ANY($1) AND NOT arrived
        RETURNING conversation
        """,
        messages,
    )
    if rows:
        await _make_room(tx, [row["conversation"] for row in rows])


async def leave(
    tx: Transaction, message: int, conversation: str, kind: str, letter: Letter, guards: Guards
) -> None:
    """Note what a message invites to that surely arrives; of one conversation three stay."""
    if not letter.options:
        return
    await tx.execute(_NOTE, message, conversation, kind, *_invitation(letter, guards), True)
    await _make_room(tx, [conversation])


def _invitation(letter: Letter, guards: Guards) -> tuple[object, ...]:
    objects = of_objects(guards)  # a booking stands though its citizen was away
    return (
        letter.about,
        list(objects),
        list(objects.values()),
        letter.title,
        [id_ for id_, _ in letter.options],
        [label for _, label in letter.options],
        datetime.fromtimestamp(letter.expires, UTC),
    )


async def _make_room(tx: Transaction, conversations: Sequence[str]) -> None:
    """Keep the latest of each conversation; what counts no more goes first.

    One transaction at a time does it for a conversation, else two would each keep three of their own. The
    second statement sees what whoever was before us has committed.
    """
    await tx.execute(_ONE_AT_A_TIME, conversations)
    await tx.execute(
        """
        DELETE FROM prompts WHERE message IN (
            SELECT message FROM (
                SELECT message, row_number() OVER (
                    PARTITION BY conversation
                    ORDER BY expires_at > now() AND guards_hold(guard_keys, guard_ns) DESC, at DESC,
                             message DESC
                ) AS place
                FROM prompts WHERE conversation = ANY($1) AND arrived
            ) each WHERE place > $2
        )
        """,
        conversations,
        MOST,
    )


async def answered(tx: Transaction, prompt: Prompt) -> None:
    """Carry out an answer in this transaction: the message was read, and the next digit is not for it.

    Call it before anything is changed. What the same event answered before is no news. `PromptOver`: another
    event's answer was carried out, or it counts no more.
    """
    run = _answer_of(prompt.event)
    await tx.execute("SELECT FROM outbox WHERE id = $1 FOR UPDATE", prompt.message)
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
    """Mark messages as read, by something the citizen did; who has read one is not sent it again."""
    await tx.execute(
        """
        UPDATE outbox SET state = 'read', sealed = NULL, settled_at = coalesce(settled_at, now()),
                          holder = NULL, lease_until = NULL, hold = ''
        WHERE id = ANY($1) AND (state IN ('sending', 'accepted', 'delivered', 'unknown')
                                OR perhaps AND state IN ('queued', 'held'))
        """,
        messages,
    )


class Prompting:
    """The prompts of all conversations, for the turns that read and answer them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def pending(self, event: Event) -> list[Prompt]:
        """All that this conversation was asked, the latest first; what this event answered, alone.

        While there is room among the three, what it was perhaps asked is there as well: `unsure`.
        """
        rows = await self._db.fetch(
            f"""
            SELECT p.*, p.expires_at <= now() AS late, NOT guards_hold(p.guard_keys, p.guard_ns) AS moved,
                   e.result AS answered
            FROM (SELECT) here LEFT JOIN effects e ON e.run = $2 AND e.key = $3
                 LEFT JOIN prompts p ON p.conversation = $1 AND (
                     p.arrived OR p.expires_at > now() AND guards_hold(p.guard_keys, p.guard_ns)
                                  AND EXISTS (SELECT FROM outbox o WHERE o.id = p.message AND {_PERHAPS})
                 )
            ORDER BY p.at DESC, p.message DESC
            """,  # noqa: S608 - put together from our own words
            event.conversation,
            _answer_of(event.id),
            _KEY,
        )
        if rows[0]["answered"] is not None:
            return [msgspec.json.decode(rows[0]["answered"], type=Prompt)]
        found = [_prompt(dict(row)) for row in rows if row["message"] is not None]
        unsure = [each for each in found if each.unsure]
        room = max(0, MOST - (len(found) - len(unsure)))
        return [each for each in found if each not in unsure[room:]]

    async def tapped(self, event: Event, message: int) -> Prompt | None:
        """What a message waits for that perhaps arrived: a tap on it says that it did, and was read.

        None if it waits for nothing, or belongs to somebody else.
        """
        async with self._db.transaction() as tx:
            perhaps = await tx.fetchval(
                f"SELECT {_PERHAPS} FROM outbox o WHERE id = $1 AND conversation = $2 FOR UPDATE",  # noqa: S608
                message,
                event.conversation,
            )
            if perhaps:
                await arrived(tx, [message])
                await read(tx, message)
            row = await tx.fetchrow(
                """
                SELECT *, expires_at <= now() AS late, NOT guards_hold(guard_keys, guard_ns) AS moved
                FROM prompts WHERE message = $1 AND conversation = $2 AND arrived
                """,
                message,
                event.conversation,
            )
        return _prompt(dict(row)) if row is not None else None

    async def opened(self, prompt: Prompt) -> None:
        """The message was read, and waits for the outcome of the dialogue that it opened."""
        async with self._db.transaction() as tx:
            await read(tx, prompt.message)
            await arrived(tx, [prompt.message])

    async def answered(self, prompt: Prompt) -> None:
        """The option was carried out; no news where its service said so in its own transaction."""
        async with self._db.transaction() as tx:
            await answered(tx, prompt)

    async def seen(self, kind: str, about: str) -> None:
        """Whoever was asked about an object has opened its page: what asked was read, and still waits."""
        async with self._db.transaction() as tx:
            asked = await tx.fetch(
                "SELECT message FROM prompts WHERE kind = $1 AND object = $2 AND arrived", kind, about
            )
            await read(tx, *(row["message"] for row in asked))

    async def settled(self, kind: str, about: str) -> None:
        """What was asked about an object was answered on its page: it was read, no digit is for it."""
        async with self._db.transaction() as tx:
            await tx.execute(
                """
                SELECT FROM outbox WHERE id IN (SELECT message FROM prompts WHERE kind = $1 AND object = $2)
                ORDER BY id FOR UPDATE
                """,
                kind,
                about,
            )
            asked = await tx.fetch(
                "DELETE FROM prompts WHERE kind = $1 AND object = $2 RETURNING message, arrived", kind, about
            )
            await read(tx, *(row["message"] for row in asked if row["arrived"]))

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
        unsure=not row["arrived"],
    )
