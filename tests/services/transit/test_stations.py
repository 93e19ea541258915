"""Stations are found as riders call them; where another one may be meant, nobody guesses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from services.transit.errors import StationUnclear, StationUnknown
from services.transit.stations import station
from tests.services.transit.line import TIMETABLE

NETWORK = TIMETABLE.network
NAMES = sorted(name for each in NETWORK.stations.values() for name in (each.name, *each.aliases))
CHARACTERS = st.sampled_from(sorted({one for name in NAMES for one in name} | set("大小东西站a7")))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("中南路", "zhongnan"),
        ("中南", "zhongnan"),
        ("地铁中南路站", "zhongnan"),
        ("我在光谷", "guanggu"),
        ("光谷广场那里", "guanggu"),
        ("武昌火车站", "wuchang"),
        ("武昌站", "wuchang"),
        ("中南录", "zhongnan"),
        ("洪山", "hongshan"),
        (" 中 南 路 ", "zhongnan"),
    ],
)
def test_as_riders_say_it(said: str, meant: str) -> None:
    assert station(NETWORK, said).id == meant


def test_two_that_may_be_meant_are_asked_about() -> None:
    with pytest.raises(StationUnclear) as unclear:
        station(NETWORK, "广场")
    assert unclear.value.facts["near"] == ["洪山广场", "光谷广场"]


@pytest.mark.parametrize(("said", "near"), [("火星", 1), ("", 0), ("xyz", 0), ("站", 1)])
def test_what_is_no_station_names_those_that_are_like_it(said: str, near: int) -> None:
    with pytest.raises(StationUnknown) as unknown:
        station(NETWORK, said)
    shown = unknown.value.facts["near"]
    assert isinstance(shown, list)
    assert len(shown) == near


@given(name=st.sampled_from(NAMES), at=st.integers(0, 6), other=CHARACTERS, how=st.sampled_from("adx"))
def test_one_slip_leads_to_it_or_to_a_question_and_never_further_away(
    name: str, at: int, other: str, how: str
) -> None:
    cut = min(at, len(name) - 1)
    said = {
        "a": name[:cut] + other + name[cut:],
        "d": name[:cut] + name[cut + 1 :],
        "x": name[:cut] + other + name[cut + 1 :],
    }[how]
    try:
        found = station(NETWORK, said)
    except (StationUnclear, StationUnknown):
        return
    called = (found.name, *found.aliases)
    near = min(Levenshtein.distance(said, each) for each in called)
    assert near <= 1 or any(said.strip("站") in each for each in called), (said, found.name)


@given(st.text(max_size=60))
def test_no_words_are_too_odd(said: str) -> None:
    try:
        found = station(NETWORK, said).id
    except (StationUnclear, StationUnknown) as refused:
        found = next(iter(NETWORK.stations))
        near = refused.facts["near"]
    else:
        near = []
    assert found in NETWORK.stations
    assert isinstance(near, list)
    assert len(near) <= 3
