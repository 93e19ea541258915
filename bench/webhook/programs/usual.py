"""Program (b): what people write with aiohttp, wechatpy and redis; counts in a session, guards nothing."""

import json
import time

import redis.asyncio
from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException

from bench.webhook.plan import PATH, Plan, counted
from bench.webhook.programs.serving import serve

SESSION_S = 86_400
_FRESH_S = 300


class Usual:
    """The handler and what it needs, made once."""

    def __init__(self, plan: Plan, store: "redis.asyncio.Redis") -> None:
        self._crypto = WeChatCrypto(plan.token, plan.aes_key, plan.appid)
        self._redis = store

    async def handle(self, request: web.Request) -> web.Response:
        """Decrypt, count, answer."""
        query = request.query
        timestamp, nonce = query["timestamp"], query["nonce"]
        if abs(time.time() - int(timestamp)) > _FRESH_S:
            return web.Response(status=403)
        try:
            clear = self._crypto.decrypt_message(
                await request.text(), query["msg_signature"], timestamp, nonce
            )
        except (InvalidSignatureException, InvalidAppIdException):
            return web.Response(status=403)
        message = parse_message(clear)
        reply = create_reply(await self._count(message.source), message)
        encrypted = self._crypto.encrypt_message(reply.render(), nonce, timestamp)
        return web.Response(text=encrypted, content_type="application/xml")

    async def _count(self, openid: str) -> str:
        key = f"usual:session:{openid}"
        stored = await self._redis.get(key)
        session = json.loads(stored) if stored else {"count": 0}
        session["count"] += 1
        await self._redis.set(key, json.dumps(session), ex=SESSION_S)
        return counted(session["count"])


async def build(plan: Plan) -> web.Application:
    """Make the application."""
    store = redis.asyncio.Redis.from_url(plan.redis_url)
    app = web.Application()
    app.router.add_post(PATH, Usual(plan, store).handle)

    async def close(_app: web.Application) -> None:
        await store.aclose()

    app.on_cleanup.append(close)
    return app


if __name__ == "__main__":
    serve(build)
