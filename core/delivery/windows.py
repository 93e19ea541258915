"""How many messages of ours a conversation may still get, after its last sign of life (wechat-facts 2.2).

Windows are opened by reception's first script and counted here. A conversation nothing is known of may have
an open one all the same: Redis may have been wiped since.
"""

from collections.abc import Iterable

from core.chat.inbox import windows_key
from core.stores.redis import Redis, Script

# A send is allowed while any open window has messages left, and counts against all open ones.
_COUNT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'message', 'message_left', 'tap', 'tap_left')
local function left(ends, count)
  return tonumber(ends or 0) > now and tonumber(count) or 0
end
local message, tap = left(known[1], known[2]), left(known[3], known[4])
"""
_SPEND = Script(
    _COUNT
    + """
if message > 0 then redis.call('HINCRBY', KEYS[1], 'message_left', -1) end
if tap > 0 then redis.call('HINCRBY', KEYS[1], 'tap_left', -1) end
return 1
"""
)
_LOOK = Script(
    _COUNT
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  return -1
end
return (message > 0 or tap > 0) and 1 or 0
"""
)
_CLOSE = Script(
    """
redis.call('HSET', KEYS[1], 'message_left', 0, 'tap_left', 0)
return redis.call('EXPIRE', KEYS[1], 172800)
"""
)


class Windows:
    """The send windows of all conversations; each call may raise `StoreGoneError`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def is_open(self, conversation: str) -> bool | None:
        """Tell whether a message of ours may go out; None if nothing is known of any window."""
        answer = await self._redis.run(_LOOK, (windows_key(conversation),), ())
        return None if answer < 0 else bool(answer)

    async def spend(self, conversation: str) -> None:
        """Count one message of ours that left us."""
        await self._redis.run(_SPEND, (windows_key(conversation),), ())

    async def close(self, conversation: str) -> None:
        """Believe the platform, which says that no window is open; the citizen's next message opens one."""
        await self._redis.run(_CLOSE, (windows_key(conversation),), ())

    async def open_ones(self, conversations: Iterable[str]) -> list[str]:
        """Those of the conversations that have an open window."""
        return [each for each in conversations if await self.is_open(each)]
