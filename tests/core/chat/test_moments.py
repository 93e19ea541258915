"""A day or time that is not in the list never picks another one."""

from datetime import date, time

import pytest

from core.chat.answers import fold, number, pick
from core.chat.likeness import nearest
from core.chat.moments import Part, When, is_over, is_wish, merged, named_moment, spoken
from core.chat.sessions import Option

TODAY = date(2026, 11, 30)  # a Monday
HALVES = {Part.AM: "上午", Part.PM: "下午"}


def half_day(day: int, part: Part) -> Option:
    when = When(date(2026, 12, day), part)
    return Option(
        f"{day}{part}",
        f"12月{day}日 周{'一二三四五六日'[when.day.weekday()]} {HALVES[part]},余 3 个号",
        (),
        when,
    )


DAYS = [half_day(day, Part.AM) for day in (1, 2, 4, 5)]
BOTH_HALVES = [half_day(2, Part.AM), half_day(2, Part.PM), half_day(4, Part.AM)]


def half_hour(clock: str, day: int = 2) -> Option:
    starts = time.fromisoformat(clock)
    ends = time(starts.hour + starts.minute // 30, (starts.minute + 30) % 60)
    when = When(date(2026, 12, day), Part.AM if starts.hour < 12 else Part.PM, starts)
    return Option(clock, f"{clock}–{ends:%H:%M},余 3 个号", (), when)


TIMES = [half_hour(clock) for clock in ("08:00", "09:00", "10:30", "14:00", "15:00", "16:30")]


def picked(said: str, options: list[Option]) -> str | None:
    option = pick(fold(said), options, TODAY)
    return option.id if option else None


@pytest.mark.parametrize(
    "said",
    [
        "下周三",
        "下周三上午",
        "我要下周三的",
        "大后天",
        "12月15日",
        "12月15号上午",
        "25号",
        "15日",
        "12号",
        "3号",
        "三号",
        "就三号吧",
        "6号",
        "1月2日",
        "下下周五",
        "下下下周五",
        "上周三",
        "周四",
        "12月31日",
        "11月31日",
        "十五号",
        "二十二号",
        "下个月3号",
        "明年12月2日",
        "周三下午",
        "不要周三",
        "周三以后",
        "周三或者周五",
        "今天",
        "10天后",
    ],
)
def test_a_day_that_is_not_offered_picked_another_day(said: str) -> None:
    assert picked(said, DAYS) is None


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("1", 1),
        ("第三个", 4),
        ("第三号", 4),
        ("4", 5),
        ("周三", 2),
        ("这周三", 2),
        ("礼拜三上午", 2),
        ("明天", 1),
        ("后天", 2),
        ("2号", 2),
        ("二号", 2),
        ("1号", 1),
        ("5号吧", 5),
        ("12月4日", 4),
        ("12月4", 4),
        ("十二月五号", 5),
        ("12.5", 5),
        ("2026-12-05", 5),
        ("我要周五的号", 4),
        ("不要周三，要周五", 4),
        ("四天后", 4),
        ("大大后天", 4),
        ("下个月2号", 2),
        ("星期六早上", 5),
    ],
)
def test_a_day_that_is_offered(said: str, day: int) -> None:
    assert picked(said, DAYS) == f"{day}AM"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("周三", None),
        ("周三下午", "2PM"),
        ("2号早上", "2AM"),
        ("下午", "2PM"),
        ("上午", None),
        ("周三晚上", None),
        ("后天下午三点", "2PM"),
    ],
)
def test_a_part_of_a_day_tells_two_apart(said: str, meant: str | None) -> None:
    assert picked(said, BOTH_HALVES) == meant


@pytest.mark.parametrize(
    "said",
    [
        "三点半",
        "8点半",
        "八点半",
        "九点四十",
        "9:40",
        "15:30",
        "15.30",
        "下午三点半",
        "上午三点",
        "9点一刻",
        "九点零五分",
        "两点十分",
        "08:30",
        "11:00",
        "17:00",
        "十一点",
        "三点以后",
        "不要九点",
        "差五分九点",
        "12月4日九点",
        "明天九点",
        "24点",
    ],
)
def test_a_time_that_is_not_offered_picked_another_time(said: str) -> None:
    assert picked(said, TIMES) is None


@pytest.mark.parametrize(
    ("said", "clock"),
    [
        ("1", "08:00"),
        ("第二个", "09:00"),
        ("三点", "15:00"),
        ("3点钟", "15:00"),
        ("下午3点", "15:00"),
        ("15:00", "15:00"),
        ("15:00-15:30", "15:00"),
        ("15点", "15:00"),
        ("九点", "09:00"),
        ("早9点", "09:00"),
        ("9:00", "09:00"),
        ("就九点吧", "09:00"),
        ("十点半", "10:30"),
        ("10点30分", "10:30"),
        ("十点三十", "10:30"),
        ("四点半", "16:30"),
        ("两点", "14:00"),
        ("后天上午九点", "09:00"),
        ("12月2日10.30", "10:30"),
        ("不要九点，要十点半", "10:30"),
        ("差不多九点", "09:00"),
    ],
)
def test_a_time_that_is_offered(said: str, clock: str) -> None:
    assert picked(said, TIMES) == clock


@pytest.mark.parametrize(
    "said", ["早一点", "晚一点的", "快一点", "有一点疼", "三楼", "好的", "随便", "15号楼"]
)
def test_what_names_neither_day_nor_time(said: str) -> None:
    assert named_moment(fold(said), TODAY) is None


def test_a_booking_is_named_by_its_day_and_its_doctor() -> None:
    bookings = [
        Option(
            "wed",
            "12月2日 周三 09:00 心内科 陈静",
            ("心内科", "陈医生"),
            When(date(2026, 12, 2), Part.AM, time(9)),
        ),
        Option(
            "fri",
            "12月4日 周五 09:00 骨科 李伟",
            ("骨科", "李医生"),
            When(date(2026, 12, 4), Part.AM, time(9)),
        ),
    ]
    assert picked("周三的", bookings) == "wed"
    assert picked("李医生那个", bookings) == "fri"
    assert picked("周三陈医生", bookings) == "wed"
    assert picked("周三李医生", bookings) is None
    assert picked("下周三", bookings) is None
    assert picked("九点", bookings) is None


@pytest.mark.parametrize(("said", "near"), [("25号", "5AM 4AM"), ("3号", "2AM 4AM"), ("下周三", "5AM 4AM")])
def test_of_days_the_nearest_two_come_first(said: str, near: str) -> None:
    ids = [option.id for option in nearest(fold(said), DAYS, TODAY)]
    assert ids[:2] == near.split()
    assert sorted(ids) == sorted(option.id for option in DAYS)


def test_of_times_the_nearest_two_come_first() -> None:
    assert [option.id for option in nearest("三点四十", TIMES, TODAY)][:2] == ["15:00", "16:30"]


def test_where_the_options_are_no_days_a_number_is_a_line() -> None:
    doctors = [Option("a", "陈静"), Option("b", "李伟"), Option("c", "赵敏")]
    assert picked("3号", doctors) == "c"
    assert number("3号") == 3


@pytest.mark.parametrize(("said", "meant"), [("15号楼", None), ("5号楼", "five"), ("我在5号楼", "five")])
def test_a_name_is_not_found_inside_a_longer_number(said: str, meant: str | None) -> None:
    assert picked(said, [Option("five", "5号楼"), Option("six", "6号楼")]) == meant


@pytest.mark.parametrize(
    ("said", "named", "around"),
    [
        ("我明天上午有空", "明天上午", "我有空"),
        ("上午10点的号", "上午10点", "的号"),
        ("12月5日下午三点半", "12月5日下午三点半", ""),
        ("龙井", "", "龙井"),
        ("", "", ""),
    ],
)
def test_the_words_for_a_time_and_those_around_them(said: str, named: str, around: str) -> None:
    assert spoken(fold(said), TODAY) == (named, around)


@pytest.mark.parametrize("said", ["昨天", "昨天吧", "我想约昨天的号", "上周三", "11月28日上午"])
def test_nothing_but_a_day_that_is_over(said: str) -> None:
    assert is_over(fold(said), TODAY)


@pytest.mark.parametrize(
    "said", ["昨天摔了", "今天", "明天", "12月1日", "不要昨天", "昨天还是明天", "龙井", ""]
)
def test_control_a_day_to_come_or_a_story_is_not_over(said: str) -> None:
    assert not is_over(fold(said), TODAY)


@pytest.mark.parametrize(
    ("before", "said", "kept"),
    [
        ("", "有没有下午的", "下午"),
        ("明天", "有没有下午的", "明天下午"),
        ("明天下午", "明天下午有谁", "明天下午"),
        ("明天下午", "三点", "明天下午三点"),
        ("明天下午三点", "后天吧", "后天下午三点"),
        ("上午10点", "下午", "下午"),
        ("今晚", "下午的", "今天下午"),
        ("", "10点到11点", "10点到11点"),
        ("周四", "10点到11点", "周四10点到11点"),
        ("陈医生", "11点", "11点"),
    ],
)
def test_two_wishes_were_glued_together(before: str, said: str, kept: str) -> None:
    assert merged(fold(before), fold(said), TODAY) == kept


@pytest.mark.parametrize(("said", "day"), [("周五十点", 4), ("下周二十点", 8), ("星期三三点", 2)])
def test_a_weekday_before_its_hour_was_read_as_fifty(said: str, day: int) -> None:
    moment = named_moment(said, TODAY)
    assert moment is not None
    assert moment.day == date(2026, 12, day)
    assert moment.times


@pytest.mark.parametrize("said", ["明天再说", "不要明天", "三点以后"])
def test_a_day_put_off_is_no_wish(said: str) -> None:
    assert not is_wish(fold(said), TODAY)
