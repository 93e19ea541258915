"""The phone page: WeChat's chat screen in a browser, kept up to date over a WebSocket."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from aiohttp import web

from simulator import acts, menus
from simulator.accounts import Account
from simulator.people import Phone, Standing
from simulator.refusals import ApiError
from simulator.script import number_in, openid_in
from simulator.texts import Texts
from simulator.wechat import WeChat

HERE = Path(__file__).parent
ENTRIES_AT_ONCE = 100
HEARTBEAT_S = 20.0
NEWEST = 2**63

HEADERS = {
    # Pictures and the in-page web view come from wherever the bot's links point.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: http: https:; frame-src http: https:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class PhonePage:
    """Serves the page, its feed, and what the citizen does on it."""

    def __init__(self, wechat: WeChat, texts: Texts) -> None:
        self._wechat = wechat
        self._texts = texts
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._page = templates.get_template("phone.html")

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.front),
            web.get("/phone", self.page),
            web.get("/phone/feed", self.feed),
            web.get("/phone/history", self.history),
            web.post("/phone/acts", self.act),
            web.get("/phone/media/{account}/{media_id}", self.medium),
            web.static("/phone/static", HERE / "static"),
        ]

    async def front(self, _request: web.Request) -> web.Response:
        raise web.HTTPFound("/phone")

    async def page(self, request: web.Request) -> web.Response:
        accounts = self._wechat.accounts
        chosen = self._wechat.account(request.query.get("account") or next(iter(accounts)))
        for name in ("openid", "second"):
            if request.query.get(name):
                openid_in(request, name)
        names = msgspec.json.encode({account.key: account.name for account in accounts.values()}).decode()
        ways = msgspec.json.encode(self._wechat.ways).decode()
        html = self._page.render(
            account=chosen, accounts=names, ways=ways, gates=self._wechat.ways.get("gates")
        )
        return web.Response(text=html, content_type="text/html", headers=HEADERS)

    async def act(self, request: web.Request) -> web.Response:
        """The citizen does something; the feed, not this answer, shows what comes of it."""
        self._wechat.act(acts.parse(await request.read()))
        return web.json_response({}, status=202)

    async def history(self, request: web.Request) -> web.Response:
        """Older entries, for who scrolls up."""
        account = self._wechat.account(request.query.get("account", ""))
        phone = self._wechat.people.find(account.key, openid_in(request))
        before = number_in(request, "before", NEWEST, NEWEST)
        older = phone.before(before, ENTRIES_AT_ONCE) if phone else ()
        return web.json_response([entry.as_json() for entry in older])

    async def medium(self, request: web.Request) -> web.Response:
        """A file that the bot uploaded, for the phone to show."""
        account = self._wechat.account(request.match_info["account"])
        try:
            medium = self._wechat.media.find(account.key, request.match_info["media_id"])
        except ApiError as no:
            raise web.HTTPNotFound from no
        return web.Response(body=medium.data, content_type=medium.content_type, headers=HEADERS)

    async def feed(self, request: web.Request) -> web.WebSocketResponse:
        """Entries after the id `after`, then each change as it happens."""
        account = self._wechat.account(request.query.get("account", ""))
        after = number_in(request, "after", 0, NEWEST)
        phone = self._wechat.people.meet(account.key, openid_in(request), Standing.VISITOR)
        with self._wechat.live.watching(phone) as bell:
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=1024, compress=False)
            await socket.prepare(request)
            listener = asyncio.create_task(_listen(socket, bell))
            try:
                await self._tell(socket, bell, account, phone, after)
            finally:
                listener.cancel()
                with suppress(asyncio.CancelledError):
                    await listener
                await socket.close()
        return socket

    async def _tell(
        self, socket: web.WebSocketResponse, bell: asyncio.Event, account: Account, phone: Phone, after: int
    ) -> None:
        told: dict[str, Any] = {}
        while not (socket.closed or self._wechat.live.closing):
            bell.clear()
            newer = phone.after(after) if after else phone.before(NEWEST, ENTRIES_AT_ONCE)
            state = self._state(account, phone)
            if newer or state != told:
                with suppress(ConnectionError):
                    await socket.send_json({"state": state, "entries": [entry.as_json() for entry in newer]})
            after = newer[-1].number if newer else after
            told = state
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wechat.live.typing_left(phone) or None):
                    await bell.wait()

    def _state(self, account: Account, phone: Phone) -> dict[str, Any]:
        menu = self._wechat.menus.get(account.key)
        return {
            "follows": phone.follows,
            "nickname": phone.nickname,
            "typing": self._wechat.live.is_typing(phone),
            "menu": menus.as_json(menu)["menu"] if menu else None,
            "subscriptions": self._wechat.notifier.credits(account, phone),
            "number": phone.number,
            "wallet": self._wechat.wallet(phone),
            "texts": [each.as_json() for each in self._texts.seen_by(phone)],
        }


async def _listen(socket: web.WebSocketResponse, bell: asyncio.Event) -> None:
    """The page has nothing to say, but reading is how its closing is noticed."""
    async for _ in socket:
        pass
    bell.set()
