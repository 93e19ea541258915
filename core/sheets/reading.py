"""A sheet that somebody fills in: its columns by name, each row looked at by itself, every bad one named."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from core.errors import DomainError
from core.sheets.errors import (
    CellMissing,
    CellRounded,
    CellsBeyond,
    CellTooLong,
    ColumnsMissing,
    ColumnTwice,
    EmptySheet,
)
from core.sheets.grid import ROUNDED, Row, clean, rows

T = TypeVar("T")
_LONGEST = 200
_SHIFTED = 0.5  # of the rows are bad in one column: it is the column that is wrong


@dataclass(frozen=True, slots=True)
class Column:
    """A column by what its first row calls it; `check` reads a cell, and refuses with a `DomainError`."""

    key: str
    title: str
    aliases: tuple[str, ...] = ()
    required: bool = True
    check: Callable[[str], object] = str
    longest: int = _LONGEST


@dataclass(frozen=True, slots=True)
class Bad:
    """What is wrong with a row, by its number in the file; `column` is "" where it is the whole row."""

    row: int
    column: str
    because: DomainError


@dataclass(frozen=True, slots=True)
class Good(Generic[T]):
    """What a row says, and its number in the file."""

    row: int
    value: T


@dataclass(slots=True)
class Read(Generic[T]):
    """A whole sheet. `shifted`: columns in which most of the rows are bad, so that the column itself is."""

    good: list[Good[T]] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    unknown: tuple[str, ...] = ()  # columns that nobody asked for
    shifted: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self.good) + len({each.row for each in self.bad})


def read(content: bytes, columns: Sequence[Column], make: Callable[[Mapping[str, object]], T]) -> Read[T]:
    """Read a file; refusals of the whole are raised, those of a row stand in the answer.

    `make` gets the cells by their keys, those that are empty as "", and may refuse the row. For a thread.
    """
    grid = rows(content)
    if not grid:
        raise EmptySheet
    places, unknown = _places(grid[0], columns)
    if len(grid) == 1:
        raise EmptySheet
    found: Read[T] = Read(unknown=unknown)
    width = len(grid[0][1])
    for number, cells in grid[1:]:
        values, wrong = _cells(number, cells, places, width)
        if not wrong:
            try:
                found.good.append(Good(number, make(values)))
            except DomainError as refusal:
                wrong.append(Bad(number, "", refusal))
        found.bad += wrong
    found.shifted = _shifted(found)
    return found


def _places(first: Row, columns: Sequence[Column]) -> tuple[list[tuple[Column, int]], tuple[str, ...]]:
    """Where each column stands, by the first row; `ColumnsMissing`, `ColumnTwice`."""
    names = [_folded(cell) for cell in first[1]]
    places: list[tuple[Column, int]] = []
    for column in columns:
        wanted = {_folded(each) for each in (column.title, *column.aliases)}
        found = [at for at, name in enumerate(names) if name in wanted]
        if len(found) > 1:
            raise ColumnTwice(column=column.title)
        if found:
            places.append((column, found[0]))
    known = {column.key for column, _ in places}
    if missing := [each.title for each in columns if each.required and each.key not in known]:
        raise ColumnsMissing(missing=missing, found=[cell for cell in first[1] if cell])
    taken = {at for _, at in places}
    return places, tuple(cell for at, cell in enumerate(first[1]) if cell and at not in taken)


def _cells(
    number: int, cells: Sequence[str], places: Sequence[tuple[Column, int]], width: int
) -> tuple[dict[str, object], list[Bad]]:
    wrong: list[Bad] = []
    values: dict[str, object] = {}
    if len(cells) > width:
        wrong.append(Bad(number, "", CellsBeyond()))
    for column, at in places:
        cell = cells[at] if at < len(cells) else ""
        try:
            values[column.key] = _value(column, cell)
        except DomainError as refusal:
            wrong.append(Bad(number, column.title, refusal))
    return values, wrong


def _value(column: Column, cell: str) -> object:
    if not cell:
        if column.required:
            raise CellMissing
        return ""
    if cell == ROUNDED:
        raise CellRounded
    if len(cell) > column.longest:
        raise CellTooLong(most=column.longest)
    return column.check(cell)


def _shifted(found: Read[T]) -> tuple[str, ...]:
    counts = Counter(each.column for each in found.bad if each.column)
    return tuple(column for column, count in counts.items() if count > max(1, found.total * _SHIFTED))


def _folded(name: str) -> str:
    return clean(name).replace(" ", "").rstrip("*:：").casefold()
