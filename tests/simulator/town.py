"""A town for tests: the simulator, and a bot on the other side that speaks through wechatpy."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from wechatpy.crypto import WeChatCrypto
from wechatpy.messages import BaseMessage
from wechatpy.parser import parse_message
from wechatpy.replies import BaseReply, TextReply

from simulator.accounts import Account
from simulator.app import build
from simulator.wechat import Rules
from simulator.windows import Limits

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CITIZEN = "oCity-citizen_0001"


class MovableClock:
    """Two days pass in no time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **by: float) -> None:
        self.now += timedelta(**by)


def account(webhook_url: str, mode: str = "safe", key: str = "city") -> Account:
    return Account(
        key=key,
        name="云汀便民",
        original_id=f"gh_{key}000000",
        appid=f"wx{key}0123456789",
        secret=f"secret-{key}",
        token="TokenOfTheCity",
        aes_key="" if mode == "plain" else AES_KEY,
        mode=mode,
        webhook_url=webhook_url,
    )


@dataclass
class Pushed:
    """One attempt as the bot saw it."""

    query: dict[str, str]
    body: bytes
    at: float


Answerer = Callable[[Pushed], Awaitable[web.StreamResponse]]


@dataclass
class Bot:
    """A bot of someone else's: it knows its own console settings and wechatpy, nothing of the simulator."""

    account: Account
    server: TestServer
    pushes: list[Pushed] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    answer: Answerer | None = None

    @property
    def crypto(self) -> WeChatCrypto:
        return WeChatCrypto(self.account.token, self.account.aes_key, self.account.appid)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        pushed = Pushed(dict(request.query), await request.read(), asyncio.get_running_loop().time())
        if request.method == "GET":
            return web.Response(text=pushed.query.get("echostr", ""))
        async with self.arrived:
            self.pushes.append(pushed)
            self.arrived.notify_all()
        return web.Response(text="success") if self.answer is None else await self.answer(pushed)

    async def has_been_pushed(self, times: int) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.pushes) >= times)

    def clear(self, pushed: Pushed) -> str:
        """The clear XML of a push, as this account's mode brings it."""
        if self.account.mode == "plain":
            return pushed.body.decode()
        query = pushed.query
        return str(
            self.crypto.decrypt_message(
                pushed.body.decode(), query["msg_signature"], query["timestamp"], query["nonce"]
            )
        )

    def message(self, pushed: Pushed) -> BaseMessage:
        return parse_message(self.clear(pushed))

    def sealed(self, xml: str) -> str:
        return (
            xml if self.account.mode == "plain" else str(self.crypto.encrypt_message(xml, "n1", "1700000000"))
        )

    def replies(self, make: Callable[[BaseMessage], BaseReply]) -> None:
        """Answer each push with what `make` builds."""

        async def answer(pushed: Pushed) -> web.StreamResponse:
            return web.Response(text=self.sealed(make(self.message(pushed)).render()))

        self.answer = answer

    def says(self, content: str) -> None:
        self.replies(lambda message: TextReply(message=message, content=content))

    def answers_raw(self, *answers: web.Response) -> None:
        """Answer the first push with the first, and so on; the last one again and again."""
        left = list(answers)

        async def answer(_pushed: Pushed) -> web.StreamResponse:
            planned = left.pop(0) if len(left) > 1 else left[0]
            return web.Response(status=planned.status, body=planned.body, headers=planned.headers)

        self.answer = answer


@dataclass
class Town:
    """One account, its bot, and the phones of its citizens."""

    bot: Bot
    client: TestClient[web.Request, web.Application]
    clock: MovableClock

    async def act(self, *, openid: str = CITIZEN, **what: Any) -> dict[str, Any]:
        """A citizen does something; the result of the push."""
        body = {"account": "city", "openid": openid} | what
        async with self.client.post("/sim/messages", json=body) as response:
            result: dict[str, Any] = await response.json()
            assert response.status == 200, result
            return result

    async def say(self, content: str, openid: str = CITIZEN) -> dict[str, Any]:
        return await self.act(type="text", content=content, openid=openid)

    async def event(self, event: str, key: str | None = None, openid: str = CITIZEN) -> dict[str, Any]:
        keyed = {} if key is None else {"event_key": key}
        return await self.act(type="event", event=event, openid=openid, **keyed)

    async def inbox(self, openid: str = CITIZEN, **query: str) -> list[dict[str, Any]]:
        params = {"account": "city", "openid": openid} | query
        async with self.client.get("/sim/inbox", params=params) as response:
            received: list[dict[str, Any]] = await response.json()
            assert response.status == 200, received
            return received

    async def on_screen(self, openid: str = CITIZEN) -> list[str]:
        return [
            f"{entry['kind']}: {entry.get('content', entry['type'])}" for entry in await self.inbox(openid)
        ]

    async def refused(self, method: str, path: str, **request: Any) -> str:
        """The sentence of a refusal."""
        async with self.client.request(method, path, **request) as response:
            assert response.status == 400, await response.text()
            return str((await response.json())["error"])

    async def post(self, path: str, body: Any) -> Any:
        async with self.client.post(path, json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def get(self, path: str, **query: str) -> Any:
        async with self.client.get(path, params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def token(self) -> str:
        mine = self.bot.account
        answer = await self.get(
            "/cgi-bin/token", grant_type="client_credential", appid=mine.appid, secret=mine.secret
        )
        return str(answer["access_token"])

    async def call(self, path: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
        """A call of the bot's to the platform's API; bodies go out as raw UTF-8."""
        query = {"access_token": await self.token() if token is None else token}
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        method = "GET" if body is None else "POST"
        async with self.client.request(
            method, path, params=query, data=raw if body is not None else None
        ) as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
            return answer

    async def send(self, content: str = "通知", openid: str = CITIZEN) -> int:
        """A customer-service text; the error code."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        answer = await self.call("/cgi-bin/message/custom/send", body)
        return int(answer["errcode"])


async def start_bot(mode: str) -> Bot:
    app = web.Application()
    server = TestServer(app)
    bot = Bot(account("http://placeholder.invalid/"), server)

    async def hook(request: web.Request) -> web.StreamResponse:
        return await bot.handle(request)

    app.router.add_route("*", "/hook", hook)
    await server.start_server()
    bot.account = account(str(server.make_url("/hook")), mode)
    return bot


async def start_town(
    bot: Bot,
    clock: MovableClock,
    *,
    retry_s: float,
    store: Path | None = None,
    limits: Limits | None = None,
    rules: Rules | None = None,
) -> Town:
    app = build([bot.account], retry_s=retry_s, clock=clock, store=store, limits=limits, rules=rules)
    client: TestClient[web.Request, web.Application] = TestClient(TestServer(app))
    await client.start_server()
    return Town(bot, client, clock)
