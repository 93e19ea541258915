"""Places out of a sheet: read, compared, loaded once; what does not fit together is named with its row."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.sheets.reading import Good
from core.stores.database import Database
from services.community import places_store as store
from services.community.model import Place, PlaceKind, is_within
from services.community.place_sheet import Row, read_places
from services.community.places import Places, planned
from tests.support.workbooks import workbook

Line = list[str | int]
HEAD: Line = ["社区编码", "区", "街道", "社区", "网格", "小区", "楼栋", "单元", "户数"]
SPRING: Line = ["420106001003", "武昌区", "水果湖街道", "春风社区"]
LINES: list[Line] = [
    [*SPRING, "第一网格", "春风小区", "1栋", "1单元", 24],
    [*SPRING, "第一网格", "春风小区", "1栋", "2单元", 24],
    [*SPRING, "第二网格", "春风小区", "2栋", "", 60],
    ["420106001004", "武昌区", "水果湖街道", "东湖社区", "", "", "老邮局宿舍", "", 18],
]


def good(*lines: Line) -> list[Good[Row]]:
    found = read_places(workbook([HEAD, *lines]))
    assert found.bad == []
    return found.good


def bad(*lines: Line) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.because.code) for each in read_places(workbook([HEAD, *lines])).bad]


@pytest.fixture
def places(db: Database, clock: ManualClock) -> Places:
    return Places(db, clock)


async def tree(places: Places, parent: str = "", depth: int = 0) -> list[str]:
    """What stands there, one line each, indented."""
    found = []
    for each in await places.below(parent):
        counted = "" if each.households is None else f" {each.households}"
        found += [f"{'  ' * depth}{each.name}{counted}", *await tree(places, each.id, depth + 1)]
    return found


async def test_a_sheet_becomes_a_tree_and_loading_it_again_changes_nothing(places: Places) -> None:
    plan = await places.load(good(*LINES), dry_run=True)
    assert plan.added == Counter(
        {"district": 1, "street": 1, "community": 2, "grid": 2, "compound": 2, "building": 3, "unit": 2}
    )
    assert await tree(places) == [], "only looked at"
    await places.load(good(*LINES), dry_run=False)
    assert await tree(places) == [
        "武昌区",
        "  水果湖街道",
        "    东湖社区",
        "      老邮局宿舍 18",
        "    春风社区",
        "      第一网格",
        "        春风小区",
        "          1栋",
        "            1单元 24",
        "            2单元 24",
        "      第二网格",
        "        春风小区",
        "          2栋 60",
    ]
    again = await places.load(good(*LINES), dry_run=False)
    assert (again.new, again.counted, again.missing, again.known) == ([], [], [], 13)


async def test_what_changed_is_counted_anew_and_what_is_gone_is_told_and_kept(places: Places) -> None:
    await places.load(good(*LINES), dry_run=False)
    split: list[Line] = [[*SPRING, "第二网格", "春风小区", "2栋", f"{number}单元", 30] for number in (1, 2)]
    plan = await places.load(
        good([*SPRING, "第一网格", "春风小区", "1栋", "1单元", 25], *split), dry_run=False
    )
    assert [(place.name, number) for place, number in plan.counted] == [("1单元", 25), ("2栋", None)]
    assert [each.name for each in plan.missing] == ["2单元"]
    assert [each.name for each in plan.new] == ["1单元", "2单元"]
    assert "            2单元 24" in await tree(places), "nobody's home goes with a sheet"


async def test_a_code_that_is_another_place_stops_the_whole_sheet(places: Places) -> None:
    await places.load(good(*LINES), dry_run=False)
    moved: Line = ["420106001003", "武昌区", "水果湖街道", "秋月社区", "", "", "9栋", "", 8]
    plan = await places.load(good(*LINES[3:], moved), dry_run=False)
    (wrong,) = plan.bad
    assert (wrong.row, wrong.because.code) == (3, "place_other_name")
    assert wrong.because.facts == {"code": "420106001003", "name": "春风社区"}
    assert "      9栋 8" not in await tree(places)


def test_every_row_that_does_not_fit_is_named() -> None:
    first = LINES[2]
    assert bad(first, [*first[:-1], 61]) == [(3, "", "place_twice")]
    assert bad(first, [*first[:7], "1单元", 30]) == [(3, "", "building_has_units")]
    assert bad(first, [*first[:3], "夏雨社区", *first[4:]]) == [(3, "", "place_other_name")]
    assert bad([*first[:6], "", "", 5]) == [(2, "楼栋", "cell_missing")]
    assert bad([*first[:8], "many"]) == [(2, "户数", "households")]
    assert bad([*first[:8], 2001]) == [(2, "户数", "households")]
    assert bad(["42010600100", *first[1:]]) == [(2, "社区编码", "community_code")]
    assert bad([420106001003, *first[1:]]) == [], "twelve digits are kept by any spreadsheet"


def test_a_shifted_column_is_seen_as_one() -> None:
    shifted: list[Line] = [[line[0], "x", *line[1:]] for line in LINES]
    found = read_places(workbook([HEAD, *shifted]))
    assert found.good == []
    assert found.shifted == ("户数",)
    assert "cells_beyond" in {each.because.code for each in found.bad}


async def test_two_load_the_same_sheet_at_once(places: Places) -> None:
    plans = await asyncio.gather(*(places.load(good(*LINES), dry_run=False) for _ in range(4)))
    assert sorted(len(plan.new) for plan in plans) == [0, 0, 0, 13]


async def test_control_without_the_lock_one_of_them_fails(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, under = asyncio.Barrier(2), store.under

    async def nobody_waits(_tx: object) -> None: ...

    async def both_looked(*said: object) -> list[Place]:
        found = await under(*said)  # type: ignore[arg-type]
        await both.wait()
        return found

    monkeypatch.setattr(store, "alone", nobody_waits)
    monkeypatch.setattr(store, "under", both_looked)
    async with asyncio.timeout(20):
        done = await asyncio.gather(
            *(places.load(good(*LINES), dry_run=False) for _ in range(2)), return_exceptions=True
        )
    assert any(isinstance(each, Exception) for each in done)


def test_whoever_works_for_a_code_works_for_what_begins_with_it() -> None:
    for scope in ("420106", "420106001", "420106001003"):
        assert is_within("420106001003-aaaaaaaa", scope)
    for scope in ("", "420106001004", "42010600100312"):
        assert not is_within("420106001003-aaaaaaaa", scope)


_NAME = st.sampled_from("甲乙丙")
_ROW = st.builds(
    lambda community, grid, building, unit, number: Row(
        f"42010600100{community}",
        tuple(
            (kind, name)
            for kind, name in (
                (PlaceKind.DISTRICT, "区"),
                (PlaceKind.STREET, "街"),
                (PlaceKind.COMMUNITY, f"社区{community}"),
                (PlaceKind.GRID, grid),
                (PlaceKind.BUILDING, building),
                (PlaceKind.UNIT, unit),
            )
            if name
        ),
        number,
    ),
    st.integers(1, 2),
    st.just("") | _NAME,
    _NAME,
    st.just("") | _NAME,
    st.integers(0, 50),
)


@given(st.lists(_ROW, max_size=12))
def test_a_plan_carried_out_leaves_nothing_to_do(rows: list[Row]) -> None:
    sheet = [Good(number, row) for number, row in enumerate(rows, start=2)]
    first = planned(sheet, [])
    assert first.bad == []
    parents = {each.id: each for each in first.new}
    for each in first.new:
        assert each.parent == "" or is_within(each.id, parents[each.parent].community)
    stands = {each.id: each for each in first.new}
    again = planned(sheet, list(stands.values()))
    assert (again.new, again.counted, again.missing) == ([], [], [])
