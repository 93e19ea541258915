"""A community's list of residents: every bad row named, little of it kept, and what it says to who asks."""

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.sheets.reading import Read
from core.stores.database import Database
from services.community.door_sheet import DoorRow, read_doors
from services.community.doors import DoorPlan, Listed
from tests.services.community.estate import LAKE, SPRING, Estate
from tests.support.workbooks import workbook

Line = list[str | int]
HEAD: Line = ["社区编码", "小区", "楼栋", "单元", "房号", "姓名", "标签"]
LINES: list[Line] = [
    [SPRING, "春风小区", "1栋", "2单元", "502", "王秀英、李建国", "独居老人"],
    [SPRING, "春风小区", "1栋", "2单元", "502", "李小芳", ""],
    [SPRING, "春风小区", "2栋", "", 503, "", ""],
    [LAKE, "", "老邮局宿舍", "", "3", "赵明", "无电梯，低保"],
]


def sheet(*lines: Line) -> Read[DoorRow]:
    return read_doors(workbook([HEAD, *lines]))


@pytest.fixture
async def estate(db: Database, seal: Seal, clock: ManualClock) -> Estate:
    estate = Estate(db, seal, clock)
    await estate.build()
    return estate


async def loads(estate: Estate, *lines: Line, dry_run: bool = False) -> DoorPlan:
    found = sheet(*lines)
    assert found.bad == []
    return await estate.community.doors.load(found.good, dry_run=dry_run)


async def count(estate: Estate) -> int:
    return int(await estate.db.fetchval("SELECT count(*) FROM community_doors"))


async def says(estate: Estate, *names: str, room: str, name: str) -> Listed:
    number = await estate.asks(await estate.citizen(), *names, room=room, name=name)
    home = await estate.homes.asked(number, {"420106"})
    return (await estate.community.doors.listed([home]))[number]


async def test_staff_is_told_what_the_list_says_to_a_home(estate: Estate) -> None:
    where = ("春风小区", "1栋", "2单元")
    assert await says(estate, *where, room="502", name="王秀英") is Listed.NO_LIST
    assert await loads(estate, *LINES[:3]) == DoorPlan(new=2)
    assert await says(estate, *where, room="502", name="王秀英") is Listed.SAME
    assert await says(estate, *where, room="502", name="李小芳") is Listed.SAME, "of another row of the door"
    assert await says(estate, *where, room="502", name="张三") is Listed.OTHER
    assert await says(estate, *where, room="503", name="王秀英") is Listed.NO_DOOR
    assert await says(estate, "春风小区", "2栋", room="503", name="张三") is Listed.NAMELESS
    assert await says(estate, "春风里", "1栋", room="3", name="赵明") is Listed.NO_LIST, "another community"


async def test_a_list_takes_the_place_of_the_last_one_of_its_communities(estate: Estate) -> None:
    await loads(estate, *LINES)
    assert await loads(estate, *LINES[:2], dry_run=True) == DoorPlan(known=1, gone=1)
    assert await count(estate) == 3, "only looked at"
    assert await loads(estate, *LINES[:2]) == DoorPlan(known=1, gone=1)
    assert await count(estate) == 2, "the other one keeps its own"


async def test_neither_rooms_nor_names_nor_tags_stand_there_in_clear(estate: Estate) -> None:
    await loads(estate, *LINES, [SPRING, "春风小区", "2栋", "", "B-502", "", ""])
    kept = await estate.db.fetchval("SELECT jsonb_agg(d)::text FROM community_doors d")
    assert not [word for word in ("B-502", "王秀英", "独居", "低保") if word in kept]


async def test_a_door_in_a_place_that_nobody_knows_stops_the_whole_list(estate: Estate) -> None:
    house: Line = [SPRING, "春风小区", "1栋", "", "1", "", ""]
    elsewhere: Line = [LAKE, "春风小区", "1栋", "2单元", "502", "", ""]
    plan = await estate.community.doors.load(sheet(*LINES, house, elsewhere).good, dry_run=False)
    assert [(each.row, each.because.code) for each in plan.bad] == [
        (6, "door_elsewhere"),
        (7, "door_elsewhere"),
    ]
    assert await count(estate) == 0


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (["12", "春风小区", "1栋", "", "502", "", ""], ("社区编码", "community_code")),
        ([SPRING, "春风小区", "", "", "502", "", ""], ("楼栋", "cell_missing")),
        ([SPRING, "春风小区", "1栋", "", "五楼", "", ""], ("房号", "room_strange")),
        ([SPRING, "春风小区", "1栋", "", "", "", ""], ("房号", "cell_missing")),
        ([SPRING, "春风小区", "1栋", "", "502", "", "一、二、三、四、五、六"], ("标签", "tag_strange")),
        ([SPRING, "春风小区", "1栋", "", "502", "", "一二三四五六七八九"], ("标签", "tag_strange")),
    ],
)
def test_every_bad_row_is_named_with_its_column(line: Line, wrong: tuple[str, str]) -> None:
    found = sheet(*LINES, line)
    assert [(each.row, each.column, each.because.code) for each in found.bad] == [(6, *wrong)]


def test_a_column_that_is_shifted_is_told_as_that() -> None:
    shifted: list[Line] = [["", *line[:-1]] for line in LINES]
    assert "社区编码" in sheet(*shifted).shifted
