"""The statements of payments and tries, one function each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.stores.database import Database, Transaction
from services.payments.contracts_store import Step
from services.payments.model import Debt, Payment, PaymentState, TryState
from services.payments.naming import new_payment
from services.payments.queue import Queue

OPEN = Queue("pay_tries", "state = 'open'", "next_query_at")
_PAYMENT = """
SELECT p.id, p.citizen, p.plan, p.purpose, p.object, p.version, p.amount_fen, p.text, p.state, p.tries,
       coalesce(t.refunded_fen, 0) AS refunded_fen, p.paid_at, p.next_try_at, p.begun_at, p.due_at, p.paid_by
FROM payments p LEFT JOIN pay_tries t ON t.id = p.paid_by
"""
_TRY = """
SELECT t.id, t.payment, t.no, t.state, t.amount_fen, t.extra, t.asked_at, t.refunding_fen,
       c.id AS contract, c.account, coalesce(c.contract_id, '') AS contract_id, p.text
FROM pay_tries t JOIN pay_contracts c ON c.id = t.contract JOIN payments p ON p.id = t.payment
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A payment that nobody else changes until the transaction is over."""

    payment: Payment
    begun_at: datetime | None
    due_at: datetime
    paid_by: str


@dataclass(frozen=True, slots=True)
class Try:
    """A try, with what is needed to ask for it again in the same words."""

    id: str
    payment: str
    no: int
    state: TryState
    amount_fen: int
    extra: bool
    asked_at: datetime
    refunding_fen: int
    contract: str
    account: str
    contract_id: str
    text: str


def payment_of(found: Any) -> Payment:
    """A payment out of its row."""
    values = {name: found[name] for name in Payment.__dataclass_fields__}
    values["state"] = PaymentState(values["state"])
    return Payment(**values)


def _try(found: Any) -> Try:
    values = dict(found)
    values["state"] = TryState(values["state"])
    return Try(**values)


async def owe(tx: Transaction, debts: Sequence[Debt], now: datetime) -> list[str | None]:
    """Write debts down at once; the payment of each in their order, None where it was before."""
    payments = [new_payment() for _ in debts]
    found = await tx.fetch(
        """
        INSERT INTO payments (changed_at, state, what, who, id, citizen, plan, purpose, object, version,
                              amount_fen, text, due_at, next_try_at, key)
        SELECT $1, 'owed', 'owed', purpose, id, citizen, plan, purpose, object, version, amount_fen, text,
               due_at, due_at, object || '/' || version
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::integer[], $8::integer[],
                    $9::text[], $10::timestamptz[])
            AS d (id, citizen, plan, purpose, object, version, amount_fen, text, due_at)
        ON CONFLICT (purpose, object, version) DO NOTHING RETURNING id
        """,
        now,
        payments,
        [debt.citizen for debt in debts],
        [debt.plan for debt in debts],
        [debt.purpose for debt in debts],
        [debt.object for debt in debts],
        [debt.version for debt in debts],
        [debt.amount_fen for debt in debts],
        [debt.text for debt in debts],
        [debt.due_at for debt in debts],
    )
    new = {row["id"] for row in found}
    return [each if each in new else None for each in payments]


async def owed(tx: Transaction, debt: Debt) -> Payment | None:
    """The payment of a debt that was written down before."""
    found = await tx.fetchrow(
        _PAYMENT + "WHERE p.purpose = $1 AND p.object = $2 AND p.version = $3",
        debt.purpose,
        debt.object,
        debt.version,
    )
    return payment_of(found) if found else None


async def payment(db: Database | Transaction, payment_id: str) -> Payment | None:
    """A payment as it stands."""
    found = await db.fetchrow(_PAYMENT + "WHERE p.id = $1", payment_id)
    return payment_of(found) if found else None


async def lock(tx: Transaction, payment_id: str) -> Held | None:
    """A payment, once whoever changes it is done."""
    if not await tx.fetchval("SELECT true FROM payments WHERE id = $1 FOR UPDATE", payment_id):
        return None
    return _held(await tx.fetchrow(_PAYMENT + "WHERE p.id = $1", payment_id))


async def lock_due(tx: Transaction, payment_id: str, now: datetime) -> Held | None:
    """A payment whose next try is due, unless somebody else has it in hand."""
    due = await tx.fetchval(
        """
        SELECT true FROM payments WHERE id = $1 AND state = 'owed' AND next_try_at <= $2
        FOR UPDATE SKIP LOCKED
        """,
        payment_id,
        now,
    )
    return _held(await tx.fetchrow(_PAYMENT + "WHERE p.id = $1", payment_id)) if due else None


def _held(found: Any) -> Held:
    return Held(payment_of(found), found["begun_at"], found["due_at"], found["paid_by"] or "")


async def due(db: Database, now: datetime, limit: int) -> list[str]:
    """Payments whose next try is due, those that wait longest first."""
    rows = await db.fetch(
        """
        SELECT id FROM payments WHERE state = 'owed' AND next_try_at <= $1 ORDER BY next_try_at, id LIMIT $2
        """,
        now,
        limit,
    )
    return [row["id"] for row in rows]


async def move(tx: Transaction, payment_id: str, step: Step, next_try_at: datetime | None = None) -> None:
    """Take a step of a payment that is not paid by it; what is tried has begun."""
    await tx.execute(
        """
        UPDATE payments SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_try_at = $7, begun_at = coalesce(begun_at, $6)
        WHERE id = $1
        """,
        payment_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        next_try_at,
    )


async def pay(tx: Transaction, payment_id: str, try_id: str, step: Step) -> None:
    """A try has paid it."""
    await tx.execute(
        """
        UPDATE payments SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_try_at = NULL, paid_by = $7, paid_at = $6
        WHERE id = $1
        """,
        payment_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        try_id,
    )


async def cancel(tx: Transaction, payments: Sequence[str], step: Step) -> set[str]:
    """Take back what nobody is asking for just now and is not paid; which of them that were."""
    rows = await tx.fetch(
        """
        WITH mine AS (SELECT id FROM payments WHERE id = ANY($1) AND state IN ('owed', 'stopped')
                      ORDER BY id FOR UPDATE)
        UPDATE payments p SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_try_at = NULL
        FROM mine WHERE p.id = mine.id RETURNING p.id
        """,
        list(payments),
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
    )
    return {row["id"] for row in rows}


async def open_try(tx: Transaction, held: Held, try_id: str, contract: str, step: Step) -> int:
    """Begin a try, in the hands of who begins it for a minute; how many there are then."""
    no = int(
        await tx.fetchval(
            "UPDATE payments SET tries = tries + 1 WHERE id = $1 RETURNING tries", held.payment.id
        )
    )
    await tx.execute(
        """
        INSERT INTO pay_tries (id, payment, no, contract, amount_fen, state, asked_at, next_query_at,
                               busy_until, what, who, key, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz, $7::timestamptz + interval '30 seconds',
                $7::timestamptz + interval '60 seconds',
                $8, $9, $10, $7)
        """,
        try_id,
        held.payment.id,
        no,
        contract,
        held.payment.amount_fen,
        step.state,
        step.at,
        step.what,
        step.who,
        step.key,
    )
    return no


async def again(db: Database, payment_id: str, step: Step) -> bool:
    """Try what was given up anew, from the first step of the ladder on; False for what was not."""
    told = await db.execute(
        """
        UPDATE payments SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_try_at = $6, begun_at = NULL
        WHERE id = $1 AND state = 'stopped'
        """,
        payment_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
    )
    return told == "UPDATE 1"


async def last_reason(tx: Transaction, payment_id: str) -> str:
    """Why the last try of a payment failed; "" where none did."""
    found = await tx.fetchval(
        "SELECT reason FROM pay_tries WHERE payment = $1 ORDER BY no DESC LIMIT 1", payment_id
    )
    return found or ""


async def payment_of_try(db: Database | Transaction, try_id: str) -> str | None:
    """The payment a try is for."""
    found: str | None = await db.fetchval("SELECT payment FROM pay_tries WHERE id = $1", try_id)
    return found


async def find_try(db: Database | Transaction, try_id: str) -> Try | None:
    """A try; its payment's lock keeps it as it is."""
    found = await db.fetchrow(_TRY + "WHERE t.id = $1", try_id)
    return _try(found) if found else None


async def move_try(tx: Transaction, try_id: str, step: Step, reason: str, transaction_id: str) -> None:
    """The fate of a try is known."""
    await tx.execute(
        """
        UPDATE pay_tries SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_query_at = NULL, busy_until = NULL, reason = $7,
               transaction_id = coalesce(nullif($8, ''), transaction_id)
        WHERE id = $1
        """,
        try_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        reason[:100],
        transaction_id,
    )


async def pay_twice(tx: Transaction, try_id: str, step: Step, transaction_id: str) -> None:
    """A try has paid what another one had paid, or nobody owes any more: all of it goes back (P5)."""
    await tx.execute(
        """
        UPDATE pay_tries SET state = $2, what = $3, who = $4, key = $5, changed_at = $6, step = step + 1,
               next_query_at = NULL, busy_until = NULL, extra = true, refunding_fen = amount_fen,
               transaction_id = $7
        WHERE id = $1
        """,
        try_id,
        step.state,
        step.what,
        step.who,
        step.key,
        step.at,
        transaction_id,
    )
