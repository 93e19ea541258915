"""How people say days: 今天, 后天, 下周三, 11月25日, 25号, 2026-11-25; a small rule table of our own."""

import re
from datetime import date, timedelta

_DAYS = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "明早": 1, "后天": 2, "大后天": 3}
_WEEKDAY = re.compile(r"(?P<weeks>下下|下|这|本)?个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天1-7])")
_FULL = re.compile(r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?")
_DAY = re.compile(r"(?P<d>\d{1,2})[日号]")
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
_TENS = re.compile(r"(?P<tens>[一二三]?)十(?P<ones>[一二三四五六七八九]?)")
_MONTHS = 12


def say_date(folded: str, today: date) -> date | None:
    """The day these words name, seen from `today`; None if they name none.

    A day or month without its year means the next one that comes, today included; a weekday without
    本 or 下 means its next occurrence, today included.
    """
    text = _TENS.sub(_arabic, folded.replace(" ", ""))
    text = re.sub(r"[一二三四五六七八九](?=[月日号])", lambda found: str(_CHINESE_DIGITS[found[0]]), text)
    if text in _DAYS:
        return today + timedelta(days=_DAYS[text])
    if found := _WEEKDAY.fullmatch(text):
        return _weekday(found, today)
    if found := _FULL.fullmatch(text):
        return _date(int(found["y"]), int(found["m"]), int(found["d"]))
    if found := _MONTH_DAY.fullmatch(text):
        return _coming(int(found["m"]), int(found["d"]), today)
    if found := _DAY.fullmatch(text):
        return _next_day(int(found["d"]), today)
    return None


_CHINESE_DIGITS = {digit: place for place, digit in enumerate("一二三四五六七八九", start=1)}


def _arabic(found: re.Match[str]) -> str:
    tens = _CHINESE_DIGITS.get(found["tens"], 1)
    return str(tens * 10 + _CHINESE_DIGITS.get(found["ones"], 0))


def _weekday(found: re.Match[str], today: date) -> date:
    wanted = _CHINESE.get(found["day"]) or int(found["day"])
    if found["weeks"] is None:
        return today + timedelta(days=(wanted - today.isoweekday()) % 7)
    monday = today - timedelta(days=today.weekday())
    weeks = {"这": 0, "本": 0, "下": 1, "下下": 2}[found["weeks"]]
    return monday + timedelta(weeks=weeks, days=wanted - 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(month: int, day: int, today: date) -> date | None:
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year >= today:
        return this_year
    return _date(today.year + 1, month, day)


def _next_day(day: int, today: date) -> date | None:
    year, month = today.year, today.month
    for _ in range(_MONTHS):
        found = _date(year, month, day)
        if found is not None and found >= today:
            return found
        year, month = (year, month + 1) if month < _MONTHS else (year + 1, 1)
    return None
