"""The script API's part about what goes wrong: faults on demand, quotas, tokens that end early."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.acts import AccountKey
from simulator.faults import EVERY_CALL, Fault
from simulator.quotas import Quota
from simulator.refusals import RefusedError
from simulator.script import WhichAccount, wish
from simulator.wechat import WeChat

MOST_CALLS = 10**9
Calls = Annotated[int, Meta(ge=0, le=MOST_CALLS)]


class NewQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    api: Annotated[str, Meta(min_length=1, max_length=64)]
    per_day: Calls | None
    per_minute: Calls | None = None


class FaultScript:
    """`names` are the calls that the API has."""

    def __init__(self, wechat: WeChat, names: Iterable[str]) -> None:
        self._wechat = wechat
        self._names = frozenset(names)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sim/faults", self.add),
            web.get("/sim/faults", self.standing),
            web.delete("/sim/faults", self.clear),
            web.delete("/sim/faults/{id}", self.remove),
            web.post("/sim/quotas", self.set_quota),
            web.post("/sim/tokens/expire", self.expire),
        ]

    async def add(self, request: web.Request) -> web.Response:
        fault = await wish(request, Fault)
        if fault.account is not None:
            self._wechat.account(fault.account)
        if fault.call != EVERY_CALL:
            self._known("call", fault.call)
        return web.json_response({"id": self._wechat.faults.add(fault)})

    async def standing(self, _request: web.Request) -> web.Response:
        return web.json_response(self._wechat.faults.as_json())

    async def remove(self, request: web.Request) -> web.Response:
        self._wechat.faults.remove(request.match_info["id"])
        return web.json_response({"removed": 1})

    async def clear(self, _request: web.Request) -> web.Response:
        return web.json_response({"removed": self._wechat.faults.clear()})

    async def set_quota(self, request: web.Request) -> web.Response:
        asked = await wish(request, NewQuota)
        account = self._wechat.account(asked.account)
        self._known("api", asked.api)
        self._wechat.quotas.set(account.key, asked.api, Quota(asked.per_day, asked.per_minute))
        return web.json_response(self._wechat.quotas.as_json(account.key, asked.api))

    async def expire(self, request: web.Request) -> web.Response:
        account = self._wechat.account((await wish(request, WhichAccount)).account)
        self._wechat.tokens.expire(account)
        return web.json_response({"account": account.key})

    def _known(self, field: str, name: str) -> None:
        if name not in self._names:
            raise RefusedError(f"{field}: {name!r} is no call; known are {', '.join(sorted(self._names))}")
