"""`community places`: a sheet is looked at first, loaded whole or not at all, and listed."""

import csv
import io
from pathlib import Path

import pytest

from tests.commands.conftest import Own, Tell
from tests.services.community.test_places import HEAD, LINES, SPRING, Line
from tests.support.workbooks import workbook


def sheet(folder: Path, *lines: Line, encoding: str = "gbk") -> str:
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *lines])
    (folder / "places.csv").write_text(text.getvalue(), encoding)
    return str(folder / "places.csv")


def test_a_sheet_is_looked_at_loaded_and_listed(own: Own, tell: Tell) -> None:
    file = sheet(own.folder, *LINES)
    looked = tell(own.folder, "community", "places", "load", file, "--dry-run")
    assert looked.code == 0, looked.err
    new = "district 1, street 1, community 2, grid 2, compound 2, building 3, unit 2"
    assert f"new      {new}\n" in looked.out
    assert looked.out.endswith("a dry run: nothing was changed\n")
    assert "no place here" in tell(own.folder, "community", "places", "list").out
    assert tell(own.folder, "community", "places", "load", file).out.endswith("loaded\n")
    assert "known    13 places" in tell(own.folder, "community", "places", "load", file).out
    first = tell(own.folder, "community", "places", "list", "420106001", "--limit", "1").out
    assert first.startswith("420106001004            community   东湖社区\n")
    assert "list 420106001 --after 东湖社区" in first
    rest = tell(own.folder, "community", "places", "list", "420106001", "--after", "东湖社区").out
    assert rest == "420106001003            community   春风社区\n"
    below = tell(own.folder, "community", "places", "list", "420106001004").out
    assert "building    老邮局宿舍, 18 households" in below


def test_every_row_that_is_wrong_is_named_and_nothing_is_loaded(own: Own, tell: Tell) -> None:
    lines = [*LINES, [*SPRING, "", "", "", "", 5], ["4201", *SPRING[1:], "", "", "9栋", "", "许多"]]
    told = tell(own.folder, "community", "places", "load", sheet(own.folder, *lines))
    assert told.code == 1
    assert "row 6, 楼栋: 这一格是空的，要填上。" in told.out
    assert "row 7, 社区编码: 社区编码是 12 位数字" in told.out
    assert "row 7, 户数: 户数要写 0 到 2000 的整数" in told.out
    assert "2 rows of 6 wrong, so nothing was loaded" in told.err
    assert "no place here" in tell(own.folder, "community", "places", "list").out


def test_rows_that_do_not_fit_together_are_told_in_words(own: Own, tell: Tell) -> None:
    house: Line = [*SPRING, "", "", "9栋", "", 8]
    lines: list[Line] = [
        house,
        [*SPRING, "", "", "9栋", "", 9],
        [*SPRING, "", "", "9栋", "1单元", 9],
        [*SPRING[:3], "秋月社区", "", "", "7栋", "", 9],
        ["4.20106E+11", *SPRING[1:], "", "", "6栋", "", 9],
        [*SPRING, "", "", "栋" * 41, "", 9],
    ]
    told = tell(own.folder, "community", "places", "load", sheet(own.folder, *lines)).out.splitlines()
    assert told == [
        "row 3: 和第 2 行是同一个地方。请删去一行。",
        "row 4: 同一栋楼，第 2 行和这一行一个分单元、一个不分。请统一。",
        "row 5: 编码 420106001003 是“春风社区”，这里写的是别的名字。请核对编码和名字。",
        "row 6, 社区编码: 这个数字被表格软件改短了，后几位丢了。请把这一列设成“文本”格式，再重新填写。",
        "row 7, 楼栋: 太长了，最多 40 个字。",
    ]


def test_a_shifted_column_is_told_before_its_rows(own: Own, tell: Tell) -> None:
    shifted: list[Line] = [[line[0], "x", *line[1:]] for line in LINES]
    told = tell(own.folder, "community", "places", "load", sheet(own.folder, *shifted))
    assert told.out.startswith("column 户数: most rows are wrong in it, so perhaps the columns are shifted\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xd8\xff\xe0 a photograph" + bytes(range(256)), "这不是能读的表格"),
        (b"PK\3\4 broken", "这个表格打不开"),
        ("区,街道\n武昌区,水果湖街道\n".encode(), "第一行里没有这些列：社区编码、社区、楼栋、户数"),
        (workbook([HEAD]), "表格里没有内容"),
        (workbook([[*HEAD, "楼号"], LINES[0]]), "第一行里有两列都是“楼栋”"),
        (b"x" * (10 * 1024 * 1024 + 1), "文件太大了，最多 10 MB"),
    ],
)
def test_what_is_no_such_sheet_is_one_clear_line(own: Own, tell: Tell, content: bytes, says: str) -> None:
    (own.folder / "places.xlsx").write_bytes(content)
    told = tell(own.folder, "community", "places", "load", str(own.folder / "places.xlsx"))
    assert (told.code, says in told.line) == (2, True), told.err
    missing = tell(own.folder, "community", "places", "load", "nowhere.csv")
    assert (missing.code, "nowhere.csv cannot be read" in missing.line) == (2, True)


def test_a_list_of_residents_is_looked_at_and_loaded(own: Own, tell: Tell) -> None:
    tell(own.folder, "community", "places", "load", sheet(own.folder, *LINES))
    head: Line = ["社区编码", "小区", "楼栋", "单元", "房号", "姓名", "民族"]
    lines: list[Line] = [
        [SPRING[0], "春风小区", "1栋", "1单元", "502", "王秀英", "汉"],
        [SPRING[0], "春风小区", "2栋", "", "5楼", "李小芳", "汉"],
    ]
    assert tell(own.folder, "keys", "create").code == 0
    file = own.folder / "residents.xlsx"
    file.write_bytes(workbook([head, *lines]))
    wrong = tell(own.folder, "community", "residents", "load", str(file))
    assert wrong.code == 1
    assert "row 3, 房号: 门牌号请这样写" in wrong.out
    assert "1 row of 2 wrong, so nothing was loaded" in wrong.err
    file.write_bytes(workbook([head, lines[0], [SPRING[0], "秋月小区", "7栋", "", "1", "", ""]]))
    assert (
        "row 3: 这个社区里没有“秋月小区 7栋”"
        in tell(own.folder, "community", "residents", "load", str(file)).out
    )
    file.write_bytes(workbook([head, lines[0]]))
    looked = tell(own.folder, "community", "residents", "load", str(file), "--dry-run")
    assert "column 民族: not one of ours" in looked.out
    assert "new      1 door\n" in looked.out
    assert looked.out.endswith("a dry run: nothing was changed\n")
    assert tell(own.folder, "community", "residents", "load", str(file)).out.endswith("loaded\n")
    again = tell(own.folder, "community", "residents", "load", str(file)).out
    assert "known    1 door\n" in again
    file.write_bytes(workbook([head, [*lines[0][:4], "503", "一、二", ""]]))
    assert "gone     1 door that" in tell(own.folder, "community", "residents", "load", str(file)).out


def test_too_many_tags_are_told(own: Own, tell: Tell) -> None:
    head: Line = ["社区编码", "楼栋", "房号", "标签"]
    assert tell(own.folder, "keys", "create").code == 0
    file = own.folder / "residents.xlsx"
    file.write_bytes(workbook([head, [SPRING[0], "1栋", "502", "一、二、三、四、五、六"]]))
    assert "标签最多 5 个" in tell(own.folder, "community", "residents", "load", str(file)).out
