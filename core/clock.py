"""The time, handed in: always aware, never asked for behind a rule's back."""

import time
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Asia/Shanghai")
_AHEAD_S = 8 * 3600  # of UTC, summer and winter
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


def city_day(timestamp: float) -> date:
    """The city's date at an instant in Unix seconds; every message asks, and all of a day get one answer."""
    return _day(int(timestamp + _AHEAD_S) // _DAY_S)


@lru_cache(maxsize=4)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH + number)


class Clock(Protocol):
    """Where rules get the time from."""

    def now(self) -> datetime:
        """Return the present instant, aware, in the city's zone."""
        ...

    def timestamp(self) -> float:
        """Return the same as Unix seconds, for where a date is more than is needed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(CITY_ZONE)

    def timestamp(self) -> float:
        return time.time()


class ManualClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time: datetime(…, tzinfo=CITY_ZONE)")
        self._now = start.astimezone(CITY_ZONE)

    def now(self) -> datetime:
        return self._now

    def timestamp(self) -> float:
        return self._now.timestamp()

    def move(self, by: timedelta) -> None:
        """Move the clock forward (or back)."""
        self._now += by

    def set(self, to: datetime) -> None:
        """Set the clock to an aware instant."""
        self._now = to.astimezone(CITY_ZONE)
