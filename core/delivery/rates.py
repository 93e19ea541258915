"""How much an account may send: so many a second, so many a day, and nothing while an API is stopped.

All processes count in Redis; a wiped one counts from nothing, and WeChat says no in our place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import CITY_ZONE, Clock
from core.delivery.lanes import Lane
from core.stores.redis import Redis, Script

WINDOW, SUBSCRIPTION, TEMPLATE = "window", "subscription", "template"
USER_INFO = "user_info"  # no message, but counted like one
# What a certified account may do in a day (wechat-facts 3); nothing is documented for subscription notices.
USUAL_QUOTAS = {WINDOW: 500_000, SUBSCRIPTION: 100_000, TEMPLATE: 100_000, USER_INFO: 5_000_000}
BULK_SHARE = 60  # percent of a day's quota that notices to many may use
_ROOM = 20  # percent of a second's messages that notices to many leave to the others
_KEPT_S = 2 * 86_400

_SCRIPT = Script(
    """
    -- KEYS: what one account sent. ARGV: what, an API, how many, its rate a second, how many percent of that
    -- are left to others, the day, its quota, a template. "take", "give" back, or "stop" it for so many ms.
    local clock = redis.call('TIME')
    local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
    local what, api, wanted = ARGV[1], ARGV[2], tonumber(ARGV[3])
    local counted = 'n:' .. api .. ':' .. ARGV[6]
    if what == 'stop' then
      redis.call('HSET', KEYS[1], 'stop:' .. api, now + wanted)
      redis.call('EXPIRE', KEYS[1], KEPT_S)
      return {0, wanted, 1}
    elseif what == 'give' then
      redis.call('HINCRBY', KEYS[1], counted, -wanted)
      return {0, 0, 0}
    end
    local known = redis.call('HMGET', KEYS[1], 'stop:' .. api, 'stop:*', 'tokens', 'at', counted,
                             'stop:' .. api .. ':' .. ARGV[8])
    local stopped = math.max(tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(known[6] or 0))
    if stopped > now then
      return {0, stopped - now, 1}
    end
    local today = tonumber(ARGV[7]) - tonumber(known[5] or 0)
    if today <= 0 then
      return {0, -1, 1}
    end
    local rate = tonumber(ARGV[4])
    local gained = (now - tonumber(known[4] or now)) * rate / 1000
    local tokens = math.min(rate, tonumber(known[3] or rate) + gained)
    local granted = math.max(0, math.floor(math.min(wanted, today, tokens - rate * tonumber(ARGV[5]) / 100)))
    redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', now)
    if granted > 0 then
      redis.call('HINCRBY', KEYS[1], counted, granted)
      redis.call('EXPIRE', KEYS[1], KEPT_S)
    end
    return {granted, math.ceil(1000 * (wanted - granted) / rate), 0}
    """.replace("KEPT_S", str(_KEPT_S))
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may send a second in all, and of each API a day where it has quotas of its own."""

    per_second: int = 500
    quotas: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bulk_share: int = BULK_SHARE

    def quota(self, account: str, api: str) -> int:
        """How many messages of an API an account may send in a day."""
        return self.quotas.get(account, {}).get(api, USUAL_QUOTAS[api])

    def share(self, account: str, api: str, lane: Lane) -> int:
        """How many of them a lane may use."""
        whole = self.quota(account, api)
        return whole * self.bulk_share // 100 if lane is Lane.BULK else whole


@dataclass(frozen=True, slots=True)
class Granted:
    """So many may go now; the others not for `wait_s`, and why. `stopped`: not merely too fast."""

    count: int
    wait_s: float
    why: str
    stopped: bool


class Rates:
    """The counters of all accounts; each call may raise `StoreGoneError`."""

    def __init__(self, redis: Redis, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self._redis = redis
        self._clock = clock

    async def take(self, account: str, api: str, lane: Lane, wanted: int, template: str = "") -> Granted:
        """Count so many messages that are to leave now, as far as they may."""
        room = _ROOM if lane is Lane.BULK else 0
        given = (room, self._day(), self.limits.share(account, api, lane), template)
        count, wait_ms, stopped = await self._do(account, "take", api, wanted, *given)
        if wait_ms < 0:
            return Granted(count, self._until_tomorrow(), f"{api}: today's quota is used up", stopped=True)
        why = f"{api}: {'stopped' if stopped else 'too fast'}"
        return Granted(count, wait_ms / 1000, why, stopped=bool(stopped))

    async def give_back(self, account: str, api: str, count: int) -> None:
        """Take messages out of the day's count again that did not leave us."""
        await self._do(account, "give", api, count)

    async def stop(self, account: str, api: str, for_s: float) -> None:
        """Let nothing of this API (`*`: of any) leave for some time."""
        await self._do(account, "stop", api, int(for_s * 1000))

    async def left_today(self, account: str, api: str, lane: Lane) -> int:
        """How many messages a lane may still send today."""
        used = await self._redis.client.hget(_key(account), f"n:{api}:{self._day()}")
        return max(0, self.limits.share(account, api, lane) - int(used or 0))

    async def _do(
        self, account: str, what: str, api: str, wanted: int, *given: int | str
    ) -> tuple[int, int, int]:
        room, day, share, template = given or (0, self._day(), 0, "")
        arguments = (what, api, wanted, self.limits.per_second, room, day, share, template)
        count, wait_ms, stopped = await self._redis.run(_SCRIPT, (_key(account),), arguments)
        return int(count), int(wait_ms), int(stopped)

    def _day(self) -> str:
        return f"{self._today():%Y%m%d}"

    def _today(self) -> datetime:
        return self._clock.now().astimezone(CITY_ZONE)

    def _until_tomorrow(self) -> float:
        """Seconds until a minute after the city's midnight, when daily quotas begin anew (wechat-facts 3)."""
        now = self._today()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1, minutes=1)
        return (midnight - now).total_seconds()


def _key(account: str) -> str:
    return f"bm:{{{account}}}:sent"
