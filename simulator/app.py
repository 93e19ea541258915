"""Builds the simulator: an aiohttp application that plays WeChat towards any bot."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from simulator import push
from simulator.accounts import Account
from simulator.api import Api
from simulator.clock import Clock, wall_clock
from simulator.pay import Pay
from simulator.pay_door import PayDoor
from simulator.pay_keys import Merchant
from simulator.pay_page import PayPage
from simulator.phone import PhonePage
from simulator.refusals import RefusedError
from simulator.register_door import Institutions
from simulator.script import Script
from simulator.script_faults import FaultScript
from simulator.script_notices import NoticeScript
from simulator.script_texts import TextScript
from simulator.store import Store
from simulator.texts import Texts
from simulator.wechat import Rules, WeChat
from simulator.windows import Limits

MOST_BODY_BYTES = 64 * 1024

# For programs that fill the platform, and add institutions, before it is served.
WECHAT = web.AppKey("wechat", WeChat)
INSTITUTIONS = web.AppKey("institutions", Institutions)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(
    accounts: Sequence[Account],
    *,
    clock: Clock = wall_clock,
    store: Path | None = None,
    rules: Rules | None = None,
    retry_s: float | None = None,
    limits: Limits | None = None,
) -> web.Application:
    """The application. `rules` are all figures, `retry_s` and `limits` stand for the ones most often changed.

    `store` is the file that survives a restart. Raises ValueError for an account the platform would refuse.
    """
    rules = rules or Rules()
    rules = replace(rules, retry_s=retry_s or rules.retry_s, limits=limits or rules.limits)
    wechat = WeChat(accounts, clock, rules)
    app = web.Application(middlewares=[refusing], client_max_size=MOST_BODY_BYTES)
    app[WECHAT] = wechat
    api = Api(wechat)
    app.add_routes(api.routes())
    app.add_routes(Script(wechat).routes())
    app.add_routes(NoticeScript(wechat).routes())
    app.add_routes(FaultScript(wechat, api.names()).routes())
    texts = Texts(clock, wechat.people, wechat.live)
    app[INSTITUTIONS] = Institutions(texts, clock)
    app.add_routes(app[INSTITUTIONS].routes())
    app.add_routes(TextScript(wechat, texts).routes())
    app.add_routes(PhonePage(wechat, texts).routes())

    app.cleanup_ctx.append(_lifetime(wechat, Store(store, wechat) if store is not None else None, texts))

    async def stop(_app: web.Application) -> None:
        await wechat.close()

    app.on_shutdown.append(stop)
    return app


def play_pay(
    app: web.Application, merchant: Merchant, *, books: Path | None = None, factor: float = 1.0
) -> Pay:
    """Play WeChat Pay for a merchant, too; `books` outlive it, `factor` scales the waits of notices."""
    wechat = app[WECHAT]
    pay = Pay(wechat, merchant, books, factor)
    app.add_routes([*PayDoor(pay).routes(), *PayPage(wechat, pay).routes()])
    wechat.wallet = pay.balance

    async def telling(_app: web.Application) -> AsyncIterator[None]:
        async with push.session() as http:
            pay.teller.open(http)
            yield
            await wechat.close()

    app.cleanup_ctx.append(telling)
    return pay


def _lifetime(
    wechat: WeChat, keeper: Store | None, texts: Texts
) -> Callable[[web.Application], AsyncIterator[None]]:
    """What lasts as long as the application: connections, the file, a quiet log."""

    async def lifetime(_app: web.Application) -> AsyncIterator[None]:
        server_log = logging.getLogger("aiohttp.server")
        server_log.addFilter(_without_traceback)
        try:
            async with push.session() as http:
                wechat.open(http)
                if keeper:
                    keeper.open()
                    texts.restore(wechat.people.everyone())
                yield
                await wechat.close()
                if keeper:
                    await keeper.close()
        finally:
            server_log.removeFilter(_without_traceback)

    return lifetime


@web.middleware
async def refusing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals become JSON; a page of another site may not act for a citizen."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return web.json_response({"error": "this API is not for other sites' pages"}, status=403)
    try:
        return await handler(request)
    except RefusedError as no:
        return web.json_response({"error": str(no)}, status=400)
    except web.HTTPRequestEntityTooLarge:
        return web.json_response({"error": f"the body may have {MOST_BODY_BYTES} bytes"}, status=413)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Drop the traceback that aiohttp logs for a request that is no HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
