"""The calls for template messages and subscription notifications."""

from aiohttp import web

from simulator import notices
from simulator.desk import Call, Desk, done, told
from simulator.wechat import WeChat


class NoticeApi:
    """`message/template/send` and `message/subscribe/bizsend`."""

    def __init__(self, wechat: WeChat, desk: Desk) -> None:
        self._wechat = wechat
        self._desk = desk

    def calls(self) -> list[Call]:
        return [
            Call("POST", "/cgi-bin/message/template/send", self.template),
            Call("POST", "/cgi-bin/message/subscribe/bizsend", self.subscription),
        ]

    async def template(self, request: web.Request) -> web.Response:
        account = self._desk.caller(request)
        notice = notices.parse_template(await request.read())
        msgid = self._wechat.notifier.send_template(account, notice)
        return told({"errcode": 0, "errmsg": "ok", "msgid": msgid})

    async def subscription(self, request: web.Request) -> web.Response:
        """The answer has no id: that comes with the receipt."""
        account = self._desk.caller(request)
        self._wechat.notifier.send_subscription(account, notices.parse_subscription(await request.read()))
        return done()
