"""WeChat's door: verify, decrypt, one Event in, one passive reply out (design 4)."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import StreamReader, web
from aiohttp.http import HttpProcessingError

from core.chat.events import Event
from core.chat.replies import Said
from core.clock import Clock
from core.errors import NotInTimeError, StoreGoneError
from core.metrics import Metrics
from core.seal import Seal
from webhooks.routes import Request, Route
from webhooks.wechat_envelope import AccountKeys, Envelope, Opened, close
from webhooks.wechat_events import event_of
from webhooks.wechat_refusals import FORBIDDEN, TIMED_OUT, TOO_LARGE, PushRefusedError
from webhooks.wechat_replies import render
from webhooks.wechat_xml import parse_mended
from webhooks.whole_answer import WholeAnswer

__all__ = ["MAX_BODY", "AccountKeys", "Porch", "Reception", "door"]

MAX_BODY = 64 * 1024
MAX_ECHO = 1024
BODY_S = 5.0  # WeChat itself gives up on a push after 5 s (wechat-facts 1.4)

_PAIR = re.compile("([^=&]+)=([^&]*)")
_SUCCESS = b"success"  # "no reply, and do not send this again"
_PLAIN = b"text/plain"
_XML = b"application/xml"

_log = structlog.get_logger("wechat")


class Reception(Protocol):
    """Who takes an account's events and says what to answer; its dispatcher, in the running program."""

    async def receive(self, event: Event, arrived: float) -> Said | None:
        """Answer an event whose request arrived at `arrived` (loop time); None means nothing to say.

        `StoreGoneError`, `NotInTimeError`: WeChat shall send the push again.
        """
        ...

    def give_up(self, event: Event, arrived: float, gone: StoreGoneError) -> Said:
        """What is said to an event that nothing may be done for, if no further attempt comes for it.

        `NotInTimeError`: WeChat shall send the push again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Porch:
    """What the doors of all accounts share; until `ready()` each of them answers 503.

    `bind` takes account, timestamp, nonce and body of a plain-mode push, whose signature does not cover the
    body; False if another body came with them before.
    """

    seal: Seal
    clock: Clock
    metrics: Metrics
    ready: Callable[[], bool]
    bind: Callable[[str, str, str, bytes], Awaitable[bool]]


def door(accounts: Iterable[tuple[AccountKeys, Reception]], porch: Porch) -> list[Route]:
    """Open `GET|POST /wechat/<account>` for each account."""
    routes: list[Route] = []
    for keys, reception in accounts:
        account = _AccountDoor(keys, reception, porch)
        path = f"/wechat/{keys.key}"
        routes.append(Route("GET", path, account.verify, who="wechat"))
        routes.append(Route("POST", path, account.push, who="wechat"))
    return routes


class _AccountDoor:
    """The door of one official account."""

    def __init__(self, keys: AccountKeys, reception: Reception, porch: Porch) -> None:
        self._account = keys.key
        self._original_id = keys.original_id
        self._envelope = Envelope(keys)
        self._reception = reception
        self._seal = porch.seal
        self._clock = porch.clock
        self._metrics = porch.metrics
        self._ready = porch.ready
        self._bind = porch.bind

    async def verify(self, request: Request) -> web.StreamResponse:
        """Answer WeChat's question whether this address is really ours."""
        if not self._ready():
            return web.Response(status=503)
        now = self._now()
        try:
            query = _query_of(request)
            self._envelope.check(query, now)
            echo = _echo_of(query)
            if not self._envelope.encrypted:  # who overheard this signature shall not send a message with it
                await self._use_up(query, b"")
        except Exception as trouble:  # noqa: BLE001 - told apart there
            return self._turned_away(trouble)
        return WholeAnswer(_PLAIN, echo, now)

    async def push(self, request: Request) -> web.StreamResponse:
        """Take one message or event, and answer it."""
        loop = asyncio.get_running_loop()
        arrived = loop.time()
        if not self._ready():
            return web.Response(status=503)
        try:
            query, body = _query_of(request), await _body_of(request)
            opened = self._envelope.open(query, body, self._now())
            event = event_of(parse_mended(opened.message), self._account, self._original_id, self._seal)
        except Exception as trouble:  # noqa: BLE001 - told apart there
            return self._turned_away(trouble)
        outcome = ""
        try:
            if opened.key is not None:
                said = await self._reception.receive(event, arrived)
            else:
                said = await self._received_plainly(event, arrived, query, body)
            response = self._answer(said, event, opened)
        except asyncio.CancelledError:
            outcome = "dropped"
            raise
        except Exception as trouble:  # noqa: BLE001 - told apart there
            outcome = "put_off" if isinstance(trouble, StoreGoneError | NotInTimeError) else "failed"
            return self._turned_away(trouble, event.id)
        else:
            outcome = "replied" if said is not None and said.type else "silent"
            return response
        finally:
            self._metrics.answered(self._account, event.kind, outcome, loop.time() - arrived)

    async def _received_plainly(
        self, event: Event, arrived: float, query: Mapping[str, str], body: bytes
    ) -> Said | None:
        """Answer a push whose signature says nothing of its body: only if no other body came with it."""
        try:
            await self._use_up(query, body)
        except StoreGoneError as gone:
            return self._reception.give_up(event, arrived, gone)
        return await self._reception.receive(event, arrived)

    async def _use_up(self, query: Mapping[str, str], body: bytes) -> None:
        """Let a signature that covers no body vouch for this one only."""
        if not await self._bind(self._account, query["timestamp"], query["nonce"], body):
            raise PushRefusedError("its signature came with another body before", FORBIDDEN)

    def _answer(self, said: Said | None, event: Event, opened: Opened) -> web.StreamResponse:
        now = self._now()
        reply = render(said, event, self._original_id) if said is not None else ""
        if not reply:
            return WholeAnswer(_PLAIN, _SUCCESS, now)
        return WholeAnswer(_XML, close(reply, opened, now).encode(), now)

    def _turned_away(self, trouble: Exception, event_id: str = "") -> web.Response:
        """Tell ourselves in one line why a request came no further, and the other side nothing."""
        which = {"event_id": event_id} if event_id else {}
        if isinstance(trouble, PushRefusedError):
            _log.warning("push_refused", account=self._account, reason=trouble.reason, status=trouble.status)
            return web.Response(status=trouble.status)
        if isinstance(trouble, StoreGoneError | NotInTimeError):
            _log.warning("push_put_off", account=self._account, why=str(trouble), **which)
            return web.Response(status=503)
        # A mistake of ours: aiohttp would answer it with a page of its own, in debug mode with the traceback.
        _log.exception("push_failed", account=self._account, exc_info=trouble, **which)
        return web.Response(status=500)

    def _now(self) -> int:
        return int(self._clock.timestamp())


def _query_of(request: Request) -> Mapping[str, str]:
    """The query, the first of each name; WeChat's own needs no decoding, which is most of the work."""
    raw = request.raw_path.partition("?")[2]
    if "%" in raw or "+" in raw:
        return request.query
    return dict(reversed(_PAIR.findall(raw)))


def _echo_of(query: Mapping[str, str]) -> bytes:
    echo = query.get("echostr", "")
    if not 0 < len(echo) <= MAX_ECHO:
        raise PushRefusedError("echostr missing or too long")
    return echo.encode(errors="replace")


async def _body_of(request: Request) -> bytes:
    """Read at most `MAX_BODY` bytes; too many, too slow or broken ones are a `PushRefusedError`."""
    content = request.content
    if (request.content_length or 0) > MAX_BODY:
        raise PushRefusedError("body over 64 KB", TOO_LARGE)
    try:
        if content.is_eof():  # all of it came with the headers: most pushes
            body = content.read_nowait()
        else:
            async with asyncio.timeout(BODY_S):
                body = await _read(content)
    except TimeoutError as slow:
        raise PushRefusedError("body did not arrive in time", TIMED_OUT) from slow
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError) as broken:
        raise PushRefusedError("body broken off or wrongly encoded") from broken
    if len(body) > MAX_BODY:
        raise PushRefusedError("body over 64 KB", TOO_LARGE)
    return body


async def _read(content: StreamReader) -> bytes:
    """Read to the end, or until it is clearly too much."""
    body = bytearray()
    while len(body) <= MAX_BODY and (chunk := await content.readany()):
        body += chunk
    return bytes(body)
