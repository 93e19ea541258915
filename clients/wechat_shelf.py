"""The copy of an access token that all processes share: sealed in Redis, with a lock for who renews it."""

import msgspec
import structlog

from core.seal import Seal, SealBrokenError
from core.stores.redis import Redis, Script

_log = structlog.get_logger("wechat")

# The lock carries a random proof of its holder, and ends by itself if the holder dies.
_CLAIM = Script(
    """
    local mine = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
    return {redis.call('GET', KEYS[1]), mine and 1 or 0}
    """
)
_PUT = Script(
    """
    if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    redis.call('DEL', KEYS[2])
    return 1
    """
)
_RELEASE = Script(
    """
    if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
    return redis.call('DEL', KEYS[1])
    """
)


class Token(msgspec.Struct, frozen=True):
    """An access token and its times, in Unix seconds: renewed from `renew_at` on, dead at `expires_at`."""

    value: str
    renew_at: float
    expires_at: float


class Shelf:
    """The shared tokens of all accounts; each call may raise `StoreGoneError`.

    A `place` names the account and its appid, so that a changed appid never finds the token of the old one.
    """

    def __init__(self, redis: Redis, seal: Seal) -> None:
        self._redis = redis
        self._seal = seal

    async def claim(self, place: str, proof: str, for_s: float) -> tuple[Token | None, bool]:
        """The shared copy, and whether the caller now holds the lock (for `for_s` at the longest)."""
        sealed, mine = await self._redis.run(_CLAIM, _keys(place), (proof, int(for_s * 1000)))
        return self._opened(place, sealed) if sealed else None, bool(mine)

    async def put(self, place: str, proof: str, token: Token, for_s: float) -> None:
        """Share a token and free the lock; nothing happens if the lock has passed to somebody else."""
        sealed = self._seal.seal(msgspec.json.encode(token), _context(place))
        await self._redis.run(_PUT, _keys(place), (proof, sealed, max(1, int(for_s * 1000))))

    async def release(self, place: str, proof: str) -> None:
        """Free the lock without a new token, if it is still the caller's."""
        await self._redis.run(_RELEASE, _keys(place)[1:], (proof,))

    def _opened(self, place: str, sealed: bytes) -> Token | None:
        """What is on the shelf; something we cannot open is as good as nothing, and will be replaced."""
        try:
            return msgspec.json.decode(self._seal.open(sealed, _context(place)), type=Token)
        except (SealBrokenError, msgspec.DecodeError) as broken:
            _log.warning("shared access token cannot be read", place=place, why=str(broken))
            return None


def _keys(place: str) -> tuple[str, str]:
    return f"bm:{{{place}}}:token", f"bm:{{{place}}}:token-lock"


def _context(place: str) -> str:
    return f"token:{place}"
