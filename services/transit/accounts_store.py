"""The statements on accounts, one function each."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from core.stores.database import Transaction


@dataclass(frozen=True, slots=True)
class Step:
    """Who takes a step of an account, the key of its event, and when."""

    who: str
    key: str
    at: datetime


async def add(tx: Transaction, citizen: str, step: Step) -> str:
    """Open an account: it waits for its contract."""
    account = f"t_{secrets.token_urlsafe(12)}"
    await tx.execute(
        """
        INSERT INTO transit_accounts (id, citizen, state, since, what, who, key, changed_at)
        VALUES ($1, $2, 'consent', $5, 'asked', $3, $4, $5)
        """,
        account,
        citizen,
        step.who,
        step.key,
        step.at,
    )
    return account


async def step(tx: Transaction, account: str, what: str, step: Step) -> bool:
    """Take a step where it leads on from how the account stands; whether it did."""
    told = await tx.execute(
        """
        UPDATE transit_accounts a
        SET state = t.new, step = a.step + 1, what = $2, who = $3, key = $4, changed_at = $5
        FROM transit_transitions t WHERE a.id = $1 AND t.old = a.state AND t.what = $2
        """,
        account,
        what,
        step.who,
        step.key,
        step.at,
    )
    return told == "UPDATE 1"
