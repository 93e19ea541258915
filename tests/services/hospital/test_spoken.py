"""How citizens name what is offered."""

from datetime import date

import pytest

from services.hospital import spoken
from services.hospital.model import Half
from tests.services.ward import at

MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize("said", ["陈静", "陈医生", "陈大夫", "陈主任", "陈静医生"])
def test_a_chief_physician(said: str) -> None:
    assert said in spoken.doctor_names("陈", "静", "副主任医师")


def test_nobody_is_promoted() -> None:
    assert "陈主任" not in spoken.doctor_names("陈", "静", "主治医师")


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 23), "今天上午"),
        (date(2026, 11, 24), "明天早上"),
        (date(2026, 11, 25), "后天"),
        (date(2026, 11, 25), "周三上午"),
        (date(2026, 11, 25), "星期三"),
        (date(2026, 11, 25), "11月25日上午"),
        (date(2026, 11, 25), "25号"),
        (date(2026, 11, 29), "礼拜天上午"),
        (date(2026, 11, 29), "周日"),
    ],
)
def test_days(day: date, said: str) -> None:
    assert said in spoken.session_names(day, Half.AM, MONDAY)


def test_in_four_days_is_not_the_day_after_tomorrow() -> None:
    names = spoken.session_names(date(2026, 11, 27), Half.PM, MONDAY)
    assert not {"今天", "明天", "后天", "上午"} & set(names)
    assert "下午" in names


@pytest.mark.parametrize(
    ("starts", "half", "said"),
    [
        ("09:00", Half.AM, "9点"),
        ("09:00", Half.AM, "九点钟"),
        ("09:00", Half.AM, "09:00-09:30"),
        ("09:30", Half.AM, "九点半"),
        ("09:30", Half.AM, "上午9点30分"),
        ("14:00", Half.PM, "两点"),
        ("14:00", Half.PM, "下午2点"),
        ("14:30", Half.PM, "14:30"),
        ("14:30", Half.PM, "下午两点半"),
        ("12:00", Half.PM, "十二点"),
        ("18:00", Half.NIGHT, "晚上六点"),
    ],
)
def test_times(starts: str, half: Half, said: str) -> None:
    end = at(starts).replace(minute=(at(starts).minute + 30) % 60)
    if end < at(starts):
        end = end.replace(hour=end.hour + 1)
    assert said in spoken.time_names(at(starts), end, half)
