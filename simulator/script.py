"""The script API: tests and load generators act for citizens and look at their phones."""

import asyncio
from typing import Annotated, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator import acts
from simulator.acts import AccountKey, Openid
from simulator.people import RECEIVED, Standing
from simulator.push import Outcome
from simulator.refusals import RefusedError
from simulator.wechat import WeChat

MOST_ENTRIES = 1_000
MOST_CITIZENS = 1_000
CITIZENS_A_PAGE = 100

Wish = TypeVar("Wish")
Name = Annotated[str, Meta(max_length=64)]


class NewCitizen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid | None = None
    unionid: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{0,64}\\Z")] | None = None
    nickname: Name | None = None
    follows: bool = True
    delivery: Literal["ok", "user block", "system failed"] | None = None
    preview: bool | None = None


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid


class WhichAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey


class Script:
    """The calls under `/sim`."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sim/messages", self.messages),
            web.get("/sim/inbox", self.inbox),
            web.post("/sim/citizens", self.meet),
            web.get("/sim/citizens", self.citizens),
            web.post("/sim/payments", self.pay),
            web.post("/sim/verify", self.verify),
        ]

    async def messages(self, request: web.Request) -> web.Response:
        return await finished(self._wechat.act(acts.parse(await request.read())), self._wechat)

    async def inbox(self, request: web.Request) -> web.Response:
        account = self._wechat.account(request.query.get("account", ""))
        phone = self._wechat.people.find(account.key, openid_in(request))
        after = number_in(request, "after", 0, 2**63)
        limit = number_in(request, "limit", MOST_ENTRIES, MOST_ENTRIES)
        newer = phone.after(after) if phone else ()
        received = [entry.as_json() for entry in newer if entry.kind in RECEIVED]
        return web.json_response(received[:limit])

    async def meet(self, request: web.Request) -> web.Response:
        """A new citizen, or new facts about a known one, who follows unless the script says otherwise."""
        asked = await wish(request, NewCitizen)
        people, account = self._wechat.people, self._wechat.account(asked.account)
        known = people.find(account.key, asked.openid) if asked.openid else None
        standing = Standing.FOLLOWER if asked.follows else Standing.STRANGER
        phone = people.meet(account.key, asked.openid, standing)
        if known is not None and asked.follows != phone.follows:
            people.stand(phone, Standing.FOLLOWER if asked.follows else Standing.LEFT)
        people.describe(phone, asked.unionid, asked.nickname, asked.delivery)
        if asked.preview is not None:
            people.preview(phone, only=asked.preview)
        return web.json_response(phone.as_json())

    async def citizens(self, request: web.Request) -> web.Response:
        account = self._wechat.account(request.query.get("account", ""))
        limit = number_in(request, "limit", CITIZENS_A_PAGE, MOST_CITIZENS)
        after = openid_in(request, "after") if request.query.get("after") else ""
        return web.json_response(
            [phone.as_json() for phone in self._wechat.people.page(account.key, after, limit)]
        )

    async def pay(self, request: web.Request) -> web.Response:
        asked = await wish(request, Payment)
        phone = self._wechat.pay(self._wechat.account(asked.account), asked.openid)
        return web.json_response(phone.as_json())

    async def verify(self, request: web.Request) -> web.Response:
        asked = await wish(request, WhichAccount)
        good, detail = await self._wechat.verify(self._wechat.account(asked.account))
        return web.json_response({"ok": good, "detail": detail})


async def wish(request: web.Request, kind: type[Wish]) -> Wish:
    """What a script asks for; raises RefusedError saying what is wrong and what is allowed."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        fields = getattr(kind, "__struct_fields__", ())
        allowed = f"; allowed are {', '.join(fields)}" if fields else ""
        raise RefusedError(f"{wrong}{allowed}") from wrong


async def finished(push: asyncio.Task[Outcome], wechat: WeChat) -> web.Response:
    """The answer to a script when its push is over."""
    try:
        outcome = await asyncio.shield(push)  # a push goes on when nobody waits for its result any more
    except asyncio.CancelledError:
        if not wechat.live.closing:
            raise
        return web.json_response({"error": "the simulator is stopping"}, status=503)
    return web.json_response(_as_json(outcome))


def _as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "attempts": outcome.attempts,
        "status": outcome.status,
        "ms": outcome.ms,
        "reply": outcome.reply.as_json() if outcome.reply else None,
        "notice": outcome.notice,
    }


def openid_in(request: web.Request, name: str = "openid") -> str:
    """An openid of the query; raises RefusedError."""
    try:
        return msgspec.convert(request.query.get(name, ""), Openid)
    except msgspec.ValidationError as wrong:
        raise RefusedError(f"{name}: expected 1 to 64 of letters, digits, _ and -") from wrong


def number_in(request: web.Request, name: str, default: int, most: int) -> int:
    """A whole number of the query; raises RefusedError."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or int(text) > most:  # noqa: PLR2004
        raise RefusedError(f"{name}: expected a whole number from 0 to {most}")
    return int(text)
