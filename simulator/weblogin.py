"""The web login: the page that asks the citizen, and the calls that turn its code into an identity."""

from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

import jinja2
from aiohttp import web

from simulator.accounts import Account
from simulator.desk import Call, done, told
from simulator.logins import BASE, SCOPES, USERINFO
from simulator.people import Standing
from simulator.refusals import ApiError, RefusedError
from simulator.script import openid_in
from simulator.wechat import WeChat

HERE = Path(__file__).parent
MOST_STATE_BYTES = 128
BAD_REQUEST = 400
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class WebLogin:
    """`/connect/oauth2/authorize` and the calls under `/sns`."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._page = templates.get_template("authorize.html")

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/sns/oauth2/access_token", self.access_token),
            Call("GET", "/sns/oauth2/refresh_token", self.refresh_token),
            Call("GET", "/sns/auth", self.auth),
            Call("GET", "/sns/userinfo", self.userinfo),
        ]

    async def authorize(self, request: web.Request) -> web.Response:
        """Back to the bot's page with a code; a phone's web view says by its name whose phone it is."""
        try:
            account, target = self._asked(request)
        except RefusedError as no:
            return self._shown(status=BAD_REQUEST, wrong=str(no), asks="")
        query = request.query
        if not query.get("openid"):
            return self._shown(wrong="", asks="")
        phone = self._wechat.people.meet(account.key, openid_in(request), Standing.VISITOR)
        scope = query["scope"]
        if scope == USERINFO and query.get("allowed") != "1":
            return self._shown(wrong="", asks=account.name)
        code = self._wechat.logins.code(account, phone, scope)
        raise web.HTTPFound(_with(target, {"code": code, "state": query.get("state", "")}))

    def _asked(self, request: web.Request) -> tuple[Account, str]:
        query = request.query
        appid, target, state = query.get("appid", ""), query.get("redirect_uri", ""), query.get("state", "")
        account = next((one for one in self._wechat.accounts.values() if one.appid == appid), None)
        if account is None:
            raise RefusedError("appid 参数错误")
        if urlsplit(target).scheme not in {"http", "https"} or not urlsplit(target).netloc:
            raise RefusedError("redirect_uri 参数错误")
        if query.get("response_type") != "code":
            raise RefusedError("response_type 参数错误")
        if query.get("scope") not in SCOPES:
            raise RefusedError("scope 参数错误")
        if len(state) > MOST_STATE_BYTES or (state and not (state.isascii() and state.isalnum())):
            raise RefusedError("state 参数错误")
        return account, target

    def _shown(self, *, wrong: str, asks: str, status: int = 200) -> web.Response:
        html = self._page.render(wrong=wrong, asks=asks)
        return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)

    async def access_token(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("grant_type") != "authorization_code":
            raise ApiError(40002)
        account = self._wechat.tokens.holder(query.get("appid", ""), query.get("secret", ""))
        return told(self._wechat.logins.redeem(account, query.get("code", "")))

    async def refresh_token(self, request: web.Request) -> web.Response:
        query = request.query
        if query.get("grant_type") != "refresh_token":
            raise ApiError(40002)
        return told(self._wechat.logins.refresh(query.get("appid", ""), query.get("refresh_token", "")))

    async def auth(self, request: web.Request) -> web.Response:
        self._wechat.logins.owner(request.query.get("access_token", ""), request.query.get("openid", ""))
        return done()

    async def userinfo(self, request: web.Request) -> web.Response:
        query = request.query
        login = self._wechat.logins.owner(query.get("access_token", ""), query.get("openid", ""))
        if login.scope == BASE:
            raise ApiError(48001, "the citizen was not asked: scope snsapi_base")
        known: dict[str, object] = {"openid": login.phone.openid, "nickname": login.phone.nickname, "sex": 0}
        known |= {"province": "", "city": "", "country": "", "headimgurl": "", "privilege": []}
        return told(known | {"unionid": login.phone.unionid} if login.phone.unionid else known)


def _with(target: str, more: dict[str, str]) -> str:
    """The address with these parameters after its own."""
    parts = urlsplit(target)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(more))))))
