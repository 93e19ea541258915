"""The script API's part about templates, subscriptions and QR codes."""

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.acts import AccountKey, Openid
from simulator.cards import Template, TemplateId
from simulator.refusals import RefusedError
from simulator.script import finished, number_in, openid_in, wish
from simulator.wechat import WeChat

TEMPLATES_A_PAGE, MOST_TEMPLATES = 100, 1_000
MANAGED = 50


class Choices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid
    templates: dict[TemplateId, Literal["accept", "reject"]]
    scene: Annotated[int, Meta(ge=0, le=9)] = 1
    keep: bool = False


class Refusals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid
    templates: Annotated[list[TemplateId], Meta(min_length=1, max_length=MANAGED)]


class Scan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountKey
    openid: Openid
    ticket: Annotated[str, Meta(min_length=1, max_length=256)]


class NoticeScript:
    """What scripts say of templates, and what citizens answer to them."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sim/templates", self.add_template),
            web.get("/sim/templates", self.templates),
            web.post("/sim/subscriptions", self.choose),
            web.post("/sim/subscriptions/manage", self.refuse),
            web.get("/sim/credits", self.credits),
            web.post("/sim/scans", self.scan),
        ]

    async def add_template(self, request: web.Request) -> web.Response:
        described = await wish(request, dict[str, Any])
        account = self._wechat.account(str(described.pop("account", "")))
        try:
            template = msgspec.convert(described, Template)
        except msgspec.ValidationError as wrong:
            fields = ", ".join(Template.__struct_fields__)
            raise RefusedError(f"{wrong}; a template has account, {fields}") from wrong
        self._wechat.add_template(account, template)
        return web.json_response(_described(account.key, template))

    async def templates(self, request: web.Request) -> web.Response:
        account = self._wechat.account(request.query.get("account", ""))
        limit = number_in(request, "limit", TEMPLATES_A_PAGE, MOST_TEMPLATES)
        page = self._wechat.notifier.page(account, request.query.get("after", ""), limit)
        return web.json_response([_described(account.key, template) for template in page])

    async def choose(self, request: web.Request) -> web.Response:
        asked = await wish(request, Choices)
        account = self._wechat.account(asked.account)
        choices = {template_id: answer == "accept" for template_id, answer in asked.templates.items()}
        push = self._wechat.choose(account, asked.openid, choices, scene=asked.scene, keep=asked.keep)
        return await finished(push, self._wechat)

    async def refuse(self, request: web.Request) -> web.Response:
        asked = await wish(request, Refusals)
        account = self._wechat.account(asked.account)
        return await finished(self._wechat.refuse(account, asked.openid, asked.templates), self._wechat)

    async def credits(self, request: web.Request) -> web.Response:
        account = self._wechat.account(request.query.get("account", ""))
        phone = self._wechat.people.find(account.key, openid_in(request))
        return web.json_response(self._wechat.notifier.credits(account, phone))

    async def scan(self, request: web.Request) -> web.Response:
        asked = await wish(request, Scan)
        account = self._wechat.account(asked.account)
        return await finished(self._wechat.scan(account, asked.openid, asked.ticket), self._wechat)


def _described(account: str, template: Template) -> dict[str, Any]:
    return {"account": account, **msgspec.to_builtins(template)}
