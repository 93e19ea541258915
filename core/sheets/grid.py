"""From the bytes of a CSV or XLSX file to rows of text, each with its number as a spreadsheet shows it."""

import csv
import io
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from core.sheets.errors import NoSheet, SheetTooLarge

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 60
_MOST_UNPACKED = 300 * 1024 * 1024
_MOST_CELL = 2_000  # characters; what is longer is cut, and refused by whoever looks at it
_EXACT = 10**15  # a number of a spreadsheet has 15 digits that can be relied on
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
ROUNDED = "\N{REPLACEMENT CHARACTER}"  # stands for a number of which digits are lost
Row = tuple[int, list[str]]
_Cell = int | float | str | bool | time | date | datetime | timedelta


def rows(content: bytes) -> list[Row]:
    """The rows in which anything stands; `NoSheet`, `SheetTooLarge`. For a thread: it computes."""
    if len(content) > MOST_BYTES:
        raise SheetTooLarge(what="mb", most=MOST_BYTES // 1024**2)
    read = _workbook if content[:2] == b"PK" else _text
    found: list[Row] = []
    for number, cells in enumerate(read(content), start=1):
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MOST_COLUMNS:
            raise SheetTooLarge(what="columns", most=MOST_COLUMNS)
        if len(found) > MOST_ROWS:
            raise SheetTooLarge(what="rows", most=MOST_ROWS)
        found.append((number, cells))
    return found


def clean(text: str) -> str:
    """Text as people mean it: full-width forms, odd blanks and what cannot be seen put right."""
    shown = unicodedata.normalize("NFKC", text)
    return " ".join("".join(one for one in shown if one.isprintable() or one.isspace()).split())


def _workbook(content: bytes) -> Iterator[list[str]]:
    """The first sheet that is not hidden; a small file that unpacks to a huge one is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > _MOST_UNPACKED:
                raise SheetTooLarge(what="mb", most=_MOST_UNPACKED // 1024**2)
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            shown = [each.name for each in book.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
            table = book.get_sheet_by_name((shown or book.sheet_names)[0])
            first = table.start[0] if table.start else 0
            yield from ([] for _ in range(first))
            for row in table.iter_rows():
                yield [_said(cell) for cell in row]
    except PasswordError:
        raise NoSheet(why="password") from None
    except (CalamineError, zipfile.BadZipFile, ValueError, IndexError):
        raise NoSheet(why="damaged") from None


def _said(cell: _Cell) -> str:
    """What stands in a cell, as its reader sees it."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float | int):
        if abs(cell) >= _EXACT:
            return ROUNDED
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    return clean(str(cell)[: _MOST_CELL + 1])


def _text(content: bytes) -> Iterator[list[str]]:
    """CSV as Excel, WPS and others save it: UTF-8 or GBK; commas, semicolons or tabs."""
    text = _decoded(content)
    if "\0" in text:
        raise NoSheet(why="format")
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=lambda each: (first.count(each), -",;\t".index(each)))
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True):
            yield [_as_text(cell) for cell in row]
    except csv.Error:
        raise NoSheet(why="damaged") from None


def _as_text(cell: str) -> str:
    """`="010"` tells Excel to leave a number alone; 1.10105E+17 is one that it did not leave alone."""
    shown = clean(cell[: _MOST_CELL + 1])
    if shown.startswith('="') and shown.endswith('"'):
        shown = shown[2:-1]
    mantissa, _, exponent = shown.upper().partition("E+")
    is_rounded = exponent.isdecimal() and mantissa.replace(".", "", 1).isdecimal()
    return ROUNDED if is_rounded else shown


def _decoded(content: bytes) -> str:
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), "")
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NoSheet(why="format")
