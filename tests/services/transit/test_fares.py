"""Fares against an independent reckoning that tries every way there is (domain-rules F1, F6, J3, J4)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.transit.fares import Band, Because, Tariff, bus_fare, metro_fare, rounded, tariff_of
from services.transit.network import MetroLine, Network, Station
from services.transit.tariffs import Timetable

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
TARIFF = Tariff(
    "t", date(2026, 1, 1), (Band(4_000, 200), Band(8_000, 300), Band(10_000_000, 725)), {"bus-1": 200}
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A few lines through a few stations, all of them reachable."""
    stations = [f"s{number}" for number in range(draw(st.integers(2, 6)))]
    lines = [tuple(stations)]
    more = st.lists(st.permutations(stations), max_size=3)
    lines += [tuple(each[: draw(st.integers(2, len(stations)))]) for each in draw(more)]
    metro = {}
    for number, stops in enumerate(lines):
        lengths = st.lists(st.integers(1, 9_000), min_size=len(stops) - 1, max_size=len(stops) - 1)
        metro[f"m{number}"] = MetroLine(f"m{number}", f"{number}号线", stops, tuple(draw(lengths)))
    return Network("here", {each: Station(each, each) for each in stations}, metro, {})


def every_way(network: Network, here: str, end: str, been: tuple[str, ...] = ()) -> Iterator[int]:
    """The length of each way that passes no station twice."""
    if here == end:
        yield 0
        return
    for line in network.metro.values():
        for (one, other), metres in zip(pairwise(line.stations), line.metres, strict=True):
            for start, there in ((one, other), (other, one)):
                if start == here and there not in been:
                    yield from (metres + rest for rest in every_way(network, there, end, (*been, here)))


def by_hand(network: Network, start: str, end: str, minutes: int) -> int:
    """The fare as the rules are written, without any of the code under test."""
    table = {4_000: 200, 8_000: 300, 10_000_000: 725}

    def of(metres: int) -> int:
        return table[min(reach for reach in table if reach >= metres)]

    longest = max(
        min(every_way(network, one, other)) for one in network.stations for other in network.stations
    )
    at_once = start == end and minutes <= 20
    fen = 0 if at_once else 200 if start == end else of(min(every_way(network, start, end)))
    if minutes > 210:
        fen += of(longest)
    tens, ones = divmod(fen, 10)
    return (tens + (1 if ones >= 5 else 0)) * 10


@given(networks(), st.data(), st.integers(0, 600))
def test_a_metro_ride_costs_what_the_rules_say(network: Network, data: st.DataObject, minutes: int) -> None:
    stations = st.sampled_from(sorted(network.stations))
    start, end = data.draw(stations), data.draw(stations)
    fare = metro_fare(network, TARIFF, start, end, NOON, NOON + timedelta(minutes=minutes))
    assert fare.fen == by_hand(network, start, end, minutes)


@given(networks(), st.data())
def test_the_way_back_costs_the_same_and_more_time_never_less(network: Network, data: st.DataObject) -> None:
    stations, minutes = st.sampled_from(sorted(network.stations)), st.integers(0, 600)
    start, end = data.draw(stations), data.draw(stations)
    shorter, longer = sorted((data.draw(minutes), data.draw(minutes)))
    sooner, later = NOON + timedelta(minutes=shorter), NOON + timedelta(minutes=longer)
    there = metro_fare(network, TARIFF, start, end, NOON, sooner)
    assert metro_fare(network, TARIFF, end, start, NOON, sooner) == there
    assert metro_fare(network, TARIFF, start, end, NOON, later).fen >= there.fen


@pytest.mark.parametrize(
    ("minutes", "fen", "because"),
    [
        (0, 0, Because.BACK_AT_ONCE),
        (20, 0, Because.BACK_AT_ONCE),
        (21, 200, Because.SAME_STATION),
        (210, 200, Because.SAME_STATION),
        (211, 400, Because.OVER_TIME),
    ],
)
def test_back_out_where_one_came_in(minutes: int, fen: int, because: Because) -> None:
    network = Network(
        "x",
        {each: Station(each, each) for each in "ab"},
        {"m": MetroLine("m", "1号线", ("a", "b"), (900,))},
        {},
    )
    fare = metro_fare(network, TARIFF, "a", "a", NOON, NOON + timedelta(minutes=minutes))
    assert (fare.fen, fare.because) == (fen, because)


@pytest.mark.parametrize(("fen", "whole"), [(0, 0), (4, 0), (5, 10), (14, 10), (15, 20), (725, 730)])
def test_half_up_to_whole_tens(fen: int, whole: int) -> None:
    assert rounded(fen) == whole


def test_codes_were_capped_below_the_dearest_ride_by_its_rounding() -> None:
    """The cap was 725 fen, and the dearest ride is charged 730 (F6, C8)."""
    two = {each: Station(each, each) for each in "ab"}
    network = Network("x", two, {"m": MetroLine("m", "1号线", ("a", "b"), (9_000,))}, {})
    fare = metro_fare(network, TARIFF, "a", "b", NOON, NOON)
    assert (fare.fen, Timetable(network, (TARIFF,)).dearest(TARIFF.begins)) == (730, 730)


def test_a_bus_costs_what_its_line_says() -> None:
    assert bus_fare(TARIFF, "bus-1").fen == 200
    with pytest.raises(KeyError):
        bus_fare(TARIFF, "bus-2")


def test_the_tariff_of_a_day_is_the_last_that_began() -> None:
    newer = Tariff("u", date(2026, 7, 1), TARIFF.metro, TARIFF.bus)
    both = (newer, TARIFF)
    assert tariff_of(both, date(2026, 6, 30)).version == "t"
    assert tariff_of(both, date(2026, 7, 1)).version == "u"
    with pytest.raises(LookupError, match="2025-12-31"):
        tariff_of(both, date(2025, 12, 31))
