"""Program (b'): the usual one with de-duplication, a lock per user and a log line."""

import json
import logging
import time

import redis.asyncio
from aiohttp import web
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.messages import BaseMessage

from bench.webhook.plan import PATH, Plan, counted
from bench.webhook.programs.serving import serve

SESSION_S = 86_400
REPLY_S = 60
LOCK_S = 5
_FRESH_S = 300
_PENDING = b"pending"
_log = logging.getLogger("careful")


class Careful:
    """The handler and what it needs, made once."""

    def __init__(self, plan: Plan, store: "redis.asyncio.Redis") -> None:
        self._crypto = WeChatCrypto(plan.token, plan.aes_key, plan.appid)
        self._redis = store

    async def handle(self, request: web.Request) -> web.Response:
        """Decrypt, run once and in order for this user, answer."""
        began = time.perf_counter()
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
        said = await self._once(message)
        if said is None:
            return web.Response(text="success")
        encrypted = self._crypto.encrypt_message(create_reply(said, message).render(), nonce, timestamp)
        _log.info(
            "answered id=%s type=%s ms=%.1f",
            message.id,
            message.type,
            (time.perf_counter() - began) * 1000,
        )
        return web.Response(text=encrypted, content_type="application/xml")

    async def _once(self, message: BaseMessage) -> str | None:
        """Answer a message that comes again with the stored reply; None while the first is at work."""
        key = f"careful:message:{message.id}"
        if not await self._redis.set(key, _PENDING, nx=True, ex=REPLY_S):
            stored = await self._redis.get(key)
            return str(stored, "utf-8") if isinstance(stored, bytes) and stored != _PENDING else None
        async with self._redis.lock(
            f"careful:lock:{message.source}", timeout=LOCK_S, sleep=0.01, blocking_timeout=LOCK_S
        ):
            return await self._count(message.source, key)

    async def _count(self, openid: str, reply_key: str) -> str:
        key = f"careful:session:{openid}"
        stored = await self._redis.get(key)
        session = json.loads(stored) if stored else {"count": 0}
        session["count"] += 1
        said = counted(session["count"])
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, json.dumps(session), ex=SESSION_S)
            pipe.set(reply_key, said, ex=REPLY_S)
            await pipe.execute()
        return said


async def build(plan: Plan) -> web.Application:
    """Make the application."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    store = redis.asyncio.Redis.from_url(plan.redis_url)
    app = web.Application()
    app.router.add_post(PATH, Careful(plan, store).handle)

    async def close(_app: web.Application) -> None:
        await store.aclose()

    app.on_cleanup.append(close)
    return app


if __name__ == "__main__":
    serve(build)
