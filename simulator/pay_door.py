"""The played WeChat Pay's API under /v3: signed questions, signed answers (docs/pay-facts.md)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.pay import Pay
from simulator.pay_ledger import SESSION_S, Contract, Order, PayError, Refund

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,32}\Z")]
Fen = Annotated[int, Meta(ge=1, le=100_000_00)]
Words = Annotated[str, Meta(min_length=1, max_length=127)]
Address = Annotated[str, Meta(pattern=r"^https?://[^?#\s]{1,240}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Handler = Callable[[web.Request], Awaitable[object]]
T = TypeVar("T")


class Amount(msgspec.Struct, frozen=True):
    total: Fen
    currency: str = "CNY"
    refund: int = 0


class PreSign(msgspec.Struct, frozen=True):
    appid: Name
    openid: Name
    plan_id: int
    out_contract_code: Code
    contract_display_account: Annotated[str, Meta(min_length=1, max_length=32)]
    contract_notify_url: Address


class Termination(msgspec.Struct, frozen=True):
    contract_termination_remark: Annotated[str, Meta(min_length=1, max_length=256)]


class Apply(msgspec.Struct, frozen=True):
    appid: Name
    out_trade_no: Code
    description: Words
    transaction_notify_url: Address
    contract_id: Annotated[str, Meta(min_length=1, max_length=32)]
    amount: Amount


class RefundWish(msgspec.Struct, frozen=True):
    out_trade_no: Code
    out_refund_no: Annotated[str, Meta(min_length=1, max_length=64)]
    notify_url: Address
    amount: Amount


class PayDoor:
    """The calls of a merchant."""

    def __init__(self, pay: Pay) -> None:
        self._pay = pay

    def routes(self) -> list[web.RouteDef]:
        contract = "/v3/papay/sign/contracts/plan-id/{plan:[0-9]+}/out-contract-code/{code}"
        return [
            web.post(
                "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign/jsapi", self._signed(self.presign)
            ),
            web.get(contract, self._signed(self.contract)),
            web.post(f"{contract}/terminate", self._signed(self.terminate)),
            web.post("/v3/papay/pay/transactions/apply", self._signed(self.apply)),
            web.get("/v3/papay/pay/transactions/out-trade-no/{name}", self._signed(self.order)),
            web.post("/v3/refund/domestic/refunds", self._signed(self.refund)),
            web.get("/v3/refund/domestic/refunds/{name}", self._signed(self.refunded)),
        ]

    def _signed(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                await self._require(request)
                status, content = 200, await handler(request)
            except PayError as no:
                status, content = no.status, {"code": no.code, "message": no.code}
            except msgspec.ValidationError as wrong:
                status, content = 400, {"code": "PARAM_ERROR", "message": str(wrong)}
            except msgspec.DecodeError:
                status, content = 400, {"code": "PARAM_ERROR", "message": "not JSON"}
            body = msgspec.json.encode(content)
            headers = self._pay.keys.sign(body, self._pay.now())
            return web.Response(body=body, status=status, headers=headers, content_type="application/json")

        return answer

    async def _require(self, request: web.Request) -> None:
        body = (await request.read()).decode("utf-8", "replace")
        said = (request.method, request.raw_path, body)
        if not self._pay.keys.is_theirs(request.headers.get("Authorization", ""), said, self._pay.now()):
            raise PayError(401, "SIGN_ERROR")

    async def presign(self, request: web.Request) -> object:
        """A page for ten minutes."""
        asked = msgspec.json.decode(await request.read(), type=PreSign)
        if asked.plan_id not in self._pay.keys.merchant.plans:
            raise PayError(403, "NO_AUTH")
        if not self._pay.knows(asked.appid, asked.openid):
            raise PayError(400, "INVALID_REQUEST")
        session, until = self._pay.ledger.new("s"), self._pay.now() + SESSION_S
        wish = (asked.out_contract_code, asked.plan_id, asked.appid, asked.openid, asked.contract_notify_url)
        self._pay.ledger.ask(Contract(*wish, session=session, until=until))
        return {"redirect_url": f"{request.url.origin()}/pay/sign?session={session}"}

    async def contract(self, request: web.Request) -> object:
        found = self._pay.ledger.contract(int(request.match_info["plan"]), request.match_info["code"])
        return self._pay.told_of_contract(found)

    async def terminate(self, request: web.Request) -> object:
        msgspec.json.decode(await request.read(), type=Termination)
        found = self._pay.ledger.contract(int(request.match_info["plan"]), request.match_info["code"])
        self._pay.terminate(found)
        return {"mchid": self._pay.mch_id, "plan_id": found.plan, "out_contract_code": found.code}

    async def apply(self, request: web.Request) -> object:
        """Taken in; how it ends is told by a notice and by the query."""
        asked = msgspec.json.decode(await request.read(), type=Apply)
        ledger, trouble = self._pay.ledger, self._pay.troubles.strike("debit")
        if trouble and trouble.debit == "never":
            await _hang_up(request)
        wish = (asked.out_trade_no, asked.appid, "", asked.amount.total, asked.description)
        order = Order(*wish, asked.transaction_notify_url, ledger.new("4200"))
        order, new = ledger.take_in(order, asked.contract_id)
        if new and not (trouble and trouble.debit == "slow"):
            self._pay.settle(order)
        if trouble and trouble.debit == "lost":
            await _hang_up(request)
        return {"out_trade_no": order.out_trade_no, "amount": {"total": order.amount_fen, "currency": "CNY"}}

    async def order(self, request: web.Request) -> object:
        """What became of a debit; one that was slow ends when it is asked about for the second time."""
        if request.query.get("mchid") != self._pay.mch_id:
            raise PayError(400, "APPID_MCHID_NOT_MATCH")
        order = self._pay.ledger.order(request.match_info["name"])
        told = self._pay.told_of_order(order)
        if order.state == "ACCEPT":
            self._pay.settle(order)
        return told

    async def refund(self, request: web.Request) -> object:
        asked = msgspec.json.decode(await request.read(), type=RefundWish)
        wish = (asked.out_refund_no, asked.out_trade_no, asked.amount.refund, asked.notify_url)
        return self._pay.told_of_refund(self._pay.refund(Refund(*wish, self._pay.ledger.new("5030"))))

    async def refunded(self, request: web.Request) -> object:
        found = self._pay.ledger.books.refunds.get(request.match_info["name"])
        if found is None:
            raise PayError(404, "RESOURCE_NOT_EXISTS")
        return self._pay.told_of_refund(found)


async def _hang_up(request: web.Request) -> None:
    """The line is cut, and no answer comes."""
    if request.transport is not None:
        request.transport.abort()
    raise web.HTTPServiceUnavailable
