"""The script API of telephone numbers: which phone has which, and the short messages they got."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.acts import AccountKey, Openid
from simulator.people import Standing
from simulator.refusals import RefusedError
from simulator.script import wish
from simulator.texts import Texts
from simulator.wechat import WeChat

_NUMBER = r"^(1[0-9]{10})?\Z"
Number = Annotated[str, Meta(pattern=_NUMBER)]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid
    number: Number


class TextScript:
    """`/sim/sms` and `/sim/phones`."""

    def __init__(self, wechat: WeChat, texts: Texts) -> None:
        self._wechat = wechat
        self._texts = texts

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/sim/sms", self.received), web.post("/sim/phones", self.insert)]

    async def received(self, request: web.Request) -> web.Response:
        """All short messages to a number, or to everybody; oldest first."""
        try:
            number = msgspec.convert(request.query.get("number", ""), Number)
        except msgspec.ValidationError as wrong:
            raise RefusedError("number: expected 11 digits that begin with 1") from wrong
        return web.json_response([each.as_json() for each in self._texts.to(number)])

    async def insert(self, request: web.Request) -> web.Response:
        """Put a telephone number into a citizen's phone."""
        asked = await wish(request, Card)
        account = self._wechat.account(asked.account)
        phone = self._wechat.people.meet(account.key, asked.openid, Standing.VISITOR)
        self._texts.insert(phone, asked.number)
        return web.json_response(phone.as_json() | {"number": phone.number})
