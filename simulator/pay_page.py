"""What people see of WeChat Pay: the page where a contract is signed, the wallet, and troubles."""

from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jinja2
import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.acts import AccountKey, Openid
from simulator.pay import Pay
from simulator.pay_ledger import MOST_FEN
from simulator.pay_notices import Trouble
from simulator.refusals import RefusedError
from simulator.script import openid_in, wish
from simulator.wechat import WeChat

HERE = Path(__file__).parent
_GONE = 410
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "same-origin",  # else a browser would not say where the answer comes from
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Wallet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a wallet holds from now on."""

    account: AccountKey
    openid: Openid
    fen: Annotated[int, Meta(ge=0, le=MOST_FEN)]


class Whose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid


class PayPage:
    """`/pay/sign`, and `/sim/pay` for testers."""

    def __init__(self, wechat: WeChat, pay: Pay) -> None:
        self._wechat = wechat
        self._pay = pay
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._page = templates.get_template("pay_sign.html")

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/pay/sign", self.ask),
            web.post("/pay/sign", self.answer),
            web.get("/sim/pay/wallet", self.wallet),
            web.post("/sim/pay/wallet", self.fill),
            web.post("/sim/pay/terminate", self.terminate),
            web.post("/sim/pay/faults", self.trouble),
            web.delete("/sim/pay/faults", self.clear),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """The page, for ten minutes; it leads back to where she came from."""
        contract = self._pay.ledger.page(request.query.get("session", ""))
        if contract is None:
            return self._shown("over", "", "", "", status=_GONE)
        back = _back(request.headers.get("Referer", ""))
        return self._shown("asks", contract.session, self._pay.purpose(contract), back)

    async def answer(self, request: web.Request) -> web.Response:
        """She agrees, or does not: of a no nobody is told."""
        given = await request.post()
        contract = self._pay.ledger.page(str(given.get("session", "")))
        back = _back(str(given.get("back", "")))
        if contract is None:
            return self._shown("over", "", "", back, status=_GONE)
        if given.get("choice") == "yes":
            self._pay.sign(contract)
            return self._shown("signed", "", self._pay.purpose(contract), back)
        return self._shown("cancelled", "", self._pay.purpose(contract), back)

    def _shown(self, state: str, session: str, purpose: str, back: str, status: int = 200) -> web.Response:
        html = self._page.render(state=state, session=session, purpose=purpose, back=back)
        return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)

    async def wallet(self, request: web.Request) -> web.Response:
        account = self._wechat.account(request.query.get("account", ""))
        return web.json_response({"fen": self._pay.ledger.balance(account.appid, openid_in(request))})

    async def fill(self, request: web.Request) -> web.Response:
        asked = await wish(request, Wallet)
        account = self._wechat.account(asked.account)
        self._pay.ledger.set_balance(account.appid, asked.openid, asked.fen)
        return web.json_response({"fen": asked.fen})

    async def terminate(self, request: web.Request) -> web.Response:
        """She ends her contracts in her wallet."""
        asked = await wish(request, Whose)
        whose = (self._wechat.account(asked.account).appid, asked.openid)
        mine = [
            each
            for each in self._pay.ledger.books.contracts.values()
            if (each.appid, each.openid) == whose and each.state == "CONTRACTED"
        ]
        if not mine:
            raise RefusedError("she has no contract")
        for each in mine:
            self._pay.terminate(each)
        return web.json_response({"ended": len(mine)})

    async def trouble(self, request: web.Request) -> web.Response:
        self._pay.troubles.add(await wish(request, Trouble))
        return web.json_response({})

    async def clear(self, _request: web.Request) -> web.Response:
        self._pay.troubles.clear()
        return web.json_response({})


def _back(address: str) -> str:
    """Where she came from, with the mark WeChat adds; "" where that is no page."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return ""
    if parts.path in {"", "/"}:
        return address
    kept = [pair for pair in parse_qsl(parts.query) if pair[0] != "from_wxpay"]
    return urlunsplit(parts._replace(query=urlencode([*kept, ("from_wxpay", "1")]), fragment=""))
