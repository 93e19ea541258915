"""Nonces of the last ten minutes, known to every process: what was signed once is heard once."""

import hashlib

from core.stores.redis import Redis, Script

KEPT_MS = 600_000
_FIRST = Script(f"return redis.call('SET', KEYS[1], '1', 'NX', 'PX', {KEPT_MS}) and 1 or 0")
_FORGET = Script("return redis.call('DEL', KEYS[1])")


class Nonces:
    """Whose nonces they are is part of each key; `StoreGoneError` where nobody can tell."""

    def __init__(self, redis: Redis, whose: str) -> None:
        self._redis = redis
        self._whose = whose

    async def first(self, nonce: str) -> bool:
        """Note a nonce; False where it was there before."""
        return bool(await self._redis.run(_FIRST, (self._key(nonce),), ()))

    async def forget(self, nonce: str) -> None:
        """Let it come again."""
        await self._redis.run(_FORGET, (self._key(nonce),), ())

    def _key(self, nonce: str) -> str:
        return f"bm:nonce:{self._whose}:{hashlib.sha256(nonce.encode()).hexdigest()}"
