"""How often an account may make each call of the API (wechat-facts §3), and how often it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from simulator.accounts import Account
from simulator.clock import Clock
from simulator.refusals import ApiError

DAY_S, MINUTE_S = 86_400, 60
BEIJING_S = 8 * 3600  # its days begin that much before those of Unix time


@dataclass(frozen=True, slots=True)
class Quota:
    """The most calls in a day of Beijing and in a minute; None is as many as one likes."""

    per_day: int | None
    per_minute: int | None = None


DEFAULTS: Mapping[str, Quota] = {
    "token": Quota(2_000),
    "stable_token": Quota(500_000, 10_000),
    "menu/create": Quota(1_000),
    "menu/get": Quota(10_000),
    "menu/delete": Quota(1_000),
    "message/custom/send": Quota(500_000),
    "message/template/send": Quota(100_000),
    "qrcode/create": Quota(100_000),
    "user/info": Quota(5_000_000),
    "media/upload": Quota(5_000),
    "media/get": Quota(10_000),
}
UNLIMITED = Quota(None)


@dataclass(slots=True)
class _Meter:
    quota: Quota
    day: int = 0
    today: int = 0
    minute: int = 0
    this_minute: int = 0

    def turn(self, now: float) -> None:
        """Begin anew where a day or a minute has."""
        day, minute = int(now // DAY_S), int(now // MINUTE_S)
        if day != self.day:
            self.day, self.today = day, 0
        if minute != self.minute:
            self.minute, self.this_minute = minute, 0


class Quotas:
    """Counts every call, also one that is then refused."""

    def __init__(self, accounts: Iterable[Account], clock: Clock, others: Mapping[str, Quota]) -> None:
        start = {**DEFAULTS, **others}
        self._meters = {
            account.key: {api: _Meter(quota) for api, quota in start.items()} for account in accounts
        }
        self._clock = clock

    def count(self, account: str, api: str) -> None:
        """One call more; raises 45009 or 45011 where it is one too many."""
        meter = self._meter(account, api)
        quota = meter.quota
        if quota.per_day is not None and meter.today >= quota.per_day:
            raise ApiError(45009)
        if quota.per_minute is not None and meter.this_minute >= quota.per_minute:
            raise ApiError(45011)
        meter.today += 1
        meter.this_minute += 1

    def set(self, account: str, api: str, quota: Quota) -> None:
        """Another quota from now on; what was called today counts against it."""
        self._meter(account, api).quota = quota

    def as_json(self, account: str, api: str) -> dict[str, object]:
        meter = self._meter(account, api)
        return {
            "account": account,
            "api": api,
            "per_day": meter.quota.per_day,
            "per_minute": meter.quota.per_minute,
            "today": meter.today,
            "this_minute": meter.this_minute,
        }

    def _meter(self, account: str, api: str) -> _Meter:
        meter = self._meters[account].get(api)
        if meter is None:
            meter = self._meters[account][api] = _Meter(UNLIMITED)
        meter.turn(self._clock().timestamp() + BEIJING_S)
        return meter
