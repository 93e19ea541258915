"""The side of the platform that bots call: tokens, customer-service messages, menus."""

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator import custom, menus
from simulator.accounts import Account
from simulator.payload import read_object
from simulator.refusals import ApiError
from simulator.wechat import WeChat

OK = {"errcode": 0, "errmsg": "ok"}
GRANT = "client_credential"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """The calls under `/cgi-bin`. HTTP 200 always; what went wrong stands in `errcode`."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    def routes(self) -> list[web.RouteDef]:
        calls: list[tuple[str, str, Handler]] = [
            ("GET", "/cgi-bin/token", self.token),
            ("POST", "/cgi-bin/stable_token", self.stable_token),
            ("POST", "/cgi-bin/message/custom/send", self.send),
            ("POST", "/cgi-bin/message/custom/typing", self.typing),
            ("POST", "/cgi-bin/menu/create", self.create_menu),
            ("GET", "/cgi-bin/menu/get", self.get_menu),
            ("GET", "/cgi-bin/menu/delete", self.delete_menu),
        ]
        defined = [web.route(method, path, answering(call)) for method, path, call in calls]
        wrong = [web.route("*", path, answering(_wrong_method(method))) for method, path, _ in calls]
        return [*defined, *wrong, web.route("*", "/cgi-bin/{rest:.*}", answering(_unknown))]

    async def token(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("grant_type") != GRANT:
            raise ApiError(40002)
        value, lasts = self._wechat.tokens.plain(query.get("appid", ""), query.get("secret", ""))
        return web.json_response({"access_token": value, "expires_in": lasts})

    async def stable_token(self, request: web.Request) -> web.Response:
        body = read_object(await request.read())
        if body.get("grant_type") != GRANT:
            raise ApiError(40002)
        appid, secret, force = body.get("appid", ""), body.get("secret", ""), body.get("force_refresh", False)
        if not isinstance(appid, str) or not isinstance(secret, str) or not isinstance(force, bool):
            raise ApiError(47001)
        value, lasts = self._wechat.tokens.stable(appid, secret, force=force)
        return web.json_response({"access_token": value, "expires_in": lasts})

    async def send(self, request: web.Request) -> web.Response:
        account = self._caller(request)
        self._wechat.send(account, custom.parse(await request.read()))
        return web.json_response(OK)

    async def typing(self, request: web.Request) -> web.Response:
        account = self._caller(request)
        body = read_object(await request.read())
        touser, command = body.get("touser"), body.get("command")
        phone = self._wechat.people.find(account.key, touser) if isinstance(touser, str) else None
        if phone is None:
            raise ApiError(40003)
        if command not in {"Typing", "CancelTyping"}:
            raise ApiError(45072, "Typing or CancelTyping")
        self._wechat.live.type(phone, on=command == "Typing")
        return web.json_response(OK)

    async def create_menu(self, request: web.Request) -> web.Response:
        account = self._caller(request)
        self._wechat.set_menu(account, menus.parse(await request.read()))
        return web.json_response(OK)

    async def get_menu(self, request: web.Request) -> web.Response:
        menu = self._wechat.menus.get(self._caller(request).key)
        if menu is None:
            raise ApiError(46003)
        return web.json_response(menus.as_json(menu))

    async def delete_menu(self, request: web.Request) -> web.Response:
        self._wechat.set_menu(self._caller(request), None)
        return web.json_response(OK)

    def _caller(self, request: web.Request) -> Account:
        return self._wechat.tokens.owner(request.query.get("access_token", ""))


def answering(call: Handler) -> Handler:
    """Turns refusals into WeChat's answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except ApiError as no:
            return _refusal(no)
        except web.HTTPRequestEntityTooLarge:
            return _refusal(ApiError(45002, f"at most {request.client_max_size} bytes"))

    return answer


def _refusal(no: ApiError) -> web.Response:
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return web.json_response({"errcode": no.code, "errmsg": f"{no.message} rid: {rid}"})


def _wrong_method(method: str) -> Handler:
    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise ApiError(43001 if method == "GET" else 43002)

    return refuse


async def _unknown(_request: web.Request) -> web.StreamResponse:
    raise ApiError(40066)
