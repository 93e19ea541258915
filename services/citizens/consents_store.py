"""The statements on consents, one function each; the machine itself is in migration 0017."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.stores.database import Database, Transaction
from services.citizens.consent_texts import ConsentText

Row = asyncpg.Record
Reader = Database | Transaction


@dataclass(frozen=True, slots=True)
class Matter:
    """What a citizen is asked about: the purpose, whose data (NULL: their own), and what may be done."""

    citizen: str
    purpose: str
    person: str | None
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A step: what it is, the state it leads to, when, the message it was said in, its event's key."""

    what: str
    state: str
    at: datetime
    key: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which text was shown: its version and the SHA-256 of its file."""

    version: int
    digest: bytes


async def lock(tx: Transaction, matter: Matter) -> None:
    """Let nobody else decide the same until the transaction ends."""
    name = f"consent:{matter.citizen}:{matter.purpose}:{matter.person or ''}"
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)


async def one(db: Reader, citizen: str, purpose: str, person: str | None) -> Row | None:
    """Where one consent stands."""
    return await db.fetchrow(
        "SELECT * FROM consents WHERE citizen = $1 AND purpose = $2 AND person IS NOT DISTINCT FROM $3",
        citizen,
        purpose,
        person,
    )


async def of_citizen(db: Reader, citizen: str) -> list[Row]:
    """Everything a citizen was asked, in the order of asking."""
    return await db.fetch("SELECT * FROM consents WHERE citizen = $1 ORDER BY id", citizen)


async def history(db: Reader, citizen: str) -> list[Row]:
    """Every step of every consent of a citizen."""
    return await db.fetch(
        """
        SELECT * FROM consent_events WHERE consent IN (SELECT id FROM consents WHERE citizen = $1) ORDER BY id
        """,
        citizen,
    )


async def ask(tx: Transaction, matter: Matter, text: ConsentText | Shown, at: datetime, key: str) -> int:
    """Note that a text was shown; what was decided of an older one is over with it."""
    return int(
        await tx.fetchval(
            """
            INSERT INTO consents (citizen, purpose, person, scopes, state, version, text_hash, asked_at, what,
                                  key, changed_at)
            VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7, 'asked', $8, $7)
            ON CONFLICT (citizen, purpose, person) DO UPDATE
            SET state = 'asked', what = 'asked', scopes = excluded.scopes, version = excluded.version,
                text_hash = excluded.text_hash, asked_at = excluded.asked_at, decided_at = NULL, message = '',
                key = excluded.key, changed_at = excluded.changed_at
            RETURNING id
            """,
            matter.citizen,
            matter.purpose,
            matter.person,
            list(matter.scopes),
            text.version,
            text.digest,
            at,
            key,
        )
    )


async def decide(tx: Transaction, number: int, turn: Turn) -> None:
    """Take a step that ends asking, or ends what was agreed to."""
    await tx.execute(
        """
        UPDATE consents SET state = $2, what = $3, decided_at = $4, changed_at = $4, key = $5,
                            message = CASE WHEN $6 = '' THEN message ELSE $6 END
        WHERE id = $1
        """,
        number,
        turn.state,
        turn.what,
        turn.at,
        turn.key,
        turn.message,
    )


async def repeat(tx: Transaction, row: Row, matter: Matter, key: str) -> None:
    """Let what was shown and agreed to in another account of the same human stand in this one, too."""
    text = Shown(row["version"], row["text_hash"])
    number = await ask(tx, matter, text, row["asked_at"], key)
    await decide(tx, number, Turn("granted", "granted", row["decided_at"], key, row["message"]))


async def granted(tx: Transaction, matter: Matter, digest: bytes) -> bool:
    """Tell whether this is agreed to now, and keep it so until the transaction ends."""
    found = await tx.fetchval(
        """
        SELECT true FROM consents
        WHERE citizen = $1 AND purpose = $2 AND person IS NOT DISTINCT FROM $3 AND state = 'granted'
          AND text_hash = $4 AND scopes @> $5 FOR SHARE
        """,
        matter.citizen,
        matter.purpose,
        matter.person,
        digest,
        list(matter.scopes),
    )
    return bool(found)


async def overdue(db: Database, before: datetime, limit: int) -> list[Row]:
    """Those nobody answered who were asked before then."""
    return await db.fetch(
        "SELECT * FROM consents WHERE state = 'asked' AND asked_at <= $1 ORDER BY asked_at, id LIMIT $2",
        before,
        limit,
    )
