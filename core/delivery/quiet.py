"""Quiet hours: when a kind of message may not disturb anybody, and until when it waits (domain-rules M4)."""

import random
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from core.clock import CITY_ZONE

USUAL = "21:00-08:00"
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
JITTER = timedelta(minutes=10)  # what waited for one morning does not leave in one second


@dataclass(frozen=True, slots=True)
class Quiet:
    """A span of each night in the city's zone; none where both ends are the same."""

    begins: time
    ends: time

    @classmethod
    def parse(cls, said: str, hold: str = USUAL) -> "Quiet":
        """`hold` (the hours of that name), `ignore`, or a span such as `21:00-06:30`; else ValueError."""
        if said == "ignore":
            return cls(time(0), time(0))
        found = _SPAN.fullmatch(hold if said == "hold" else said)
        if found is None:
            raise ValueError(f'quiet {said!r} is none of "hold", "ignore" and a span such as "21:00-06:30"')
        hour, minute, until_hour, until_minute = map(int, found.groups())
        return cls(time(hour, minute), time(until_hour, until_minute))

    def over_at(self, moment: datetime) -> datetime | None:
        """When the quiet hours around a moment end; None if it lies in none."""
        local = moment.astimezone(CITY_ZONE)
        now = local.time()
        over_midnight = self.begins > self.ends
        inside = now >= self.begins or now < self.ends if over_midnight else self.begins <= now < self.ends
        if not inside:
            return None
        tomorrow = over_midnight and now >= self.begins
        return datetime.combine(local.date() + timedelta(days=tomorrow), self.ends, CITY_ZONE)

    def moved(self, moment: datetime, valid_until: datetime) -> datetime | None:
        """The first moment from this one on at which it may be sent; None if that is too late for it.

        What was held leaves some minutes after the end, each message at another moment.
        """
        over = self.over_at(moment)
        if over is None:
            return moment if moment < valid_until else None
        if over >= valid_until:
            return None
        return over + min(JITTER, valid_until - over) * random.random() * 0.9
