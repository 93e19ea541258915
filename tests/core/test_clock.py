"""The city's day: the same as its zone says, at any instant."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.clock import CITY_ZONE, city_day

# Before 1991 clocks in China were changed in summer; nothing here happened then.
INSTANTS = st.integers(694_224_000, 4_102_444_800).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(INSTANTS)
def test_the_day_is_the_one_the_zone_says(instant: datetime) -> None:
    assert city_day(instant.timestamp()) == instant.astimezone(CITY_ZONE).date()


def test_the_day_changes_at_midnight_of_the_city() -> None:
    midnight = datetime(2026, 11, 23, tzinfo=CITY_ZONE)
    assert city_day(midnight.timestamp()) == midnight.date()
    assert city_day((midnight - timedelta(seconds=1)).timestamp()) == date(2026, 11, 22)
