"""What is wrong with a sheet as a whole (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class SheetTooLarge(DomainError):
    """More bytes, rows or columns than `most` of `what`: "mb", "rows", "columns"."""

    code = "sheet_too_large"


class NoSheet(DomainError):
    """Neither CSV nor XLSX, or damaged, or locked by a password; `why`: "format", "damaged", "password"."""

    code = "no_sheet"


class EmptySheet(DomainError):
    """There is no row below the one with the names of the columns."""

    code = "empty_sheet"


class ColumnsMissing(DomainError):
    """The first row does not name these columns: `missing`; it names `found`."""

    code = "sheet_columns_missing"


class ColumnTwice(DomainError):
    """The first row names `column` twice."""

    code = "sheet_column_twice"


class CellMissing(DomainError):
    """Nothing stands in a cell that has to be filled."""

    code = "cell_missing"


class CellTooLong(DomainError):
    """More than `most` characters."""

    code = "cell_too_long"


class CellRounded(DomainError):
    """A spreadsheet program has taken a long number for an amount, and lost its last digits."""

    code = "cell_rounded"


class CellsBeyond(DomainError):
    """There are more cells in this row than names of columns: it is shifted."""

    code = "cells_beyond"
