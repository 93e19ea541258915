"""What a plain-mode push was signed with, bound to what it said: its signature does not cover the body."""

import hashlib

from core.chat.durations import Durations, script
from core.stores.redis import Redis


class Digests:
    """Remembers the body of each signature for as long as a repetition of it would still be fresh."""

    def __init__(self, redis: Redis, durations: Durations | None = None) -> None:
        self._redis = redis
        self._bind = script("bind", durations or Durations())

    async def bind(self, account: str, timestamp: str, nonce: str, body: bytes) -> bool:
        """Bind a body to its signed timestamp and nonce; False if another body came with them before.

        `StoreGoneError`: nobody can tell, and nothing may be done for this push.
        """
        key = f"bm:{account}:d:{timestamp}:{nonce}"
        return bool(await self._redis.run(self._bind, (key,), (hashlib.sha256(body).digest(),)))
