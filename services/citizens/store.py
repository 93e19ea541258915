"""The statements of citizens, one function each; times are the database's own, no rule hangs on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from core.delivery import guards
from core.stores.database import Database, Transaction
from services.citizens.model import Account


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Everything one first contact writes."""

    citizen: str
    person: str
    conversation: str
    account: str
    sealed_openid: bytes
    following: bool = True


async def account_of(db: Database, conversation: str) -> Account | None:
    row = await db.fetchrow(
        """
        SELECT citizen, following, EXISTS (
            SELECT FROM accounts o WHERE o.citizen = a.citizen AND o.heard_at > a.heard_at
        ) AS behind
        FROM accounts a WHERE conversation = $1
        """,
        conversation,
    )
    return None if row is None else Account(row["citizen"], row["following"], row["behind"])


async def heard(db: Database, conversation: str) -> None:
    """Note that a citizen writes here now, and no more in another conversation of theirs."""
    await db.execute("UPDATE accounts SET heard_at = clock_timestamp() WHERE conversation = $1", conversation)


async def add(db: Database, newcomer: Newcomer) -> str | None:
    """Write citizen, account, self person, binding, their events and the account's guard; None if not first.

    ON CONFLICT waits for a concurrent first contact, so a None means that its row is committed.
    """
    citizen: str | None = await db.fetchval(
        """
        WITH arrived AS (
            INSERT INTO accounts (citizen, conversation, account, openid, following)
            VALUES ($1, $3, $4, $5, $7) ON CONFLICT (conversation) DO NOTHING
            RETURNING citizen
        ), known AS (
            INSERT INTO citizens (id) SELECT citizen FROM arrived
        ), made AS (
            INSERT INTO persons (id) SELECT $2 FROM arrived
        ), bound AS (
            INSERT INTO bindings (citizen, person, relation, state, scopes, who, what, key)
            SELECT citizen, $2, 'self', 'active', ARRAY['book', 'pay', 'queue'], citizen, 'bound', $3
            FROM arrived
        ), guarded AS (
            INSERT INTO versions (key) SELECT $6 FROM arrived ON CONFLICT DO NOTHING
        ), told AS (
            INSERT INTO citizen_events (who, what, citizen, person, old, new, key)
            SELECT citizen, step.what, citizen, step.person, step.old, step.new, $3
            FROM arrived,
                 (VALUES (1, 'arrived', NULL, '', CASE WHEN $7 THEN 'following' ELSE 'visiting' END),
                         (2, 'person_made', $2, '', 'self')) AS step (no, what, person, old, new)
            ORDER BY step.no
        )
        SELECT citizen FROM arrived
        """,
        newcomer.citizen,
        newcomer.person,
        newcomer.conversation,
        newcomer.account,
        newcomer.sealed_openid,
        guards.recipient(newcomer.conversation),
        newcomer.following,
    )
    return citizen


async def follow(db: Database, conversation: str, *, following: bool) -> None:
    """Mark an account as following or not, with its event; a repetition writes nothing.

    Of who comes (back) the unionid is to be asked, of who leaves no more.

    Whoever leaves takes back what is on its way to them, in the same statement (design 6, "Guards").
    """
    await db.execute(
        """
        WITH changed AS (
            UPDATE accounts SET following = $2, unionid_tries = 0,
                                unionid_due = CASE WHEN $2 THEN '-infinity'::timestamptz END
            WHERE conversation = $1 AND following <> $2 RETURNING citizen
        ), taken_back AS (
            INSERT INTO versions (key, n) SELECT $3, 1 FROM changed WHERE NOT $2
            ON CONFLICT (key) DO UPDATE SET n = versions.n + 1
        )
        INSERT INTO citizen_events (who, what, citizen, old, new, key)
        SELECT citizen, CASE WHEN $2 THEN 'returned' ELSE 'left' END, citizen,
               CASE WHEN $2 THEN 'gone' ELSE 'following' END,
               CASE WHEN $2 THEN 'following' ELSE 'gone' END, $1
        FROM changed
        """,
        conversation,
        following,
        guards.recipient(conversation),
    )


async def drop_profile(db: Database, conversation: str) -> None:
    """Forget what the platform says of somebody who follows none of our accounts: what joins them."""
    await db.execute(
        """
        UPDATE citizens c SET unionid = NULL FROM accounts a
        WHERE a.conversation = $1 AND c.id = a.citizen AND c.unionid IS NOT NULL
          AND NOT EXISTS (SELECT FROM accounts o WHERE o.citizen = c.id AND o.following)
        """,
        conversation,
    )


async def self_person(db: Database | Transaction, citizen: str) -> str | None:
    person: str | None = await db.fetchval(
        "SELECT person FROM bindings WHERE citizen = $1 AND relation = 'self' AND state = 'active'", citizen
    )
    return person


async def conversation(tx: Transaction, citizen: str) -> str | None:
    conversation: str | None = await tx.fetchval(
        """
        SELECT conversation FROM accounts WHERE citizen = $1 AND following
        ORDER BY heard_at DESC, conversation LIMIT 1
        """,
        citizen,
    )
    return conversation


async def addresses(db: Database, conversations: Sequence[str]) -> list[asyncpg.Record]:
    return await db.fetch(
        "SELECT conversation, account, openid, following FROM accounts WHERE conversation = ANY($1)",
        conversations,
    )


async def followers(db: Database, account: str, after: str, limit: int) -> list[str]:
    """The conversations of an account's followers in their order, from behind one of them."""
    rows = await db.fetch(
        """
        SELECT conversation FROM accounts WHERE account = $1 AND conversation > $2 AND following
        ORDER BY conversation LIMIT $3
        """,
        account,
        after,
        limit,
    )
    return [row["conversation"] for row in rows]


async def count_followers(db: Database, account: str) -> int:
    return int(await db.fetchval("SELECT count(*) FROM accounts WHERE account = $1 AND following", account))
