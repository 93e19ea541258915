"""The side of the platform that bots call: tokens, customer-service messages, menus."""

from aiohttp import web

from simulator import custom, menus
from simulator.api_media import MediaApi
from simulator.api_notices import NoticeApi
from simulator.api_users import UserApi
from simulator.desk import Call, Desk, done, told
from simulator.payload import read_object
from simulator.refusals import ApiError
from simulator.weblogin import WebLogin
from simulator.wechat import WeChat

GRANT = "client_credential"


class Api:
    """The calls under `/cgi-bin` and `/sns`: the oldest here, the others from their own modules."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat
        self._desk = Desk(wechat)
        self._users = UserApi(wechat, self._desk)
        self._login = WebLogin(wechat)

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/cgi-bin/token", self.token),
            Call("POST", "/cgi-bin/stable_token", self.stable_token),
            Call("POST", "/cgi-bin/message/custom/send", self.send),
            Call("POST", "/cgi-bin/message/custom/typing", self.typing),
            Call("POST", "/cgi-bin/menu/create", self.create_menu),
            Call("GET", "/cgi-bin/menu/get", self.get_menu),
            Call("GET", "/cgi-bin/menu/delete", self.delete_menu),
            *NoticeApi(self._wechat, self._desk).calls(),
            *self._users.calls(),
            *MediaApi(self._wechat, self._desk).calls(),
            *self._login.calls(),
        ]

    def names(self) -> list[str]:
        return [call.name for call in self.calls()]

    def routes(self) -> list[web.RouteDef]:
        unknown = self._desk.answering(_unknown)
        return [
            web.get("/cgi-bin/showqrcode", self._users.show_code),
            web.get("/connect/oauth2/authorize", self._login.authorize),
            *self._desk.routes(self.calls()),
            web.route("*", "/cgi-bin/{rest:.*}", unknown),
            web.route("*", "/sns/{rest:.*}", unknown),
        ]

    async def token(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("grant_type") != GRANT:
            raise ApiError(40002)
        appid, secret = query.get("appid", ""), query.get("secret", "")
        self._wechat.quotas.count(self._wechat.tokens.holder(appid, secret).key, "token")
        value, lasts = self._wechat.tokens.plain(appid, secret)
        return told({"access_token": value, "expires_in": lasts})

    async def stable_token(self, request: web.Request) -> web.Response:
        body = read_object(await request.read())
        if body.get("grant_type") != GRANT:
            raise ApiError(40002)
        appid, secret, force = body.get("appid", ""), body.get("secret", ""), body.get("force_refresh", False)
        if not isinstance(appid, str) or not isinstance(secret, str) or not isinstance(force, bool):
            raise ApiError(47001)
        self._wechat.quotas.count(self._wechat.tokens.holder(appid, secret).key, "stable_token")
        value, lasts = self._wechat.tokens.stable(appid, secret, force=force)
        return told({"access_token": value, "expires_in": lasts})

    async def send(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        self._wechat.send(account, custom.parse(await request.read()))
        return done()

    async def typing(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        body = read_object(await request.read())
        touser, command = body.get("touser"), body.get("command")
        phone = self._wechat.people.find(account.key, touser) if isinstance(touser, str) else None
        if phone is None:
            raise ApiError(40003)
        if command not in {"Typing", "CancelTyping"}:
            raise ApiError(45072, "Typing or CancelTyping")
        self._wechat.live.type(phone, on=command == "Typing")
        return done()

    async def create_menu(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        self._wechat.set_menu(account, menus.parse(await request.read()))
        return done()

    async def get_menu(self, request: web.Request) -> web.Response:
        menu = self._wechat.menus.get(self._desk.caller(request).key)
        if menu is None:
            raise ApiError(46003)
        return told(menus.as_json(menu))

    async def delete_menu(self, request: web.Request) -> web.Response:
        self._wechat.set_menu(self._desk.caller(request), None)
        return done()


async def _unknown(_request: web.Request) -> web.StreamResponse:
    raise ApiError(40066)
