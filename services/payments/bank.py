"""What payments need of WeChat Pay, and how it may refuse (docs/pay-facts.md)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.payments.model import Told


class Policy(StrEnum):
    """What an error code means for what was asked."""

    PAYER = "payer"  # the payer's money or account: this try has failed
    CONTRACT = "contract"  # the contract is over
    KNOWN = "known"  # it was asked before: query it
    ABSENT = "absent"  # not known there, or not yet
    LATER = "later"  # nothing happened: the same again later
    CONFIGURATION = "configuration"  # nothing happened: somebody has to put ours right
    UNKNOWN = "unknown"  # it may have happened: query it


class BankGone(Exception):  # noqa: N818 - named by what is the case
    """No answer that can be believed: what was asked may have happened."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BankRefused(Exception):  # noqa: N818 - as above
    """WeChat Pay's error code, and what it means."""

    def __init__(self, code: str, policy: Policy) -> None:
        super().__init__(code)
        self.code = code
        self.policy = policy


class NotBelieved(Exception):  # noqa: N818 - as above
    """A notify that is forged, stale, seen before, or not ours; `why` holds nothing of its content."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Signing:
    """A contract to be signed by whoever has this openid; it is open here: use it, never store or log it."""

    plan: str
    code: str
    account: str
    openid: str


@dataclass(frozen=True, slots=True)
class Debit:
    """One try: the same out_trade_no is always asked with the same words."""

    out_trade_no: str
    account: str
    contract_id: str
    amount_fen: int
    text: str


@dataclass(frozen=True, slots=True)
class Refund:
    """What goes back of a try that was paid."""

    out_refund_no: str
    out_trade_no: str
    amount_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """What WeChat Pay knows of a contract; `signed` or over."""

    signed: bool
    contract_id: str


@dataclass(frozen=True, slots=True)
class Fate:
    """What WeChat Pay knows of a try or a refund."""

    told: Told
    amount_fen: int = 0
    appid: str = ""
    transaction_id: str = ""
    reason: str = ""


class Bank(Protocol):
    """WeChat Pay. A call without an answer raises `BankGone` or `BankRefused`, and nothing else."""

    async def presign(self, signing: Signing) -> str:
        """The address of the page where she signs; it is good for ten minutes."""
        ...

    async def agreement(self, plan: str, code: str) -> Agreement | None:
        """How a contract stands; None: never signed, as far as is known there."""
        ...

    async def terminate(self, plan: str, code: str, why: str) -> None:
        """End a contract."""
        ...

    async def debit(self, debit: Debit) -> None:
        """Ask for a debit; that it was taken in says nothing of its fate."""
        ...

    async def fate(self, out_trade_no: str) -> Fate | None:
        """What became of a try; None: not known there, or not yet."""
        ...

    async def refund(self, refund: Refund) -> Fate:
        """Send money back; the same out_refund_no is sent back once."""
        ...

    def appid(self, account: str) -> str:
        """The appid under which this account's contracts are signed."""
        ...

    def plan_id(self, plan: str) -> int:
        """The number of a plan; KeyError where the settings have none."""
        ...
