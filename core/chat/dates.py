"""How people say days: 今天, 后天, 下周三, 11月25日, 25号, 2026-11-25; a small rule table of our own."""

import re
from datetime import date, timedelta

_DAYS = {
    "前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "今儿": 0, "今晚": 0, "今早": 0,
    "明天": 1, "明日": 1, "明儿": 1, "明早": 1, "明晚": 1, "后天": 2, "后日": 2, "大后天": 3,
}  # fmt: skip
# What people say around a day.
_AROUND = re.compile(
    r"^(?:嗯|好的?|那|我|就|想要|想|要|约|订|定|挂|选|改到|改成|换到|是|在|到|[,、])+"
    r"|(?:的?(?:上午|早上|早晨|一早|中午|下午|傍晚|晚上)|吧|的|去|来|可以|行|吗|呢|啊|好了|谢谢[你您]?|左右|[,、])+$"
)
_LATER = re.compile(r"(?:过)?(?P<n>\d{1,3})(?P<unit>天|日|个?星期|周)(?:之?后|以后)")
_IN_MONTH = re.compile(r"(?P<month>下个?|这个?|本)月(?P<d>\d{1,2})[日号]?")
_IN_YEAR = re.compile(r"(?P<year>今|明|后|去)年(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?")
_YEARS = {"去": -1, "今": 0, "明": 1, "后": 2}
_WEEKDAY = re.compile(r"(?P<weeks>下下|下|这|本)?个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天1-7])")
_FULL = re.compile(r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?")
_DAY = re.compile(r"(?P<d>\d{1,2})[日号]")
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
_TENS = re.compile(r"(?P<tens>[一二三]?)十(?P<ones>[一二三四五六七八九]?)")
_MONTHS = 12
_LEAP_GAP = 9  # years at most until a 29 February comes again, this one included


def say_date(folded: str, today: date) -> date | None:
    """The day these words name, seen from `today`; None if they name none.

    A day or month without its year means the next one that comes, today included; a weekday without
    本 or 下 means its next occurrence, today included.
    """
    text = _TENS.sub(_arabic, folded.replace(" ", ""))
    text = _DIGIT.sub(lambda found: str(_CHINESE_DIGITS[found[0]]), text)
    bare = _AROUND.sub("", text)
    return _exactly(text, today) or (_exactly(bare, today) if bare != text else None)


def _exactly(text: str, today: date) -> date | None:
    if text in _DAYS:
        return today + timedelta(days=_DAYS[text])
    if found := _WEEKDAY.fullmatch(text):
        return _weekday(found, today)
    if found := _LATER.fullmatch(text):
        return today + timedelta(days=int(found["n"]) * (1 if found["unit"] in "天日" else 7))
    if found := _IN_MONTH.fullmatch(text):
        later = found["month"].startswith("下")
        year, month = divmod(today.year * _MONTHS + today.month - 1 + later, _MONTHS)
        return _date(year, month + 1, int(found["d"]))
    if found := _IN_YEAR.fullmatch(text):
        return _date(today.year + _YEARS[found["year"]], int(found["m"]), int(found["d"]))
    return _dated(text, today)


def _dated(text: str, today: date) -> date | None:
    if found := _FULL.fullmatch(text):
        return _date(int(found["y"]), int(found["m"]), int(found["d"]))
    if found := _MONTH_DAY.fullmatch(text):
        return _coming(int(found["m"]), int(found["d"]), today)
    if found := _DAY.fullmatch(text):
        return _next_day(int(found["d"]), today)
    return None


_CHINESE_DIGITS = {digit: place for place, digit in enumerate("一二三四五六七八九", start=1)} | {"两": 2}
_DIGIT = re.compile(r"[一二两三四五六七八九](?=月|日|号|(?:天|周|个?星期)(?:之|以)?后)")


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
    days = (_date(year, month, day) for year in range(today.year, today.year + _LEAP_GAP))
    return next((found for found in days if found is not None and found >= today), None)


def _next_day(day: int, today: date) -> date | None:
    year, month = today.year, today.month
    for _ in range(_MONTHS):
        found = _date(year, month, day)
        if found is not None and found >= today:
            return found
        year, month = (year, month + 1) if month < _MONTHS else (year + 1, 1)
    return None
