"""Working days, by which what citizens asked for is answered (domain-rules D2).

Monday to Friday: nobody tells us the holidays of next year, so with one in between it comes rather too soon.
"""

from datetime import date, timedelta

WORKING_DAYS = 15  # domain-rules D2
_SATURDAY = 5


def working_day(start: date, days: int) -> date:
    """The day so many working days later."""
    day = start
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


def left(today: date, until: date) -> int:
    """How many working days are left behind today; negative once the day is over."""
    if until < today:
        return -1
    days = (today + timedelta(days=number) for number in range(1, (until - today).days + 1))
    return sum(day.weekday() < _SATURDAY for day in days)
