"""How many days a notice to many takes: an account may send only so much a day (design 6, "Channels")."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Day:
    """So many messages leave on this day, at the most."""

    date: date
    count: int


def days(count: int, left_today: int, share: int, today: date, ahead: int = 0) -> list[Day]:
    """Spread messages over days: what is left of today's share, then a whole share a day.

    Those `ahead` are counted first: notices that are under way use the same shares.
    """
    if count > 0 and share < 1:
        raise ValueError("nothing is ever sent of a share of nothing")
    planned = []
    for day in _days(count + ahead if count else 0, left_today, share, today):
        others = min(ahead, day.count)
        ahead -= others
        if day.count > others:
            planned.append(Day(day.date, day.count - others))
    return planned


def _days(count: int, room: int, share: int, day: date) -> Iterator[Day]:
    while count > 0:
        if room > 0:
            yield Day(day, min(count, room))
        count, room, day = count - max(room, 0), share, day + timedelta(days=1)
