"""Sheets as people make them: whichever program saved them, every row is read, or named with its mistake."""

import io
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from core.sheets import grid
from core.sheets.errors import ColumnsMissing, ColumnTwice, EmptySheet, NoSheet, SheetTooLarge
from core.sheets.reading import Column, Read, read
from tests.support.workbooks import workbook

LINES = [["楼栋", "姓名", "手机"], ["3栋", "王秀英", "13800000001"], ["5栋", "欧阳·古丽", "13800000002"]]
MOVED = [
    ["手 机：", "＊", "楼号*", "姓名"],
    ["13800000001", "", " 3栋 ", "王秀英"],
    ["１３８０００００００２", "", "5栋", "欧阳·古丽"],
]
TABLE = [("3栋", "王秀英", "13800000001"), ("5栋", "欧阳·古丽", "13800000002")]


class NoPhone(DomainError):  # noqa: N818 - named by what is the case
    """A telephone number has eleven digits."""

    code = "no_phone"


def phone(said: str) -> str:
    if len(said) != 11 or not said.isdecimal():
        raise NoPhone
    return said


COLUMNS = (
    Column("building", "楼栋", ("楼号",)),
    Column("name", "姓名", longest=20),
    Column("phone", "手机", ("手机号", "联系电话"), required=False, check=phone),
)


def told(content: bytes) -> Read[tuple[object, ...]]:
    def row(cells: Mapping[str, object]) -> tuple[object, ...]:
        return cells["building"], cells["name"], cells.get("phone", "")

    return read(content, COLUMNS, row)


def values(content: bytes) -> list[tuple[object, ...]]:
    found = told(content)
    assert found.bad == []
    return [each.value for each in found.good]


def faults(found: Read[tuple[object, ...]]) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.because.code) for each in found.bad]


def text(mark: str = ",", lines: list[list[str]] = LINES) -> str:
    return "\r\n".join(mark.join(line) for line in lines) + "\r\n"


@pytest.mark.parametrize(
    "content",
    [
        text().encode(),
        text().encode("utf-8-sig"),
        text().encode("gbk"),
        text("\t").encode("utf-16"),
        text(";").encode(),
        workbook(LINES),
        workbook([["x"]], LINES, hidden=[0]),
        workbook([*LINES[:1], ["3栋", "王秀英", 13800000001.0], ["5栋", "欧阳·古丽", 13800000002]]),
        text(lines=MOVED).encode(),
    ],
    ids=["utf-8", "marked", "gbk", "utf-16, tabs", "semicolons", "xlsx", "second sheet", "numbers", "moved"],
)  # fmt: skip
def test_however_it_was_saved_it_says_the_same(content: bytes) -> None:
    assert values(content) == TABLE


def test_every_bad_row_is_named_with_its_number_column_and_reason() -> None:
    lines = [
        ["楼栋", "姓名", "手机", "备注"],
        ["3栋", "王秀英", "1380000000", ""],
        [],
        ["", "赵" * 21, "13800000001"],
        ["5栋", "李四", "13800000002", "好"],
    ]
    found = told(text(lines=lines).encode())
    assert faults(found) == [
        (2, "手机", "no_phone"),
        (4, "楼栋", "cell_missing"),
        (4, "姓名", "cell_too_long"),
    ]
    assert [(each.row, each.value) for each in found.good] == [(5, ("5栋", "李四", "13800000002"))]
    assert (found.total, found.unknown, found.shifted) == (3, ("备注",), ())


def test_a_shifted_column_is_told_as_one() -> None:
    lines = [["楼栋", "姓名", "手机"], *(["3栋", "王秀英", "女", f"1380000000{n}"] for n in range(6))]
    found = told(text(lines=lines).encode())
    assert found.good == []
    assert {each.because.code for each in found.bad} == {"cells_beyond", "no_phone"}
    assert found.shifted == ("手机",)


def test_a_number_that_a_spreadsheet_has_rounded_is_not_taken() -> None:
    for content in (
        text(lines=[*LINES[:1], ["3栋", "1.10105E+17", ""]]).encode(),
        workbook([*LINES[:1], ["3栋", 110105194912310021.0, None]]),
    ):
        assert faults(told(content)) == [(2, "姓名", "cell_rounded")]
    assert values(text(lines=[*LINES[:1], ["3栋", '="0105"', ""]]).encode()) == [("3栋", "0105", "")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", EmptySheet),
        (text(lines=LINES[:1]).encode(), EmptySheet),
        (text(lines=[["楼栋", "电话"], ["3栋", "1"]]).encode(), ColumnsMissing),
        (text(lines=[["楼栋", "楼号", "姓名"], ["3栋", "3", "王"]]).encode(), ColumnTwice),
        (b"\xff\xd8\xff\xe0 a photograph" + bytes(range(256)), NoSheet),
        (b"PK\3\4 not a workbook", NoSheet),
        (workbook(LINES)[:-200], NoSheet),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), NoSheet),
        (b'"no end\n' + b"x" * 200_000, NoSheet),
        (b"x" * (grid.MOST_BYTES + 1), SheetTooLarge),
        (b"a," * 100, SheetTooLarge),
    ],
)
def test_what_is_no_such_sheet_is_refused_whole(content: bytes, why: type[DomainError]) -> None:
    with pytest.raises(why):
        told(content)


def test_what_is_missing_is_told_beside_what_is_there() -> None:
    with pytest.raises(ColumnsMissing) as refused:
        told(text(lines=[["小区", "电话"], ["1", "2"]]).encode())
    assert refused.value.facts == {"missing": ["楼栋", "姓名"], "found": ["小区", "电话"]}


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_ROWS", 2)
    assert len(told(text().encode()).good) == 2
    with pytest.raises(SheetTooLarge):
        told(text(lines=[*LINES, ["7栋", "赵", ""]]).encode())


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO(workbook(LINES))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/bomb", bytes(2_000_000))
    monkeypatch.setattr(grid, "_MOST_UNPACKED", 1_000_000)
    assert len(file.getvalue()) < 10_000
    with pytest.raises(SheetTooLarge):
        told(file.getvalue())


@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda tail: workbook(LINES)[:300] + tail))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    try:
        found = told(content)
    except DomainError:
        return
    assert found.total >= 1
