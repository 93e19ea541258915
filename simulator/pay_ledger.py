"""The played WeChat Pay's books: wallets, contracts, orders and refunds, and what is refused."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from simulator.clock import Clock

START_FEN = 5_000
MOST_FEN = 10_000_000
SESSION_S = 600
_MOST = 100_000

State = Literal["CONTRACTED", "TERMINATED", "NOT_CONTRACTED"]


class PayError(Exception):
    """What is refused: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class Contract(msgspec.Struct):
    """A contract; `session` and `until` are of its page."""

    code: str
    plan: int
    appid: str
    openid: str
    notify_url: str
    session: str
    until: float
    contract_id: str = ""
    state: State = "NOT_CONTRACTED"


class Order(msgspec.Struct):
    """A debit."""

    out_trade_no: str
    appid: str
    openid: str
    amount_fen: int
    description: str
    notify_url: str
    transaction_id: str
    state: str = "ACCEPT"
    why: str = ""
    refunded_fen: int = 0


class Refund(msgspec.Struct):
    """What went back."""

    out_refund_no: str
    out_trade_no: str
    amount_fen: int
    notify_url: str
    refund_id: str
    status: str = "SUCCESS"


class Books(msgspec.Struct):
    """All of it, as it is kept over a restart."""

    wallets: dict[str, int] = {}
    contracts: dict[str, Contract] = {}
    orders: dict[str, Order] = {}
    refunds: dict[str, Refund] = {}


class Ledger:
    """One merchant's books. `changed` hears whose wallet changed (appid and openid)."""

    def __init__(self, clock: Clock, store: Path | None = None) -> None:
        self._clock = clock
        self._store = store
        self.books = Books()
        if store is not None and store.exists():
            self.books = msgspec.json.decode(store.read_bytes(), type=Books)
        self._numbers = itertools.count(int(clock().timestamp() * 1000))
        self.changed: Callable[[str, str], None] = lambda _appid, _openid: None

    def balance(self, appid: str, openid: str) -> int:
        return self.books.wallets.get(f"{appid}:{openid}", START_FEN)

    def set_balance(self, appid: str, openid: str, fen: int) -> None:
        self.books.wallets[f"{appid}:{openid}"] = max(0, min(fen, MOST_FEN))
        self.keep(appid, openid)

    def keep(self, appid: str, openid: str) -> None:
        """Write the books down; the phone shows what is new."""
        if self._store is not None:
            draft = self._store.with_suffix(".new")
            draft.write_bytes(msgspec.json.encode(self.books))
            os.replace(draft, self._store)  # noqa: PTH105 - the same, and says what it does
        self.changed(appid, openid)

    def new(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers)}"

    def ask(self, contract: Contract) -> Contract:
        """A page to sign on; a code is signed once."""
        known = self.books.contracts.get(contract.code)
        if known and known.state != "NOT_CONTRACTED":
            raise PayError(400, "OUT_CONTRACT_CODE_USED")
        if len(self.books.contracts) >= _MOST:
            raise PayError(429, "FREQUENCY_LIMITED")
        self.books.contracts[contract.code] = contract
        self.keep(contract.appid, contract.openid)
        return contract

    def page(self, session: str) -> Contract | None:
        """The contract whose page this is, while it can be signed."""
        now = self._clock().timestamp()
        return next(
            (each for each in self.books.contracts.values() if each.session == session and each.until > now),
            None,
        )

    def sign(self, contract: Contract) -> None:
        contract.state, contract.contract_id = "CONTRACTED", self.new("2026")
        self.keep(contract.appid, contract.openid)

    def contract(self, plan: int, code: str) -> Contract:
        found = self.books.contracts.get(code)
        if found is None or found.plan != plan or found.state == "NOT_CONTRACTED":
            raise PayError(404, "RESOURCE_NOT_EXISTS")
        return found

    def terminate(self, contract: Contract) -> None:
        if contract.state != "CONTRACTED":
            raise PayError(403, "CONTRACT_TERMINATED")
        contract.state = "TERMINATED"
        self.keep(contract.appid, contract.openid)

    def take_in(self, order: Order, contract_id: str) -> tuple[Order, bool]:
        """Take a debit in, once; whether it is new. The same number for something else is refused."""
        known = self.books.orders.get(order.out_trade_no)
        if known is not None:
            if known.amount_fen != order.amount_fen or known.state == "PAYERROR":
                raise PayError(403, "OUT_TRADE_NO_USED")
            return known, False
        found = (each for each in self.books.contracts.values() if each.contract_id == contract_id)
        contract = next(found, None)
        if contract is None or contract.state != "CONTRACTED" or contract.appid != order.appid:
            raise PayError(403, "CONTRACT_NOT_EXIST")
        order.openid = contract.openid
        self.books.orders[order.out_trade_no] = order
        self.keep(order.appid, order.openid)
        return order, True

    def settle(self, order: Order) -> None:
        """Take the money, if it is there."""
        left = self.balance(order.appid, order.openid) - order.amount_fen
        if left < 0:
            order.state, order.why = "PAYERROR", "余额不足"
            self.keep(order.appid, order.openid)
            return
        order.state = "SUCCESS"
        self.set_balance(order.appid, order.openid, left)

    def order(self, out_trade_no: str) -> Order:
        found = self.books.orders.get(out_trade_no)
        if found is None:
            raise PayError(404, "ORDER_NOT_EXIST")
        return found

    def refund(self, refund: Refund) -> Refund:
        """Send back, once for each number."""
        known = self.books.refunds.get(refund.out_refund_no)
        if known is not None:
            return known
        order = self.books.orders.get(refund.out_trade_no)
        if order is None or order.state not in {"SUCCESS", "REFUND"}:
            raise PayError(404, "RESOURCE_NOT_EXISTS")
        if order.refunded_fen + refund.amount_fen > order.amount_fen:
            raise PayError(400, "INVALID_REQUEST")
        order.state, order.refunded_fen = "REFUND", order.refunded_fen + refund.amount_fen
        self.books.refunds[refund.out_refund_no] = refund
        self.set_balance(
            order.appid, order.openid, self.balance(order.appid, order.openid) + refund.amount_fen
        )
        return refund
