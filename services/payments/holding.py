"""What payments hold of a citizen: what was owed and paid, which stays in the books without a name."""

from collections.abc import Mapping
from datetime import timedelta

from core.privacy.holdings import End, Holding, Kept, Portion, Reader, Subject
from core.stores.database import Transaction
from services.payments import contracts_store
from services.payments.contracts_store import Step

STRAYS_KEPT = timedelta(days=90)
_BOOKS = "as long as the books; who it was cannot be found once the citizen is erased"


class Debts(Holding):
    """Contracts, debts and what became of them. What is owed keeps its citizen until it is over.

    The books name citizens by random names, which lead to nobody once the register has let go of them;
    the words of a bill and WeChat Pay's names of contracts go.
    """

    name = "payments"
    tables = (
        Kept("pay_contracts", "who lets what be debited without a password", End.NAMELESS, until=_BOOKS),
        Kept("payments", "who owed what for what, and when it was paid", End.NAMELESS, until=_BOOKS),
        Kept("pay_tries", "how each debt was debited", End.NAMELESS, until=_BOOKS),
        Kept("pay_refunds", "what went back", End.NAMELESS, until=_BOOKS),
        Kept("payment_events", "what became of each, step by step", End.NAMELESS, until=_BOOKS),
        Kept(
            "pay_strays",
            "what WeChat Pay told that fits nothing of ours, by its own numbers",
            End.NAMELESS,
            period=STRAYS_KEPT,
            since="t.at",
            until="it came",
        ),
    )

    async def mine(self, db: Reader, subject: Subject) -> Portion:
        """Each debt, and what went back of it."""
        rows = await db.fetch(
            """
            SELECT p.id, p.text, p.amount_fen, p.state, p.due_at, p.paid_at,
                   coalesce(t.refunded_fen, 0) AS refunded_fen
            FROM payments p LEFT JOIN pay_tries t ON t.id = p.paid_by
            WHERE p.citizen = $1 ORDER BY p.due_at, p.id
            """,
            subject.citizen,
        )
        return Portion(self.name, len(rows), {}, [dict(row) for row in rows])

    async def obligations(self, db: Reader, subject: Subject) -> int:
        """What is owed or goes back, and contracts that are not over."""
        return int(
            await db.fetchval(
                """
                SELECT (SELECT count(*) FROM payments
                        WHERE citizen = $1 AND state NOT IN ('paid', 'cancelled'))
                     + (SELECT count(*) FROM pay_contracts WHERE citizen = $1 AND state <> 'ended')
                     + (SELECT count(*) FROM pay_refunds r JOIN pay_tries t ON t.id = r.try
                        JOIN payments p ON p.id = t.payment WHERE p.citizen = $1 AND r.state <> 'done')
                """,
                subject.citizen,
            )
        )

    async def stays(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """The debts, in the books."""
        mine = "SELECT count(*) FROM payments WHERE citizen = $1"
        return {"payments": int(await tx.fetchval(mine, subject.citizen))}

    async def erase(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Let go of where she rode, and of what WeChat Pay would find her by; no contract of hers goes on.

        WeChat Pay is told to end them by our own numbers, after this.
        """
        step = Step("ending", "let_go", "erasure", "erased", subject.at)
        for contract in await contracts_store.living(tx, subject.citizen):
            await contracts_store.move(tx, contract.id, step, subject.at)
        await tx.execute("UPDATE payments SET text = '' WHERE citizen = $1", subject.citizen)
        await tx.execute("UPDATE pay_contracts SET contract_id = NULL WHERE citizen = $1", subject.citizen)
        return {}
