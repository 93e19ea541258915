"""The calls about citizens, and the QR codes that bring them."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator import qrcodes
from simulator.accounts import Account
from simulator.desk import Call, Desk, told
from simulator.payload import read_object
from simulator.people import Phone
from simulator.refusals import ApiError
from simulator.wechat import WeChat

MOST_AT_ONCE = 100
NOT_FOUND = 404
Ask = Annotated[str, Meta(max_length=128)]


class _One(msgspec.Struct, frozen=True):
    openid: Ask
    lang: Ask = "zh_CN"


class UserApi:
    """`user/info`, `user/info/batchget`, `qrcode/create` and the pictures of QR codes."""

    def __init__(self, wechat: WeChat, desk: Desk) -> None:
        self._wechat = wechat
        self._desk = desk

    def calls(self) -> list[Call]:
        return [
            Call("GET", "/cgi-bin/user/info", self.info),
            Call("POST", "/cgi-bin/user/info/batchget", self.batch),
            Call("POST", "/cgi-bin/qrcode/create", self.create_code),
        ]

    async def info(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        return told(
            self._about(account, request.query.get("openid", ""), request.query.get("lang") or "zh_CN")
        )

    async def batch(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        try:
            asked = msgspec.convert(read_object(await request.read()).get("user_list"), list[_One])
        except msgspec.ValidationError as wrong:
            raise ApiError(47001, str(wrong)) from wrong
        if not 1 <= len(asked) <= MOST_AT_ONCE:
            raise ApiError(40032, f"1 to {MOST_AT_ONCE}")
        return told({"user_info_list": [self._about(account, one.openid, one.lang) for one in asked]})

    async def create_code(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        wish = qrcodes.parse(await request.read())
        code = self._wechat.make_code(account, wish)
        lasts = {} if wish.life_s is None else {"expire_seconds": wish.life_s}
        return told({"ticket": code.ticket, **lasts, "url": code.url})

    async def show_code(self, request: web.Request) -> web.Response:
        """The picture, for whoever has the ticket."""
        code = self._wechat.codes.find(request.query.get("ticket", ""))
        if code is None:
            return web.Response(status=NOT_FOUND, text="no such ticket")
        name = self._wechat.accounts[code.account].name
        return web.Response(text=qrcodes.picture(code, name), content_type="image/svg+xml")

    def _about(self, account: Account, openid: str, language: str) -> dict[str, object]:
        phone = self._wechat.people.find(account.key, openid)
        if phone is None:
            raise ApiError(40003)
        return _known(phone, language) if phone.follows else {"subscribe": 0, "openid": openid}


def _known(phone: Phone, language: str) -> dict[str, object]:
    numbered = phone.scene.isascii() and phone.scene.isdecimal()
    known: dict[str, object] = {
        "subscribe": 1,
        "openid": phone.openid,
        "language": language,
        "subscribe_time": int(phone.followed_at),
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if phone.scene else "ADD_SCENE_SEARCH",
        "qr_scene": int(phone.scene) if numbered else 0,
        "qr_scene_str": "" if numbered else phone.scene,
    }
    return known | {"unionid": phone.unionid} if phone.unionid else known
