"""What payments speak of: contracts, debts and their tries, and what WeChat Pay tells of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ContractState(StrEnum):
    """`ending`: over for us, and WeChat Pay is yet to be told."""

    NONE = "none"
    ASKED = "asked"
    SIGNED = "signed"
    ENDING = "ending"
    ENDED = "ended"


class PaymentState(StrEnum):
    """`created`, `prepay` and `closed` of domain-rules 0.6 are `owed`, `asked` and the last two here."""

    OWED = "owed"  # no try is open
    ASKED = "asked"  # the fate of a try is open
    PAID = "paid"
    STOPPED = "stopped"  # T4: nothing is tried any more unless the citizen asks for it
    CANCELLED = "cancelled"  # its owner took it back: nothing is owed


class TryState(StrEnum):
    OPEN = "open"
    FAILED = "failed"
    PAID = "paid"


class RefundState(StrEnum):
    DUE = "due"  # to be asked for, or asked for and open
    DONE = "done"
    FAILED = "failed"  # staff has to see to it


@dataclass(frozen=True, slots=True)
class Contract:
    """The agreement of a citizen that a plan's debts are debited without a password."""

    id: str
    citizen: str
    plan: str
    state: ContractState
    since: datetime


@dataclass(frozen=True, slots=True)
class Debt:
    """What a citizen owes; the same (purpose, object, version) is owed once, however often it is said.

    `plan` names both the plan of the settings and, with `purpose`, who is told (`Owner`). `text` is what the
    citizen reads in WeChat Pay's bill. `due_at`: not debited before.
    """

    citizen: str
    plan: str
    amount_fen: int
    purpose: str
    object: str
    text: str
    due_at: datetime
    version: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """A debt and how it stands. `tries` were begun so far; `refunded_fen` has gone back."""

    id: str
    citizen: str
    plan: str
    purpose: str
    object: str
    version: int
    amount_fen: int
    text: str
    state: PaymentState
    tries: int
    refunded_fen: int
    paid_at: datetime | None
    next_try_at: datetime | None


class Told(StrEnum):
    """What WeChat Pay says has become of a debit or a refund."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ContractNotice:
    """WeChat Pay says: a contract was signed (`signed`) or is over."""

    id: str
    plan_id: int
    code: str
    contract_id: str
    signed: bool


@dataclass(frozen=True, slots=True)
class DebitNotice:
    """WeChat Pay says what became of a try; `amount_fen` and `appid` are compared with ours (P2)."""

    id: str
    out_trade_no: str
    told: Told
    amount_fen: int
    appid: str
    transaction_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """WeChat Pay says what became of a refund."""

    id: str
    out_refund_no: str
    told: Told
    amount_fen: int
    reason: str = ""


Notice = ContractNotice | DebitNotice | RefundNotice
