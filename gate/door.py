"""The virtual gate over HTTP, on this machine alone: a code is posted as text or as a picture; a screen."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from string import Template

import aiohttp
import msgspec
import structlog
from aiohttp import web

from gate.code import LONGEST_TEXT, Refused
from gate.picture import MOST_BYTES, text_in
from gate.screen import HERE, Screen, Shown
from gate.settings import Settings, is_loopback
from gate.signing import Device
from gate.upload import Uploader

_LONG_POLL_S = 20.0
_PICTURES = frozenset({"image/png", "image/jpeg"})
_NO_STORE = {"Cache-Control": "no-store"}
_log = structlog.get_logger("gate")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Posted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str


class Door:
    """What the page and other pages ask."""

    def __init__(self, screen: Screen, settings: Settings, back: str = "") -> None:
        """`back` is where other gates of this machine are to be found."""
        self._screen = screen
        self._settings = settings
        self._back = back
        self._looked = ""
        self.opened = asyncio.Event()  # set for who uploads
        self._last = (0, Shown(False, "", screen.words.ready["idle"]))
        self._shown_at = -math.inf  # of the loop's clock
        self._changed = asyncio.Condition()

    def routes(self) -> list[web.RouteDef]:
        """GET / is the screen, GET /last what it shows, POST /check a code, POST /look what a camera sees."""
        return [
            web.get("/", self._page),
            web.get("/last", self._latest),
            web.post("/check", self._check),
            web.post("/look", self._look),
            web.options("/check", self._may_check),
        ]

    async def _page(self, _request: web.Request) -> web.Response:
        words = self._screen.words.ready["idle"]
        page = Template((HERE / "screen.html").read_text("utf-8"))
        back = f'<a href="{plain(self._back)}">换一台闸机</a>' if self._back else ""
        text = page.substitute(place=plain(self._settings.place), idle=plain(words), back=back)
        return web.Response(text=text, content_type="text/html", headers=_NO_STORE)

    async def _latest(self, request: web.Request) -> web.Response:
        """What is shown, as soon as it is not number `after` any more; and for how long it has been."""
        after = request.query.get("after", "")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONG_POLL_S), self._changed:
                await self._changed.wait_for(lambda: str(self._last[0]) != after)
        number, shown = self._last
        age_s = asyncio.get_running_loop().time() - self._shown_at
        return _json({"number": number, "shown": shown, "age_s": age_s if number else None})

    async def _check(self, request: web.Request) -> web.Response:
        try:
            text = await self._text(request)
        except Refused as refused:
            shown = self._screen.refused(refused)
        else:
            shown = await asyncio.to_thread(self._screen.show, text)
        await self._show(shown)
        return _json(shown, self._sharing(request))

    async def _look(self, request: web.Request) -> web.Response:
        """What a camera sees, again and again: no code is nothing, and one that stays there is shown once."""
        if request.content_type not in _PICTURES:
            raise web.HTTPUnsupportedMediaType
        try:
            text = await asyncio.to_thread(text_in, await request.read())
        except Refused:
            return web.Response(status=204)
        if text == self._looked:
            return web.Response(status=204)
        self._looked = text
        shown = await asyncio.to_thread(self._screen.show, text)
        await self._show(shown)
        return _json(shown)

    async def _show(self, shown: Shown) -> None:
        """Let the screen show it; who is let through is told to the server soon."""
        _log.info("shown", open=shown.open, reason=shown.reason, seq=shown.seq, detail=shown.detail)
        if shown.open:
            self.opened.set()
        async with self._changed:
            self._last = (self._last[0] + 1, shown)
            self._shown_at = asyncio.get_running_loop().time()
            self._changed.notify_all()

    async def _text(self, request: web.Request) -> str:
        """The text of the code that was posted."""
        body = await request.read()
        if request.content_type in _PICTURES:
            return await asyncio.to_thread(text_in, body)
        if len(body) > 2 * LONGEST_TEXT:
            raise web.HTTPRequestEntityTooLarge(2 * LONGEST_TEXT, len(body))
        if request.content_type == "application/json":
            try:
                return msgspec.json.decode(body, type=_Posted).code
            except msgspec.DecodeError as wrong:
                raise web.HTTPBadRequest(text=f"{wrong}\n") from wrong
        return body.decode("ascii", errors="replace")

    async def _may_check(self, request: web.Request) -> web.Response:
        """What a browser asks before a page of another address may post JSON or a picture."""
        headers = self._sharing(request)
        if headers:
            headers |= {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "Content-Type",
            }
        return web.Response(status=204, headers=headers)

    def _sharing(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get("Origin", "")
        if origin not in self._settings.serve.origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def build(screen: Screen, settings: Settings, device: Device | None, back: str = "") -> web.Application:
    """The application; with a `device` it uploads and refreshes its trust as long as it runs."""
    app = web.Application(middlewares=[only_this_machine], client_max_size=MOST_BYTES + 1)
    door = Door(screen, settings, back)
    app.add_routes(door.routes())
    if device is not None:
        app.cleanup_ctx.append(_uploading(screen, device, door.opened))
    return app


def _uploading(
    screen: Screen, device: Device, opened: asyncio.Event
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def lifetime(_app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as http:
            working = asyncio.create_task(Uploader(screen.gate, device, http).keep_on(opened))
            yield
            working.cancel()
            await asyncio.wait([working])

    return lifetime


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A name that somebody else's page gave to this machine's address opens nothing."""
    if not is_loopback(request.host.rpartition(":")[0].strip("[]") or request.host):
        raise web.HTTPForbidden(text="this gate answers on this machine alone\n")
    return await handler(request)


def _json(content: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content),
        content_type="application/json",
        headers=_NO_STORE | (headers or {}),
    )


def plain(text: str) -> str:
    """Text that stands in HTML as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
