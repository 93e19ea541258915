"""Versions of objects: what makes a message out of date that was written before its object changed.

They are kept for ever, as the objects are. One that was forgotten would begin anew, and the next message
about its object would have the number, and so the key, of one that was sent long ago.
"""

from collections.abc import Iterable, Mapping

from core.stores.database import Database, Transaction

MOST = 2  # objects one message may hang on, the object itself and a binding; then recipient and purpose
RECIPIENT = "recipient:"  # in front of a conversation: counts how often its citizen left us
STOP = "stop:"  # in front of a purpose and a conversation: counts how often its citizen stopped that
Guards = Mapping[str, int]


def recipient(conversation: str) -> str:
    """The key that whatever is on its way to a conversation hangs on."""
    return RECIPIENT + conversation


def stop(purpose: str, conversation: str) -> str:
    """The key that whatever serves a purpose hangs on, on its way to a conversation."""
    return f"{STOP}{purpose}:{conversation}"


def of_recipient(conversation: str, purpose: str) -> list[str]:
    """What a message hangs on beside its objects: that its citizen is there, and wants such messages."""
    return [recipient(conversation), *([stop(purpose, conversation)] if purpose else [])]


def of_objects(guards: Guards) -> Guards:
    """Those without the recipient's."""
    return {key: n for key, n in guards.items() if not key.startswith((RECIPIENT, STOP))}


async def bump(tx: Transaction, key: str) -> int:
    """Count a change of an object in its own transaction; messages made before are not sent any more."""
    return int(
        await tx.fetchval(
            """
            INSERT INTO versions (key, n) VALUES ($1, 1)
            ON CONFLICT (key) DO UPDATE SET n = versions.n + 1 RETURNING n
            """,
            key,
        )
    )


async def current(tx: Transaction, keys: Iterable[str]) -> dict[str, int]:
    """The numbers a message is made under now, at most two; the outbox adds those of its recipient.

    A key nobody has counted yet is counted from 0, so that whoever sends sees the first change, too.
    """
    wanted = sorted(set(keys))
    if len(wanted) > MOST:
        raise ValueError(f"a message hangs on at most {MOST} objects, not on {', '.join(wanted)}")
    await tx.execute("INSERT INTO versions (key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", wanted)
    rows = await tx.fetch("SELECT key, n FROM versions WHERE key = ANY($1)", wanted)
    return {row["key"]: row["n"] for row in rows}


async def hold(db: Database, guards: Guards) -> bool:
    """Tell whether none of these objects has changed."""
    return bool(await db.fetchval("SELECT guards_hold($1, $2)", list(guards), list(guards.values())))
