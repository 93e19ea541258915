"""What was tried by and against whom, and how much more may be (the statements; `Limits` has the numbers)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.stores.database import Transaction

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: keyed hashes of citizen and target, and of what makes it the same one if repeated."""

    kind: str
    who: bytes
    target: bytes
    binding: int
    key: bytes
    at: datetime
    institution: str = ""


async def note(tx: Transaction, tried: Try) -> None:
    """Count an attempt; the same one is counted once."""
    await tx.execute(
        """
        INSERT INTO binding_attempts (kind, who, target, binding, key, at, institution)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING
        """,
        tried.kind,
        tried.who,
        tried.target,
        tried.binding,
        tried.key,
        tried.at,
        tried.institution,
    )


async def is_noted(tx: Transaction, key: bytes) -> bool:
    """Tell whether this very attempt was counted before."""
    return bool(await tx.fetchval("SELECT true FROM binding_attempts WHERE key = $1", key))


async def of_binding(tx: Transaction, kind: str, number: int) -> int:
    """How many of a kind there were for one request."""
    return int(
        await tx.fetchval(
            "SELECT count(*) FROM binding_attempts WHERE binding = $1 AND kind = $2", number, kind
        )
    )


async def again_of_citizen(tx: Transaction, tried: Try, most: int) -> datetime | None:
    """When a citizen may try this again; None if they may now."""
    return await _again(tx, "who", tried, tried.who, most)


async def again_of_pair(tx: Transaction, tried: Try, most: int) -> datetime | None:
    """When a citizen may try this for a target again; None if they may now."""
    return await _again(tx, "target", tried, tried.target, most, by=tried.who)


async def again_for_target(tx: Transaction, tried: Try, most: int) -> datetime | None:
    """When this may be tried for a target again, by anybody; None if it may now."""
    return await _again(tx, "target", tried, tried.target, most)


async def _again(
    tx: Transaction, column: str, tried: Try, whose: bytes, most: int, *, by: bytes | None = None
) -> datetime | None:
    at: datetime | None = await tx.fetchval(
        f"""
        SELECT at FROM binding_attempts
        WHERE {column} = $1 AND kind = $2 AND at > $3 AND ($5::bytea IS NULL OR who = $5)
        ORDER BY at DESC, id DESC OFFSET $4 LIMIT 1
        """,  # noqa: S608 - one of our two columns
        whose,
        tried.kind,
        tried.at - DAY,
        most - 1,
        by,
    )
    return None if at is None else at + DAY


async def place(tx: Transaction, tried: Try) -> int:
    """Which of its kind and request an attempt is, from 1 on."""
    return int(
        await tx.fetchval(
            """
            SELECT count(*) FROM binding_attempts a JOIN binding_attempts this USING (binding, kind)
            WHERE this.key = $1 AND a.id <= this.id
            """,
            tried.key,
        )
    )


async def sent_last(tx: Transaction, number: int) -> tuple[str, int]:
    """The institution that was last asked to send a code for a request, and how many were; "" for none."""
    rows = await tx.fetch(
        "SELECT institution FROM binding_attempts WHERE binding = $1 AND kind = 'send' ORDER BY id", number
    )
    return (rows[-1]["institution"], len(rows)) if rows else ("", 0)
