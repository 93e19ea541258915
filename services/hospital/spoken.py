"""How citizens name doctors, days and times: the aliases of what we offer."""

from datetime import date, datetime

from services.hospital.model import Half

_HALVES = {Half.AM: ("上午", "早上"), Half.PM: ("下午",), Half.NIGHT: ("晚上", "夜间")}
_WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")
_NEAR_DAYS = ("今天", "明天", "后天")
_HOURS = ("零", "一", "两", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_NOON = 12
_HALF_PAST = 30


def doctor_names(surname: str, given_name: str, title: str) -> tuple[str, ...]:
    """陈静: 陈静, 陈医生, 陈大夫, and 陈主任 where the title says so."""
    calls = ["医生", "大夫", *(["主任"] if "主任" in title else [])]
    return (
        surname + given_name,
        *(f"{name}{call}" for name in (surname, surname + given_name) for call in calls),
    )


def day_names(day: date, today: date) -> tuple[str, ...]:
    """25 November: 11月25日, 25号, 周三, 明天 …."""
    weekday = _WEEKDAYS[day.weekday()]
    names = [f"{day.month}月{day.day}日", f"{day.month}月{day.day}号", f"{day.day}号", f"{day.day}日"]
    names += [f"{prefix}{weekday}" for prefix in ("周", "星期", "礼拜")]
    if weekday == "日":
        names += ["周天", "星期天", "礼拜天"]
    distance = (day - today).days
    if 0 <= distance < len(_NEAR_DAYS):
        names.append(_NEAR_DAYS[distance])
    return tuple(names)


def session_names(day: date, half: Half, today: date) -> tuple[str, ...]:
    """The day, the half, and both together: 周三, 上午, 周三上午."""
    days = day_names(day, today)
    halves = _HALVES[half]
    return (*(f"{name}{part}" for name in days for part in halves), *days, *halves)


def time_names(starts_at: datetime, ends_at: datetime, half: Half) -> tuple[str, ...]:
    """14:30: 14:30, 14点半, 2点半, 两点三十, 下午两点半 …."""
    hour, minute = starts_at.hour, starts_at.minute
    short = hour - _NOON if hour > _NOON else hour
    hours = list(dict.fromkeys((str(hour), str(short), _HOURS[short])))
    tails = ["点", "点钟", "点整"] if minute == 0 else [f"点{minute}", f"点{minute}分"]
    if minute == _HALF_PAST:
        tails += ["点半", "点三十"]
    spoken = [f"{name}{tail}" for name in hours for tail in tails]
    written = [f"{hour:02}:{minute:02}", f"{hour}:{minute:02}", f"{short}:{minute:02}"]
    span = [f"{starts_at:%H:%M}-{ends_at:%H:%M}"]
    with_half = [f"{part}{name}" for part in _HALVES[half] for name in spoken]
    return tuple(dict.fromkeys((*written, *span, *spoken, *with_half)))
