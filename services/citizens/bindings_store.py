"""The statements on bindings, their persons and what hangs on them, one function each.

Whoever changes one takes the advisory locks first, in this order: citizens by their names, then the target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from core.delivery import guards
from core.stores.database import Database, Transaction

Row = asyncpg.Record
Reader = Database | Transaction

_BINDING = """
SELECT b.*, p.name, p.identity FROM bindings b LEFT JOIN persons p ON p.id = b.person
"""
_SELF = """
SELECT b.id AS binding, b.person, b.proof, p.name, p.id_number, p.identity
FROM bindings b JOIN persons p ON p.id = b.person
WHERE b.citizen = $1 AND b.relation = 'self' AND b.state = 'active'
"""


@dataclass(frozen=True, slots=True)
class Step:
    """Who takes a step of a binding, when, and the key its event carries."""

    who: str
    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How a request was proven, and by whom."""

    kind: str
    by: str


@dataclass(frozen=True, slots=True)
class NewRequest:
    """Everything one request writes."""

    citizen: str
    relation: str
    scopes: Sequence[str]
    ticket: str
    target: bytes
    expires_at: datetime


def guard(binding: int | str) -> str:
    """The key that a message hangs on which is sent because of a binding."""
    return f"binding:{binding}"


async def lock(tx: Transaction, *citizens: str, target: bytes | None = None) -> None:
    """Let nobody else count or change the bindings of these until the transaction ends."""
    for citizen in sorted(set(citizens)):
        await _lock(tx, f"citizen:{citizen}")
    if target is not None:
        await _lock(tx, f"identity:{target.hex()}")


async def lock_unionid(tx: Transaction, unionid: bytes) -> None:
    """Let one account at a time be found to have a unionid."""
    await _lock(tx, f"unionid:{unionid.hex()}")


async def _lock(tx: Transaction, name: str) -> None:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)


async def binding(db: Reader, number: int) -> Row | None:
    """One binding in whatever state, with the name and identity of its person."""
    return await db.fetchrow(f"{_BINDING} WHERE b.id = $1", number)


async def latest(tx: Transaction, number: int) -> Row | None:
    """A binding, or the active one of the same two that has replaced it."""
    return await tx.fetchrow(
        f"""
        {_BINDING} JOIN bindings seen ON seen.id = $1
        WHERE b.id = seen.id
           OR seen.what = 'replaced' AND b.state = 'active'
              AND (b.person, b.citizen) = (seen.person, seen.citizen)
        ORDER BY b.state = 'active' DESC, b.id DESC LIMIT 1
        """,
        number,
    )


async def of_citizen(db: Reader, citizen: str) -> list[Row]:
    """What a citizen holds or asks for, themselves first."""
    return await db.fetch(
        f"""
        {_BINDING} WHERE b.citizen = $1 AND b.state IN ('active', 'requested')
        ORDER BY b.relation <> 'self', b.id
        """,
        citizen,
    )


async def oneself(db: Reader, citizen: str) -> Row | None:
    """Whom a citizen is: the person of their self binding."""
    return await db.fetchrow(_SELF, citizen)


async def requests_for(db: Reader, target: bytes, now: datetime) -> list[Row]:
    """The open requests for one ID number."""
    return await db.fetch(
        """
        SELECT * FROM bindings WHERE target = $1 AND state = 'requested' AND expires_at > $2 ORDER BY id
        """,
        target,
        now,
    )


async def holders(db: Reader, person: str, but: str) -> list[Row]:
    """The bindings that others than this citizen have to a person."""
    return await db.fetch(
        "SELECT * FROM bindings WHERE person = $1 AND citizen <> $2 AND state = 'active' ORDER BY id",
        person,
        but,
    )


async def citizens_who_are(db: Reader, identity: bytes) -> list[Row]:
    """The citizens who have proven to be this person, and the person's sealed name."""
    return await db.fetch(
        """
        SELECT b.citizen, p.id AS person, p.name FROM persons p JOIN bindings b ON b.person = p.id
        WHERE p.identity = $1 AND b.relation = 'self' AND b.state = 'active' AND b.proof IS NOT NULL
        ORDER BY b.id
        """,
        identity,
    )


async def active(tx: Transaction, citizen: str, person: str, scope: str) -> int | None:
    """The binding that allows this now, kept as it is until the transaction ends."""
    found: int | None = await tx.fetchval(
        """
        SELECT id FROM bindings
        WHERE citizen = $1 AND person = $2 AND state = 'active' AND $3 = ANY(scopes) FOR SHARE
        """,
        citizen,
        person,
        scope,
    )
    return found


async def holds(db: Reader, citizen: str, target: bytes) -> bool:
    """Tell whether a citizen has proven to be, or to act for, who has this ID number."""
    return bool(
        await db.fetchval(
            """
            SELECT true FROM bindings b JOIN persons p ON p.id = b.person
            WHERE b.citizen = $1 AND b.state = 'active' AND p.identity = $2
            """,
            citizen,
            target,
        )
    )


async def ask(tx: Transaction, new: NewRequest, sealed: bytes, asker: bytes | None, step: Step) -> int:
    """Write a request; what was entered is sealed for its ticket."""
    return int(
        await tx.fetchval(
            """
            INSERT INTO bindings (citizen, relation, state, scopes, ticket, target, expires_at, sealed, asker,
                                  who, what, key, changed_at)
            VALUES ($1, $2, 'requested', $3, $4, $5, $6, $7, $8, $9, 'asked', $10, $11) RETURNING id
            """,
            new.citizen,
            new.relation,
            list(new.scopes),
            new.ticket,
            new.target,
            new.expires_at,
            sealed,
            asker,
            step.who,
            step.key,
            step.at,
        )
    )


async def approve(tx: Transaction, number: int, person: str, proof: Proof, step: Step) -> None:
    """Let a request become a binding to a registered person; what was entered for it goes."""
    await tx.execute(
        """
        UPDATE bindings SET state = 'active', what = 'approved', person = $2, proof = $3, proven_by = $4,
                            who = $5, key = $6, changed_at = $7, decided_at = $7, sealed = NULL, target = NULL
        WHERE id = $1
        """,
        number,
        person,
        proof.kind,
        proof.by,
        step.who,
        step.key,
        step.at,
    )


async def end(tx: Transaction, number: int, what: str, state: str, step: Step) -> None:
    """End a request or a binding; what was entered for it goes, and the dialogue that waited for it."""
    await tx.execute(
        """
        WITH dropped AS (DELETE FROM kept_dialogues WHERE binding = $1)
        UPDATE bindings SET state = $3, what = $2, who = $4, key = $5, changed_at = $6, decided_at = $6,
                            sealed = NULL, target = NULL, asker = NULL
        WHERE id = $1
        """,
        number,
        what,
        state,
        step.who,
        step.key,
        step.at,
    )


async def set_aside(tx: Transaction, number: int, step: Step) -> None:
    """Let a self be who the citizen was here before they had proven who they are."""
    await tx.execute(
        """
        UPDATE bindings SET relation = 'former', what = 'former', who = $2, key = $3, changed_at = $4
        WHERE id = $1
        """,
        number,
        step.who,
        step.key,
        step.at,
    )


async def hand_over(tx: Transaction, number: int, citizen: str, relation: str, step: Step) -> None:
    """Let a binding be another citizen's: both are the same human."""
    await tx.execute(
        """
        UPDATE bindings SET citizen = $2, relation = $3, what = 'joined', who = $4, key = $5, changed_at = $6
        WHERE id = $1
        """,
        number,
        citizen,
        relation,
        step.who,
        step.key,
        step.at,
    )


async def new_self(tx: Transaction, citizen: str, person: str, step: Step) -> None:
    """Give a citizen a self of which nothing is known (domain-rules B4a)."""
    await tx.execute("INSERT INTO persons (id, since) VALUES ($1, $2)", person, step.at)
    await event(tx, "person_made", citizen, person, "self", step)
    await tx.execute(
        """
        INSERT INTO bindings (citizen, person, relation, state, scopes, who, what, key, changed_at)
        VALUES ($1, $2, 'self', 'active', ARRAY['book', 'pay', 'queue'], $3, 'bound', $4, $5)
        """,
        citizen,
        person,
        step.who,
        step.key,
        step.at,
    )


async def registered(db: Reader, identity: bytes) -> str | None:
    """The registered person of an identity."""
    found: str | None = await db.fetchval("SELECT id FROM persons WHERE identity = $1", identity)
    return found


async def register(
    tx: Transaction, citizen: str, person: str, identity: bytes, sealed: tuple[bytes, bytes], step: Step
) -> None:
    """Make a person a registered one, and the person if need be; `sealed` are name and ID number."""
    await tx.execute(
        """
        INSERT INTO persons (id, since, name, id_number, identity) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, id_number = excluded.id_number,
                                       identity = excluded.identity
        """,
        person,
        step.at,
        *sealed,
        identity,
    )
    await event(tx, "registered", citizen, person, "registered", step)


async def event(tx: Transaction, what: str, citizen: str, person: str | None, new: str, step: Step) -> None:
    """Tell of a change of citizens or persons; those of bindings tell of themselves."""
    await tx.execute(
        """
        INSERT INTO citizen_events (at, who, what, citizen, person, old, new, key)
        VALUES ($1, $2, $3, $4, $5, '', $6, $7)
        """,
        step.at,
        step.who,
        what,
        citizen,
        person,
        new,
        step.key,
    )


async def refer(tx: Transaction, person: str, institution: str, sealed: bytes, at: datetime) -> None:
    """Note what an institution calls a person."""
    await tx.execute(
        """
        INSERT INTO patient_references (person, institution, sealed, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (person, institution) DO UPDATE SET sealed = excluded.sealed, at = excluded.at
        """,
        person,
        institution,
        sealed,
        at,
    )


async def bump(tx: Transaction, number: int) -> None:
    """Take back what hangs on a binding, or on another one that these two had before.

    Whose accounts are one now were two: what hangs on the other's is taken back with it.
    """
    rows = await tx.fetch(
        """
        SELECT id FROM bindings WHERE id = $1
        UNION
        SELECT o.id FROM bindings b JOIN bindings o ON o.person = b.person
        WHERE b.id = $1 AND (o.citizen = b.citizen OR EXISTS (
            SELECT FROM citizen_events e
            WHERE e.what = 'united' AND (e.citizen, e.new) = (o.citizen, b.citizen)
        ))
        ORDER BY id
        """,
        number,
    )
    for row in rows:
        await guards.bump(tx, guard(row["id"]))


async def overdue(db: Database, now: datetime, limit: int) -> list[int]:
    """The requests whose time is over."""
    rows = await db.fetch(
        """
        SELECT id FROM bindings WHERE state = 'requested' AND expires_at <= $1
        ORDER BY expires_at, id LIMIT $2
        """,
        now,
        limit,
    )
    return [row["id"] for row in rows]
