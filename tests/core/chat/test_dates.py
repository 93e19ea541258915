"""How people say days."""

from datetime import date, timedelta

import pytest

from core.chat.answers import fold
from core.chat.dates import say_date

TODAY = date(2026, 11, 25)  # a Wednesday
DIGITS = "零一二三四五六七八九"


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("今天", 0),
        ("明天", 1),
        ("明早", 1),
        ("后天", 2),
        ("大后天", 3),
        ("昨天", -1),
        ("三天后", 3),
        ("两周后", 14),
        ("明天。", 1),
        ("我要明天", 1),
        ("就明天吧", 1),
        ("明天上午", 1),
        ("明天可以吗", 1),
        ("那就后天下午吧，谢谢", 2),
        ("今天晚上", 0),
        ("周三", 0),
        ("周四", 1),
        ("周二", 6),
        ("本周一", -2),
        ("这周五", 2),
        ("下周三", 7),
        ("下下周三", 14),
        ("下个星期一", 5),
        ("礼拜天", 4),
        ("星期日", 4),
        ("下周天", 11),
        ("周5", 2),
        ("下周三上午", 7),
        ("改到下周三", 7),
        ("下 周三", 7),
        ("25号", 0),
        ("二十六号", 1),
        ("1号", 6),
        ("十号", 15),
        ("11月25", 0),
        ("11.26", 1),
        ("12/1", 6),
        ("十二月一日", 6),
        ("2026-11-26", 1),
        ("2026年12月1日", 6),
        ("下月3号", 8),
        ("下个月三号", 8),
        ("本月30号", 5),
        ("今年12月1号", 6),
    ],
)
def test_as_people_say_it_on_a_wednesday(said: str, days: int) -> None:
    assert say_date(fold(said), TODAY) == TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("said", "day"),
    [("2月29日", date(2028, 2, 29)), ("明年1月1日", date(2027, 1, 1)), ("10月24日", date(2027, 10, 24))],
)
def test_a_day_without_its_year_is_the_next_one_that_comes(said: str, day: date) -> None:
    assert say_date(fold(said), TODAY) == day


@pytest.mark.parametrize(("said", "days"), [("11月24日", -1), ("11.20", -5), ("10月25日", -31)])
def test_a_day_just_over_was_taken_for_the_same_day_of_next_year(said: str, days: int) -> None:
    assert say_date(fold(said), TODAY) == TODAY + timedelta(days=days)


def test_new_year_does_not_hide_a_december_just_over() -> None:
    assert say_date("12月30日", date(2027, 1, 2)) == date(2026, 12, 30)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "好的",
        "11月31日",
        "32号",
        "13月1日",
        "2026-02-30",
        "周八",
        "星期",
        "下周",
        "月底",
        "哪天都行",
        "25",
    ],
)
def test_what_names_no_day(said: str) -> None:
    assert say_date(fold(said), TODAY) is None


def test_after_the_31st_comes_a_month_that_has_one() -> None:
    assert say_date("31号", date(2026, 11, 1)) == date(2026, 12, 31)
    assert say_date("30号", date(2027, 1, 31)) == date(2027, 3, 30)
    assert say_date("下月31号", date(2026, 10, 2)) is None


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if not tens else ("十" if tens == 1 else DIGITS[tens] + "十")
    return head + (DIGITS[ones] if ones else "")


TWO_YEARS = [TODAY + timedelta(days=ahead) for ahead in range(730)]


def test_every_day_of_two_years_in_full() -> None:
    for day in TWO_YEARS:
        for said in (
            f"{day}",
            f"{day.year}年{day.month}月{day.day}日",
            f"{day:%Y/%m/%d}",
            f"{day.year}.{day.month}.{day.day}",
        ):
            assert say_date(fold(said), TODAY) == day, said


def test_every_day_of_two_years_without_its_year() -> None:
    for day in TWO_YEARS:
        before = day - timedelta(days=ahead) if (ahead := (day - TODAY).days % 330) else day
        forms = (
            f"{day.month}月{day.day}日",
            f"{day.month}月{day.day}号",
            f"{day.month}.{day.day}",
            f"{day:%m-%d}",
            f"{_chinese(day.month)}月{_chinese(day.day)}日",
            f"我要{day.month}月{day.day}号上午",
        )
        for said in forms:
            assert say_date(fold(said), before) == day, said


def test_every_day_by_its_number_its_weekday_and_its_distance() -> None:
    for day in TWO_YEARS:
        for ahead in (0, 3, 6):
            today = day - timedelta(days=ahead)
            for said in (f"{day.day}号", f"{_chinese(day.day)}日", f"周{'一二三四五六日'[day.weekday()]}"):
                assert say_date(fold(said), today) == day, (said, today)
        monday = day - timedelta(days=day.weekday() + 7)
        assert say_date(f"下周{'一二三四五六天'[day.weekday()]}", monday) == day
        assert say_date(f"{40}天后", day - timedelta(days=40)) == day
