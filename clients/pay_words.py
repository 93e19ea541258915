"""WeChat Pay's JSON, and what it is in our own words (docs/pay-facts.md 2–5)."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from services.payments.bank import Agreement, Fate
from services.payments.model import ContractNotice, DebitNotice, Notice, RefundNotice, Told

_TRADE: Mapping[str, Told] = {
    "SUCCESS": Told.DONE,
    "REFUND": Told.DONE,
    **dict.fromkeys(("NOTPAY", "ACCEPT", "ACCEPTED", "USERPAYING"), Told.OPEN),
    **dict.fromkeys(("CLOSED", "REVOKED", "PAYERROR", "PAY_FAIL"), Told.FAILED),
}
_REFUND: Mapping[str, Told] = {
    "SUCCESS": Told.DONE,
    "PROCESSING": Told.OPEN,
    "CLOSED": Told.FAILED,
    "ABNORMAL": Told.FAILED,
}
_CONTRACT: Mapping[str, bool | None] = {
    **dict.fromkeys(("CONTRACTED", "SIGNED"), True),
    "TERMINATED": False,
    "NOT_CONTRACTED": None,
}


class NotUnderstoodError(Exception):
    """It is theirs, and says something that docs/pay-facts.md does not know."""


class _Amount(msgspec.Struct, frozen=True):
    total: int = 0
    refund: int = 0
    currency: str = "CNY"


class Page(msgspec.Struct, frozen=True):
    """The answer to a pre-signing."""

    redirect_url: str


class Contract(msgspec.Struct, frozen=True):
    """A contract, as queries and notices tell it."""

    contract_id: str = ""
    mchid: str = ""
    plan_id: int = 0
    out_contract_code: str = ""
    contract_state: str = ""

    def agreement(self) -> Agreement | None:
        """Ours; None where it was never signed."""
        if self.contract_state not in _CONTRACT:
            raise NotUnderstoodError("contract_state")
        signed = _CONTRACT[self.contract_state]
        return None if signed is None else Agreement(signed, self.contract_id)


class Order(msgspec.Struct, frozen=True):
    """An order, as queries and notices tell it."""

    out_trade_no: str
    trade_state: str
    appid: str = ""
    mchid: str = ""
    transaction_id: str = ""
    trade_state_desc: str = ""
    amount: _Amount = _Amount()

    def fate(self) -> Fate:
        if self.trade_state not in _TRADE or self.amount.currency != "CNY":
            raise NotUnderstoodError("trade_state")
        told = _TRADE[self.trade_state]
        reason = self.trade_state_desc if told is Told.FAILED else ""
        return Fate(told, self.amount.total, self.appid, self.transaction_id, reason)


class Refunded(msgspec.Struct, frozen=True):
    """A refund: queries say `status`, notices `refund_status`."""

    out_refund_no: str
    mchid: str = ""
    status: str = ""
    refund_status: str = ""
    amount: _Amount = _Amount()

    def fate(self) -> Fate:
        said = self.status or self.refund_status
        if said not in _REFUND or self.amount.currency != "CNY":
            raise NotUnderstoodError("refund status")
        return Fate(_REFUND[said], self.amount.refund, reason=said)


class Sealed(msgspec.Struct, frozen=True):
    """What of a notice is sealed."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """A notice before it is opened."""

    id: str
    event_type: str
    resource: Sealed


T = TypeVar("T", Contract, Order, Refunded)


def notice_of(envelope: Envelope, content: bytes, mch_id: str) -> Notice:
    """What an opened notice tells; it has to be meant for this merchant."""
    kind, _, ending = envelope.event_type.partition(".")
    if kind == "TRANSACTION":
        return _of_debit(envelope.id, _mine(msgspec.json.decode(content, type=Order), mch_id))
    if kind == "REFUND":
        return _of_refund(envelope.id, _mine(msgspec.json.decode(content, type=Refunded), mch_id))
    signed = ending.startswith("SIGN")
    if kind in {"PAPAY", "ENTRUST"} and (signed or ending.startswith(("TERMINAT", "RELEASE"))):
        told = _mine(msgspec.json.decode(content, type=Contract), mch_id)
        return ContractNotice(envelope.id, told.plan_id, told.out_contract_code, told.contract_id, signed)
    raise NotUnderstoodError("event_type")


def _mine(told: T, mch_id: str) -> T:
    if told.mchid != mch_id:
        raise NotUnderstoodError("mchid")
    return told


def _of_debit(name: str, order: Order) -> DebitNotice:
    fate = order.fate()
    return DebitNotice(
        name, order.out_trade_no, fate.told, fate.amount_fen, fate.appid, fate.transaction_id, fate.reason
    )


def _of_refund(name: str, refund: Refunded) -> RefundNotice:
    fate = refund.fate()
    return RefundNotice(name, refund.out_refund_no, fate.told, fate.amount_fen, fate.reason)
