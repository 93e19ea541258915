"""Which day, part of a day or time of day a message names, and how well an option fits it."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

import msgspec

from core.chat.dates import days_in

_LONGEST = 100  # characters; who names a day or a time says little


class Part(StrEnum):
    """午别: a part of a day."""

    AM = "AM"
    PM = "PM"
    NIGHT = "NIGHT"


class When(msgspec.Struct, frozen=True, array_like=True):
    """What an option means as a day or a time; `starts` None: only the day and its part are chosen."""

    day: date
    part: Part | None = None
    starts: time | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What a message names; `times` are the readings of one time: 三点 is 03:00 or 15:00.

    `unclear`: a day or time was named that fits nothing exactly: 31 November, 三点以后, two days at once.
    """

    day: date | None = None
    part: Part | None = None
    times: frozenset[time] = frozenset()
    unclear: bool = False

    def fits(self, when: When) -> bool:
        """Tell whether an option is exactly what was named."""
        if self.unclear or (self.day is not None and self.day != when.day):
            return False
        if self.times and when.starts is not None:
            return when.starts in self.times
        return self.part is None or self.part is when.part

    def distance(self, when: When) -> timedelta:
        """Measure how far an option lies from what was named."""
        days = abs(when.day - self.day) if self.day is not None else timedelta()
        if self.times and when.starts is not None:
            return days + min(abs(_seconds(each) - _seconds(when.starts)) for each in self.times)
        other_part = self.part is not None and self.part is not when.part
        return days + (timedelta(hours=6) if other_part else timedelta())


_N = r"(?:\d{1,2}|[二三四五]?十[一二三四五六七八九]?|[零〇]?[一二两三四五六七八九]|[零〇])"
_CLOCK = re.compile(
    rf"(?<![\d.:])(?!(?<=[周期拜])[一二三四五六])(?!(?<=[早晚快慢有大小])一点(?!半|钟|\d|[一二三四五十]))(?P<hour>{_N})"
    r"(?::(?P<written>\d\d)(?!\d)"
    rf"|[点时](?![间候])(?:钟|整)?(?:(?P<half>半)|(?P<quarters>[一二三123])刻|(?P<spoken>{_N})(?![号日月天])分?)?)"
)
_DOTTED = re.compile(r"(?<!\d)(\d{1,2})[.。](\d\d)(?!\d)")
_PARTS = re.compile(
    "(上午|早上|早晨|清晨|一早|今早|明早|早(?= ))|(下午|午后)"
    "|(晚上|晚间|夜里|夜间|今晚|明晚|傍晚|晚(?= ))|(中午)"
)
_BY_GROUP = (Part.AM, Part.PM, Part.NIGHT, None)
_REFUSED = re.compile(r"(?:不|别|没|除了)(?:要|想|是|去|看|挂|选|约|在)*$")
# 三点以后, and 明天再说: no wish for tomorrow.
_OPEN_ENDED = re.compile(r"(?:之|以)(?:前|后)|前(?!天)|后(?!天)|差(?!不多)|再(?:说|看|讲|定|想)")
_SHORT_OF = re.compile(rf"差(?:一刻|{_N}分)")  # 差五分九点, 九点差五分
_RANGE = re.compile(r"[-–—~到至]")
# What people say around a day they want.
_AROUND = re.compile(
    "(?:[,，、。的号吧呢啊呀了]|我|想|要|请|帮我|给我|就|那|在|是|约|挂|看|选|订|改到|去|来|行|好|可以|一?个|左右)*"
)
_NUMERALS = {digit: place for place, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NOON, _DAY = 12, 24
_DAY_OF, _PART_OF, _TIME_OF = "day", "part", "time"
_DAY_AND_PART = re.compile("([今明])([早晚])")
_QUARTER, _HALF = 15, 30


def named_moment(folded: str, today: date, *, dotted: bool = False) -> Moment | None:
    """Read the day and the time out of a message; None if it names neither.

    `dotted`: 9.30 is a time, not a day in September.
    """
    text = folded.replace(" ", "")
    if len(text) > _LONGEST:
        return None
    if dotted:
        text = _DOTTED.sub(r"\1:\2", text)
    clocks = list(_CLOCK.finditer(text))
    rest = _CLOCK.sub(" ", text)
    days = days_in(rest, today)
    parts = list(_PARTS.finditer(rest))
    if not (clocks or days or parts):
        return None
    wanted_days = {day for day, at, end in days if not _put_aside(rest, at, end)}
    wanted_parts = [each for each in parts if not _refused(rest, each.start())]
    wanted_clocks = [
        each
        for place, each in enumerate(clocks)
        if not _put_aside(text, each.start(), each.end()) and not _ends_range(text, clocks, place)
    ]
    part_groups = {each.lastindex for each in wanted_parts}
    group = min((each for each in part_groups if each), default=0)
    readings = {_readings(each, group) for each in wanted_clocks}
    aside = (bool(days), bool(parts), bool(clocks)) != (
        bool(wanted_days),
        bool(wanted_parts),
        bool(wanted_clocks),
    )
    several = max(len(wanted_days), len(part_groups), len(readings)) > 1
    times = next(iter(readings), frozenset())
    if aside or several or _SHORT_OF.search(text) or None in wanted_days or (wanted_clocks and not times):
        return Moment(unclear=True)
    part = _BY_GROUP[group - 1] if group else None
    return Moment(next(iter(wanted_days), None), part, times)


def spoken(folded: str, today: date) -> tuple[str, str]:
    """The words of a message that name a day or a time, and what stands around them."""
    text = folded.replace(" ", "")[:_LONGEST]
    rest = text
    for _, at, end in _pieces(text, today):
        rest = rest[:at] + " " * (end - at) + rest[end:]
    named = "".join(each for each, left in zip(text, rest, strict=True) if left == " ")
    return named, rest.replace(" ", "")


def merged(before: str, said: str, today: date) -> str:
    """The day, the part of it and the time that two messages name together, each once; the later word counts.

    A part of a day takes the time named before with it: behind 上午10点, 下午 is no 下午10点.
    """
    named = spoken(said, today)[0]
    old, new = (
        {_DAY_OF: "", _PART_OF: "", _TIME_OF: ""} | _named_apart(each, today) for each in (before, said)
    )
    if new[_PART_OF] and not new[_TIME_OF]:
        old[_TIME_OF] = ""
    together = "".join(new[kind] or old[kind] for kind in (_DAY_OF, _PART_OF, _TIME_OF))
    moment = named_moment(together, today)
    return named if moment is None or moment.unclear or not any(old.values()) else together


def is_wish(folded: str, today: date) -> bool:
    """Tell whether a message names a day to come or a time, clearly."""
    moment = named_moment(folded, today)
    return moment is not None and not moment.unclear and (moment.day is None or moment.day >= today)


def names_day(folded: str, today: date) -> bool:
    """Tell whether a message names one day clearly."""
    moment = named_moment(folded, today)
    return moment is not None and not moment.unclear and moment.day is not None


def is_only_wish(folded: str, today: date) -> bool:
    """Tell whether a message is nothing else: 那后天的, and not 后天挂骨科."""
    return is_wish(folded, today) and _AROUND.fullmatch(spoken(folded, today)[1]) is not None


def is_past(folded: str, today: date) -> bool:
    """Tell whether a message names a day that is over, whatever else it says: 昨天摔了."""
    moment = named_moment(folded, today)
    return moment is not None and not moment.unclear and moment.day is not None and moment.day < today


def is_over(folded: str, today: date) -> bool:
    """Tell whether a message is nothing but a day that is over: 昨天吧, and not 昨天摔了."""
    return is_past(folded, today) and _AROUND.fullmatch(spoken(folded, today)[1]) is not None


def _pieces(text: str, today: date) -> list[tuple[str, int, int]]:
    """What of a message names a time or a span of times, a day, a part of one, and where it stands."""
    clocks = list(_CLOCK.finditer(text))
    spans = [(each.start(), each.end()) for each in clocks]
    for place in range(len(clocks) - 1, 0, -1):
        if _ends_range(text, clocks, place):
            spans[place - 1 : place + 1] = [(spans[place - 1][0], spans[place][1])]
    rest = _CLOCK.sub(_blank, text)
    days = [(at, end) for _, at, end in days_in(rest, today)]
    for at, end in days:
        rest = rest[:at] + " " * (end - at) + rest[end:]
    parts = [(each.start(), each.end()) for each in _PARTS.finditer(rest)]
    kinds = ((_TIME_OF, spans), (_DAY_OF, days), (_PART_OF, parts))
    return [(kind, at, end) for kind, places in kinds for at, end in places]


def _named_apart(folded: str, today: date) -> dict[str, str]:
    """The day, the part of it and the time a message names, as it names them; 今晚 is a day and a part."""
    text = folded.replace(" ", "")[:_LONGEST]
    named = {kind: text[at:end] for kind, at, end in _pieces(text, today)}
    if found := _DAY_AND_PART.fullmatch(named.get(_DAY_OF, "")):
        named |= {_DAY_OF: f"{found[1]}天", _PART_OF: {"早": "早上", "晚": "晚上"}[found[2]]}
    return named


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _put_aside(text: str, at: int, end: int) -> bool:
    """Tell whether a day or time is named only to say what it is not: 不要周三, 三点以后."""
    return _refused(text, at) or _OPEN_ENDED.match(text, end) is not None


def _refused(text: str, at: int) -> bool:
    return _REFUSED.search(text[:at]) is not None


def _ends_range(text: str, clocks: list[re.Match[str]], place: int) -> bool:
    """Tell whether a time only ends a span that another one begins: 09:00-09:30."""
    between = text[clocks[place - 1].end() : clocks[place].start()] if place else ""
    return _RANGE.fullmatch(between) is not None


def _readings(found: re.Match[str], group: int) -> frozenset[time]:
    """All times of day that these words may mean, seen from the part of the day named with them."""
    hour, minute = _number(found["hour"]), 0
    if found["half"]:
        minute = _HALF
    elif found["quarters"]:
        minute = _number(found["quarters"]) * _QUARTER
    elif found["written"] or found["spoken"]:
        minute = _number(found["written"] or found["spoken"])
    part = _BY_GROUP[group - 1] if group else None
    later = hour + _NOON if hour < _NOON else hour
    if group == len(_BY_GROUP):  # 中午: eleven, twelve, one
        hours = {hour if hour >= _NOON - 2 else later}
    elif part is None:
        hours = {hour, later}
    else:
        hours = {hour} if part is Part.AM else {later}
    return frozenset(time(each, minute) for each in hours if each < _DAY and minute < 60)  # noqa: PLR2004


def _number(said: str) -> int:
    if said.isdecimal():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    if ten:
        return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[ones] if ones else 0)
    return _NUMERALS[said[-1]]


def _seconds(moment: time) -> timedelta:
    return datetime.combine(date.min, moment) - datetime.combine(date.min, time())
