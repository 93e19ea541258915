"""How people say days: 今天, 后天, 下周三, 11月25日, 25号, 2026-11-25; a small rule table of our own."""

import re
from datetime import date, timedelta

_DAYS = {
    "前天": -2, "昨天": -1, "昨日": -1, "今天": 0, "今日": 0, "今儿": 0, "今晚": 0, "今早": 0,
    "明天": 1, "明日": 1, "明儿": 1, "明早": 1, "明晚": 1, "后天": 2, "后日": 2, "大后天": 3, "大大后天": 4,
}  # fmt: skip
# What people say around a day.
_BEFORE = re.compile(r"(?:嗯|好的?|那|我|就|想要|想|要|约|订|定|挂|选|改到|改成|换到|是|在|到|[,、])+")
_BEHIND = (
    "上午", "早上", "早晨", "一早", "中午", "下午", "傍晚", "晚上", "的", "吧", "去", "来", "可以",
    "行", "吗", "呢", "啊", "好了", "谢谢你", "谢谢您", "谢谢", "左右", ",", "、",
)  # fmt: skip
_LONGEST = 40  # characters; who names a day says little
_LATER = re.compile(r"(?:过)?(?P<n>\d{1,3})(?P<unit>天|日|个?星期|周)(?:之?后|以后)")
_IN_MONTH = re.compile(r"(?P<month>下个?|这个?|本)月(?P<d>\d{1,2})[日号]?")
_IN_YEAR = re.compile(r"(?P<year>今|明|后|去)年(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?")
_YEARS = {"去": -1, "今": 0, "明": 1, "后": 2}
_WEEKDAY = re.compile(r"(?P<weeks>下下|下|这|本|上)?个?(?:周|星期|礼拜)(?P<day>[一二三四五六日天1-7])")
_FULL = re.compile(r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})[日号]?")
_MONTH_DAY = re.compile(r"(?P<m>\d{1,2})(?:月|[-/.])(?P<d>\d{1,2})[日号]?")
_DAY = re.compile(r"(?P<d>\d{1,2})[日号]")
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
_TENS = re.compile(r"(?P<tens>[一二三]?)十(?P<ones>[一二三四五六七八九]?)")
_MONTHS = 12
_JUST_OVER = timedelta(days=31)  # nobody names a day eleven months ahead
_LEAP_GAP = 9  # years at most until a 29 February comes again, this one included


def say_date(folded: str, today: date) -> date | None:
    """The day these words name, seen from `today`; None if they name none.

    A day or month without its year means the next one that comes, today included, or the one that is just
    over: 11月20日 said on the 22nd; a weekday without 本 or 下 means its next occurrence, today included.
    """
    if len(folded) > _LONGEST:
        return None
    text = _in_digits(folded.replace(" ", ""))
    before = _BEFORE.match(text)
    bare = without_ending(text[before.end() if before else 0 :], _BEHIND)
    return _exactly(text, today) or (_exactly(bare, today) if bare != text else None)


def days_in(text: str, today: date) -> list[tuple[date | None, int, int]]:
    """Every day named anywhere in a message, None for one there is not (31 November), and where it stands.

    A day inside a longer word or number is none: in 大后天 there is no 后天, in 12月15日 no 5日. The places
    are those in the text as given.
    """
    return [(_exactly(_in_digits(hit[0]), today), hit.start(), hit.end()) for hit in _ANYWHERE.finditer(text)]


def without_ending(text: str, endings: tuple[str, ...]) -> str:
    """Cut off every one of these words that the text ends with, one after another."""
    while text.endswith(endings):  # hardly ever; and this one question is cheaper than one for each
        text = text.removesuffix(next(each for each in endings if text.endswith(each)))
    return text


def _in_digits(text: str) -> str:
    """Write 二十五号 as 25号."""
    text = _TENS.sub(_arabic, text)
    return _DIGIT.sub(lambda found: str(_CHINESE_DIGITS[found[0]]), text)


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


_N = r"(?:\d{1,2}|[一二三]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_ANYWHERE = re.compile(
    r"(?<!\d)\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}(?!\d)[日号]?"
    rf"|[今明后去]年{_N}(?:月|[-/.]){_N}(?!\d)[日号]?"
    rf"|(?:下个?|这个?|本)月{_N}(?!\d)[日号]?"
    rf"|(?<![\d年]){_N}月{_N}(?!\d)[日号]?|(?<![\d.:/-])\d{{1,2}}[-/.]\d{{1,2}}(?![\d./-])[日号]?"
    rf"|(?<![\d第]){_N}(?:天|日|个?星期|周)(?:之?后|以后)"
    r"|(?<![下这本上])(?:下下|下|这|本|(?<![早晚])上)?个?(?:周|星期|礼拜)[一二三四五六日天1-7](?!\d)"
    rf"|(?<![\d第月一二三四五六七八九十]){_N}[日号](?!楼|线|院|诊)"
    r"|(?<!大)大大后天|(?<!大)大后天|(?<!大)(?:[昨今明后][天日]|前天|[今明]儿|[今明][早晚])"
)


def _arabic(found: re.Match[str]) -> str:
    tens = _CHINESE_DIGITS.get(found["tens"], 1)
    return str(tens * 10 + _CHINESE_DIGITS.get(found["ones"], 0))


def _weekday(found: re.Match[str], today: date) -> date:
    wanted = _CHINESE.get(found["day"]) or int(found["day"])
    if found["weeks"] is None:
        return today + timedelta(days=(wanted - today.isoweekday()) % 7)
    monday = today - timedelta(days=today.weekday())
    weeks = {"上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}[found["weeks"]]
    return monday + timedelta(weeks=weeks, days=wanted - 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _coming(month: int, day: int, today: date) -> date | None:
    just_over = today - _JUST_OVER
    for year in (just_over.year, today.year):
        found = _date(year, month, day)
        if found is not None and just_over <= found < today:
            return found
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
