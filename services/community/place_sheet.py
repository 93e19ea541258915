"""The sheet of places: one row for each unit, or for each building without units."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import DomainError
from core.sheets.reading import Bad, Column, Good, Read, read
from services.community.errors import CommunityCode, HasUnits, Households, OtherName, PlaceTwice
from services.community.model import PlaceKind

MOST_HOUSEHOLDS = 2_000  # of one unit
_CODE_DIGITS = 12
_CODED = (6, 9, 12)  # digits of a district, a street, a community
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A place with all that it is in, from the district down; `code` is its community's."""

    code: str
    path: tuple[tuple[PlaceKind, str], ...]
    households: int


def code_of(said: str) -> str:
    """The statistical code of a community; `CommunityCode`."""
    if len(said) != _CODE_DIGITS or not (said.isascii() and said.isdecimal()):
        raise CommunityCode
    return said


def _households(said: str) -> int:
    if not (said.isascii() and said.isdecimal()) or int(said[:9]) > MOST_HOUSEHOLDS:
        raise Households(most=MOST_HOUSEHOLDS)
    return int(said)


_NAMES = (
    (PlaceKind.DISTRICT, "区", ("区县",), True),
    (PlaceKind.STREET, "街道", ("乡镇", "镇街"), True),
    (PlaceKind.COMMUNITY, "社区", ("村", "社区名称"), True),
    (PlaceKind.GRID, "网格", ("网格名称",), False),
    (PlaceKind.COMPOUND, "小区", ("院落", "小区名称"), False),
    (PlaceKind.BUILDING, "楼栋", ("楼号", "幢", "楼"), True),
    (PlaceKind.UNIT, "单元", ("单元号",), False),
)
COLUMNS = (
    Column("code", "社区编码", ("社区代码", "统计代码"), check=code_of),
    *(Column(kind, title, other, required, longest=LONGEST_NAME) for kind, title, other, required in _NAMES),
    Column("households", "户数", ("住户数",), check=_households),
)


def read_places(content: bytes) -> Read[Row]:
    """Read a file; every row that does not fit the others is bad, too. For a thread."""
    found = read(content, COLUMNS, _row)
    together = _Together()
    good = []
    for each in found.good:
        try:
            together.take(each)
        except DomainError as refusal:
            found.bad.append(Bad(each.row, "", refusal))
        else:
            good.append(each)
    found.good = good
    found.bad.sort(key=lambda bad: bad.row)
    return found


def _row(cells: Mapping[str, object]) -> Row:
    path = tuple((kind, str(name)) for kind, *_ in _NAMES if (name := cells.get(kind, "")))
    return Row(str(cells["code"]), path, int(str(cells["households"])))


class _Together:
    """What the rows so far say: a code has one name, a place one row, and a building has units or none."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._rows: dict[tuple[object, ...], int] = {}
        self._buildings: dict[tuple[object, ...], tuple[bool, int]] = {}

    def take(self, row: Good[Row]) -> None:
        """One row more; a `DomainError` where it does not fit those before."""
        value = row.value
        for digits, (_, name) in zip(_CODED, value.path, strict=False):
            if (before := self._names.setdefault(value.code[:digits], name)) != name:
                raise OtherName(code=value.code[:digits], name=before)
        place = (value.code, *value.path)
        if (first := self._rows.setdefault(place, row.row)) != row.row:
            raise PlaceTwice(row=first)
        has_units = value.path[-1][0] is PlaceKind.UNIT
        building = place[:-1] if has_units else place
        having, first = self._buildings.setdefault(building, (has_units, row.row))
        if having is not has_units:
            raise HasUnits(row=first)
