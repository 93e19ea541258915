"""Taps become trips, whatever order they arrived in (domain-rules J1-J5, J9, J10, J11, F4)."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import CITY_ZONE
from services.transit.fares import Because, Fare
from services.transit.pairing import Tap, Trip, TripState, Way, day_end, service_day, trips
from services.transit.tariffs import read

CITY = read(Path(__file__).parents[3] / "demo" / "transit")
TARIFF = CITY.tariffs[0]
STATIONS = sorted(CITY.network.stations)
MORNING = datetime(2026, 11, 23, 8, tzinfo=CITY_ZONE)
_OPEN, _CLOSED = TripState.OPEN, TripState.CLOSED
_MISSING, _ORPHAN = TripState.MISSING_EXIT, TripState.ORPHAN_EXIT


def tap(number: int, minutes: float, way: str, place: str, *, companion: bool = False) -> Tap:
    at = MORNING + timedelta(minutes=minutes)
    if way == "board":
        return Tap(number, at, Way.BOARD, "bus-15", vehicle=place, companion=companion)
    return Tap(number, at, Way(way), "m2", station=place)


def paired(*taps: Tap, over: bool = False) -> list[Trip]:
    return trips(taps, CITY.network, TARIFF, over=over)


def told(found: list[Trip]) -> list[tuple[TripState, int]]:
    return [(each.state, each.fen) for each in found]


def test_in_and_out_is_a_trip() -> None:
    (trip,) = paired(tap(1, 0, "in", "zhongnan"), tap(2, 25, "out", "guanggu"))
    assert (trip.state, trip.fen) == (_CLOSED, 400)
    assert trip.fare is not None
    assert trip.fare.metres == 8640


def test_who_is_under_way_is_until_the_day_ends() -> None:
    entry = tap(1, 0, "in", "zhongnan")
    assert told(paired(entry)) == [(_OPEN, 0)]
    assert told(paired(entry, over=True)) == [(_MISSING, 0)]


def test_who_goes_in_again_is_never_stranded() -> None:
    found = paired(tap(1, 0, "in", "zhongnan"), tap(2, 60, "in", "guanggu"), tap(3, 80, "out", "zhongnan"))
    assert told(found) == [(_MISSING, 0), (_CLOSED, 400)]


def test_an_exit_without_an_entry_is_listed() -> None:
    assert told(paired(tap(1, 0, "out", "zhongnan"))) == [(_ORPHAN, 0)]


def test_an_exit_that_is_uploaded_late_makes_the_trip_whole() -> None:
    entry, again, out = tap(1, 0, "in", "zhongnan"), tap(2, 90, "in", "guanggu"), tap(9, 25, "out", "guanggu")
    assert told(paired(entry, again)) == [(_MISSING, 0), (_OPEN, 0)]
    assert told(paired(entry, again, out)) == [(_CLOSED, 400), (_OPEN, 0)]


@pytest.mark.parametrize(
    ("minutes", "vehicle", "companion", "fen"),
    [
        (1, "A", False, 0),
        (3, "A", False, 0),
        (3.1, "A", False, 200),
        (1, "B", False, 200),
        (1, "A", True, 200),
    ],
)
def test_a_second_tap_on_one_bus(minutes: float, vehicle: str, companion: bool, fen: int) -> None:
    first, second = tap(1, 0, "board", "A"), tap(2, minutes, "board", vehicle, companion=companion)
    assert told(paired(first, second)) == [(_CLOSED, 200), (_CLOSED, fen)]


def test_a_slip_is_named_one() -> None:
    _, slip = paired(tap(1, 0, "board", "A"), tap(2, 1, "board", "A"))
    assert slip.fare is not None
    assert slip.fare.because is Because.ACCIDENTAL


@pytest.mark.parametrize(
    ("hour", "minute", "day"),
    [(2, 59, date(2026, 11, 22)), (3, 0, date(2026, 11, 23)), (23, 59, date(2026, 11, 23))],
)
def test_a_day_ends_at_three(hour: int, minute: int, day: date) -> None:
    at = datetime(2026, 11, 23, hour, minute, tzinfo=CITY_ZONE)
    assert service_day(at) == day
    assert day_end(day) > at


@st.composite
def days(draw: st.DrawFn) -> list[Tap]:
    """Whatever one account taps in a day."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        way = draw(st.sampled_from(["in", "out", "board"]))
        place = draw(st.sampled_from("AB" if way == "board" else STATIONS))
        minutes = draw(st.integers(0, 900))
        found.append(tap(number, minutes, way, place, companion=way == "board" and draw(st.booleans())))
    return found


@given(days(), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_arrival_changes_nothing(taps: list[Tap], chance: random.Random, over: bool) -> None:
    shuffled = taps.copy()
    chance.shuffle(shuffled)
    assert paired(*shuffled, over=over) == paired(*taps, over=over)


@given(days(), st.booleans())
def test_every_tap_is_in_just_one_trip(taps: list[Tap], over: bool) -> None:
    used = [each for trip in paired(*taps, over=over) for each in {trip.first, trip.last} - {None}]
    assert sorted(each.id for each in used if each) == sorted(each.id for each in taps)


@given(days(), st.booleans())
def test_what_is_no_whole_trip_is_not_charged(taps: list[Tap], over: bool) -> None:
    for trip in paired(*taps, over=over):
        assert (trip.fare is None) == (trip.state is not _CLOSED)
        assert trip.fen == 0 or trip.last is not None
    under_way = [trip for trip in paired(*taps, over=over) if trip.state is _OPEN]
    assert len(under_way) <= (0 if over else 1)


def capped(cap: int, number: int, minutes: float, way: str, place: str) -> Tap:
    return replace(tap(number, minutes, way, place), cap_fen=cap)


def test_no_ride_costs_more_than_the_code_that_began_it_allows() -> None:
    """C8: a ride is charged the cap, not nothing; what the way out says does not bind."""
    (trip,) = paired(capped(350, 1, 0, "in", "zhongnan"), capped(100, 2, 25, "out", "guanggu"))
    assert (trip.state, trip.fare) == (_CLOSED, Fare(350, Because.CAPPED, 8640))
    (just,) = paired(capped(400, 1, 0, "in", "zhongnan"), capped(100, 2, 25, "out", "guanggu"))
    assert just.fare == Fare(400, Because.DISTANCE, 8640), "control"
    assert told(paired(capped(150, 1, 0, "board", "E1"))) == [(_CLOSED, 150)]
    companion = replace(capped(150, 1, 0, "board", "E1"), companion=True)
    assert told(paired(companion)) == [(_CLOSED, 150)]


def test_who_stays_too_long_pays_the_cap_once_more_at_most() -> None:
    dearest = CITY.dearest(MORNING.date())
    taps = tap(1, 0, "in", "zhongnan"), tap(2, 211, "out", "guanggu")
    (whole,) = paired(*taps)
    assert (whole.fen, whole.fare and whole.fare.because) == (400 + dearest, Because.OVER_TIME)
    assert paired(*(replace(each, cap_fen=dearest) for each in taps)) == [
        replace(whole, first=replace(taps[0], cap_fen=dearest), last=replace(taps[1], cap_fen=dearest))
    ], "no code of the city is too small for it"
    assert [trip.fen for trip in paired(*(replace(each, cap_fen=300) for each in taps))] == [600]


def test_a_line_that_the_data_files_forgot_held_up_everybodys_rides() -> None:
    """Pairing raised, and with it every other account of its batch waited, again and again."""
    closed = replace(tap(1, 0, "board", "E1"), line="bus-gone")
    beside = replace(closed, id=2, companion=True)
    entry, out = replace(tap(3, 5, "in", "zhongnan"), station="gone"), tap(4, 20, "out", "guanggu")
    found = paired(closed, beside, entry, out, tap(5, 30, "in", "zhongnan"), tap(6, 55, "out", "guanggu"))
    assert [(trip.state, trip.fen, trip.fare and trip.fare.because) for trip in found] == [
        (_CLOSED, 0, Because.UNKNOWN_PLACE),
        (_CLOSED, 0, Because.UNKNOWN_PLACE),
        (_CLOSED, 0, Because.UNKNOWN_PLACE),
        (_CLOSED, 400, Because.DISTANCE),
    ]
