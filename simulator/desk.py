"""Where every call of a bot arrives: faults strike here, callers are known here, refusals become answers."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from simulator.accounts import Account
from simulator.faults import Fault
from simulator.payload import read_object
from simulator.refusals import ApiError
from simulator.wechat import WeChat

PREFIX = "/cgi-bin/"
Handler = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]

_HEADERS = {"Content-Type": "application/json; charset=utf-8"}
_encode = msgspec.json.Encoder().encode
_OK = b'{"errcode":0,"errmsg":"ok"}'


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API."""

    method: str
    path: str
    handler: Handler

    @property
    def name(self) -> str:
        """As quotas and faults name it."""
        return name_of(self.path)


def name_of(path: str) -> str:
    return path.removeprefix(PREFIX).removeprefix("/")


def told(answer: object) -> web.Response:
    return web.Response(body=_encode(answer), headers=_HEADERS)


def done() -> web.Response:
    return web.Response(body=_OK, headers=_HEADERS)


class Desk:
    """What all calls have in common. HTTP 200 always; what went wrong stands in `errcode`."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    def caller(self, request: web.Request) -> Account:
        """Who calls, known by the token; the call counts against the account's quota."""
        account = self._wechat.tokens.owner(request.query.get("access_token", ""))
        self._wechat.quotas.count(account.key, name_of(request.path))
        return account

    def routes(self, calls: Sequence[Call]) -> list[web.RouteDef]:
        defined = [web.route(call.method, call.path, self._guarded(call)) for call in calls]
        wrong = [web.route("*", call.path, self.answering(_wrong_method(call.method))) for call in calls]
        return [*defined, *wrong]

    def answering(self, handler: Handler) -> Handler:
        """Turns refusals into WeChat's answers."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except ApiError as no:
                return _refusal(no)
            except web.HTTPRequestEntityTooLarge:
                return _refusal(ApiError(45002, f"at most {request.client_max_size} bytes"))

        return answer

    def _guarded(self, call: Call) -> Handler:
        faults, name = self._wechat.faults, call.name
        answering = self.answering(call.handler)

        async def answer(request: web.Request) -> web.StreamResponse:
            if faults.standing:
                body = await request.read() if call.path.endswith("/stable_token") else b""
                fault = faults.strike(name, lambda: self._whose(request, body))
                if fault is not None:
                    return await self._struck(fault, request, call.handler)
            return await answering(request)

        return answer

    async def _struck(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        if fault.errcode is not None:
            return _refusal(ApiError(fault.errcode, "a fault that was asked for"))
        if fault.status is not None:
            return web.Response(status=fault.status, text="a fault that was asked for")
        if fault.latency_s is not None:
            late = self.answering(_late(fault.latency_s, handler))
            # Who gives up waiting is served all the same.
            return await asyncio.shield(self._wechat.aside(late(request)))
        if fault.cut == "after":
            await self.answering(handler)(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _whose(self, request: web.Request, body: bytes) -> str:
        """The key of the account that a call is for; "" if it names none that is known."""
        try:
            token = request.query.get("access_token", "")
            if token:
                return self._wechat.tokens.owner(token).key
            appid = request.query.get("appid") or (read_object(body).get("appid") if body else "")
        except ApiError:
            return ""
        return next((one.key for one in self._wechat.accounts.values() if one.appid == appid), "")


def _refusal(no: ApiError) -> web.Response:
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return told({"errcode": no.code, "errmsg": f"{no.message} rid: {rid}"})


def _late(latency_s: float, handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        if not request.content_type.startswith("multipart/"):
            await request.read()  # as long as there is somebody at the other end
        await asyncio.sleep(latency_s)
        return await handler(request)

    return answer


def _wrong_method(method: str) -> Handler:
    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise ApiError(43001 if method == "GET" else 43002)

    return refuse
