"""A notice to very many is spread over days: nobody is left out, and no day has more than its share."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.delivery.plan import Day, days

TODAY = date(2026, 11, 24)


def test_a_hundred_thousand_need_two_days_of_sixty() -> None:
    assert days(100_000, 60_000, 60_000, TODAY) == [
        Day(TODAY, 60_000),
        Day(TODAY + timedelta(days=1), 40_000),
    ]


def test_what_was_sent_today_is_not_there_any_more() -> None:
    assert days(10, 3, 60, TODAY) == [Day(TODAY, 3), Day(TODAY + timedelta(days=1), 7)]
    assert days(10, 0, 60, TODAY) == [Day(TODAY + timedelta(days=1), 10)]
    assert days(0, 5, 60, TODAY) == []


@given(st.integers(0, 300_000), st.integers(0, 60_000), st.integers(1_000, 60_000))
def test_everybody_once_and_no_day_above_its_share(count: int, left: int, share: int) -> None:
    planned = days(count, left, share, TODAY)
    assert sum(day.count for day in planned) == count
    assert all(0 < day.count <= (left if day.date == TODAY else share) for day in planned)
    assert [day.date for day in planned] == sorted({day.date for day in planned})


def test_of_no_share_nothing_would_ever_be_sent() -> None:
    with pytest.raises(ValueError, match="share of nothing"):
        days(1, 0, 0, TODAY)


@given(st.integers(1, 300_000), st.integers(0, 60_000), st.integers(1_000, 60_000), st.integers(0, 200_000))
def test_what_is_under_way_goes_first(count: int, left: int, share: int, ahead: int) -> None:
    planned = days(count, left, share, TODAY, ahead)
    together = days(count + ahead, left, share, TODAY)
    assert sum(day.count for day in planned) == count
    assert planned[-1].date == together[-1].date, "the last of all is the last of these"
    most = {day.date: day.count for day in together}
    assert all(0 < day.count <= most[day.date] for day in planned)
