"""The sheet of residents: one row for each door, or for each who lives behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.sheets.reading import Column, Read, read
from services.community.errors import TagStrange
from services.community.homes import room_of
from services.community.place_sheet import LONGEST_NAME, code_of

MOST_TAGS = 5
_LONGEST_TAG = 8
_MANY = str.maketrans("，,;；/ ", "、、、、、、")


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A door by the names that lead to it, who lives behind it, and what is to be thought of there."""

    code: str
    path: tuple[str, ...]
    room: str
    names: tuple[str, ...]
    tags: tuple[str, ...]


def _tags(said: str) -> tuple[str, ...]:
    """独居老人、无电梯."""
    tags = _several(said)
    if len(tags) > MOST_TAGS or any(len(each) > _LONGEST_TAG for each in tags):
        raise TagStrange(most=MOST_TAGS, longest=_LONGEST_TAG)
    return tags


def _several(said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in said.translate(_MANY).split("、") if each))


COLUMNS = (
    Column("code", "社区编码", ("社区代码", "统计代码"), check=code_of),
    Column("compound", "小区", ("院落", "小区名称"), required=False, longest=LONGEST_NAME),
    Column("building", "楼栋", ("楼号", "幢", "楼"), longest=LONGEST_NAME),
    Column("unit", "单元", ("单元号",), required=False, longest=LONGEST_NAME),
    Column("room", "房号", ("门牌号", "室号", "房间号"), check=room_of),
    Column("names", "姓名", ("住户", "户主", "居民姓名"), required=False, check=_several),
    Column("tags", "标签", ("备注标签",), required=False, check=_tags),
)


def read_doors(content: bytes) -> Read[DoorRow]:
    """Read a file; every bad row is named. For a thread."""
    return read(content, COLUMNS, _row)


def _row(cells: Mapping[str, object]) -> DoorRow:
    path = tuple(str(name) for key in ("compound", "building", "unit") if (name := cells.get(key, "")))
    names, tags = cells.get("names") or (), cells.get("tags") or ()
    if not isinstance(names, tuple) or not isinstance(tags, tuple):
        raise TypeError("several are a tuple")
    return DoorRow(str(cells["code"]), path, str(cells["room"]), names, tags)
