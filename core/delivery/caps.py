"""How many messages of ours one citizen gets a day (domain-rules M6), counted in Redis."""

from core.clock import Clock, city_day
from core.stores.redis import Redis, Script

MOST_A_DAY = 8
_KEPT_S = 2 * 86_400

_COUNT = Script(
    """
    local n = redis.call('INCRBY', KEYS[1], ARGV[1])
    redis.call('EXPIRE', KEYS[1], ARGV[3])
    if n > tonumber(ARGV[2]) then
      redis.call('INCRBY', KEYS[1], -ARGV[1])
      return 0
    end
    return 1
    """
)


class Caps:
    """The counts of all conversations; each call may raise `StoreGoneError`."""

    def __init__(self, redis: Redis, clock: Clock, most: int = MOST_A_DAY) -> None:
        self._redis = redis
        self._clock = clock
        self._most = most

    async def take(self, conversation: str) -> bool:
        """Count one more message today; False, and nothing is counted, if that is too many."""
        return await self._count(conversation, 1)

    async def give_back(self, conversation: str) -> None:
        """Take one out of the count again that did not leave us."""
        await self._count(conversation, -1)

    async def _count(self, conversation: str, by: int) -> bool:
        key = f"bm:{{{conversation}}}:day:{city_day(self._clock.timestamp())}"
        return bool(await self._redis.run(_COUNT, (key,), (by, self._most, _KEPT_S)))
