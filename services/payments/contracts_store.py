"""The statements of contracts, one function each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.stores.database import Database, Transaction
from services.payments.model import Contract, ContractState
from services.payments.queue import Queue

_COLUMNS = "id, citizen, plan, account, state, contract_id, asked_at, signed_at, changed_at"
OPEN = Queue("pay_contracts", "state IN ('asked', 'ending')", "next_query_at", shown=_COLUMNS)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a machine: where to, what is done, who does it, and what it is known by."""

    state: str
    what: str
    who: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A contract as it stands in its table."""

    id: str
    citizen: str
    plan: str
    account: str
    state: ContractState
    contract_id: str
    asked_at: datetime
    signed_at: datetime | None
    changed_at: datetime

    @property
    def contract(self) -> Contract:
        """What others see of it."""
        since = self.signed_at if self.state is ContractState.SIGNED and self.signed_at else self.changed_at
        return Contract(self.id, self.citizen, self.plan, self.state, since)


def row_of(found: Any) -> Row:
    """A contract out of its row."""
    values = dict(found)
    values["state"] = ContractState(values["state"])
    values["contract_id"] = values["contract_id"] or ""
    return Row(**values)


async def alone(tx: Transaction, citizen: str, plan: str) -> None:
    """Let nobody else begin or end a contract of this citizen and plan until the transaction is over."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"contract:{citizen}:{plan}")


async def latest(db: Database | Transaction, citizen: str, plan: str) -> Row | None:
    """The contract that counts: one that is signed, else the last one asked for."""
    found = await db.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM pay_contracts WHERE citizen = $1 AND plan = $2
        ORDER BY state = 'signed' DESC, asked_at DESC, id LIMIT 1
        """,  # noqa: S608 - our own words
        citizen,
        plan,
    )
    return row_of(found) if found else None


async def living(tx: Transaction, citizen: str, plan: str | None = None) -> list[Row]:
    """Every contract that is asked for or signed, of one plan or of all."""
    found = await tx.fetch(
        f"SELECT {_COLUMNS} FROM pay_contracts "  # noqa: S608 - our own words
        "WHERE citizen = $1 AND ($2::text IS NULL OR plan = $2) AND state IN ('asked', 'signed') "
        "ORDER BY id FOR UPDATE",
        citizen,
        plan,
    )
    return [row_of(each) for each in found]


async def lock(tx: Transaction, code: str) -> Row | None:
    """One contract, which nobody else changes until the transaction is over."""
    found = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM pay_contracts WHERE id = $1 FOR UPDATE",  # noqa: S608 - our own words
        code,
    )
    return row_of(found) if found else None


async def is_signed(db: Database, code: str) -> bool:
    """Whether a contract may be debited by."""
    return bool(await db.fetchval("SELECT true FROM pay_contracts WHERE id = $1 AND state = 'signed'", code))


async def whose(tx: Transaction, code: str) -> tuple[str, str] | None:
    """Whose contract this is, and of which plan."""
    found = await tx.fetchrow("SELECT citizen, plan FROM pay_contracts WHERE id = $1", code)
    return (found["citizen"], found["plan"]) if found else None


async def signed(tx: Transaction, citizens: Collection[str], plan: str) -> set[str]:
    """Which of these citizens have a contract that is signed."""
    rows = await tx.fetch(
        "SELECT citizen FROM pay_contracts WHERE citizen = ANY($1) AND plan = $2 AND state = 'signed'",
        list(citizens),
        plan,
    )
    return {row["citizen"] for row in rows}


async def add(tx: Transaction, row: Row, step: Step, next_query_at: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO pay_contracts
            (id, citizen, plan, account, state, asked_at, next_query_at, what, who, key, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $6)
        """,
        row.id,
        row.citizen,
        row.plan,
        row.account,
        step.state,
        step.at,
        next_query_at,
        step.what,
        step.who,
        step.key,
    )


async def move(tx: Transaction, code: str, step: Step, next_query_at: datetime | None) -> None:
    """Take a step; `asked_again` begins its ten minutes anew."""
    await tx.execute(
        """
        UPDATE pay_contracts
        SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1, next_query_at = $7,
            busy_until = NULL, asked_at = CASE WHEN $3 = 'asked_again' THEN $6 ELSE asked_at END
        WHERE id = $1
        """,
        code,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        next_query_at,
    )


async def name(tx: Transaction, code: str, contract_id: str, signed_at: datetime | None) -> None:
    """Note what WeChat Pay calls it, and when it was signed."""
    await tx.execute(
        """
        UPDATE pay_contracts SET contract_id = coalesce(contract_id, $2), signed_at = coalesce(signed_at, $3)
        WHERE id = $1
        """,
        code,
        contract_id,
        signed_at,
    )


async def wake_payments(tx: Transaction, citizen: str, plan: str, now: datetime) -> None:
    """What waits for the next step of its ladder is tried at once."""
    await tx.execute(
        """
        UPDATE payments SET next_try_at = $3
        WHERE citizen = $1 AND plan = $2 AND state = 'owed' AND next_try_at > $3 AND due_at <= $3
        """,
        citizen,
        plan,
        now,
    )
