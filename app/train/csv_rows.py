"""Text as rows of cells: which character stands between columns, on which line a row begins, and
whether the first row holds names.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import NoReturn

from app.engine.errors import BackstepError, LimitError
from app.train.limits import SpecLimits

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
PEEKED = 20  # rows by which the delimiter is chosen
MOST_COLUMNS = 1_000
LONGEST_NAME = 180  # and a number, where two columns are called the same

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Row:
    line: int
    cells: list[str]


def fail(message: str, where: str) -> NoReturn:
    raise BackstepError(message, where=where)


def delimiter_of(text: str) -> str:
    """The first of tab, semicolon and comma that cuts most of the first lines into as many columns.
    The comma comes last, since it may also stand inside numbers. Where lines have ever other
    numbers of columns, the first that cuts most of them at all: the table is then refused by line.
    """
    ragged = ","
    lines = text.splitlines()[: PEEKED * 2]
    for each in reversed(DELIMITERS):
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=each) if cells][:PEEKED]
        except csv.Error:
            continue
        agreed = max(set(widths), key=widths.count) if widths else 1
        if agreed > 1 and widths.count(agreed) * 2 > len(widths):
            return each
        if ragged == "," and sum(width > 1 for width in widths) * 2 > len(widths):
            ragged = each
    return ragged


def rows_of(text: str, delimiter: str, limits: SpecLimits) -> list[Row]:
    """Lines that are not empty, with the number of the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[Row] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append(Row(line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
            if len(cells) > MOST_COLUMNS:
                raise LimitError(
                    f"at most {MOST_COLUMNS:,} columns: {len(cells):,}",
                    where=f"line {reader.line_num}",
                )
            if len(found) > limits.data_samples + 1:
                raise too_long(limits, reader.line_num)
    except csv.Error as error:
        said = {
            "unexpected end of data": "a quotation mark is opened on this line and never closed",
        }.get(str(error), f"cannot be read as a table: {error}")
        fail(f"{said}; inside quotes a quotation mark is written twice", f"line {line}")
    return found


def too_long(limits: SpecLimits, line: int) -> LimitError:
    return LimitError(
        f"at most {limits.data_samples:,} lines of samples (BACKSTEP_DATA_SAMPLES)",
        where=f"line {line}",
    )


def header_of(
    rows: list[Row], wanted: bool | None, notes: list[str]
) -> tuple[list[str], list[Row], bool]:
    """Names of the columns, the rows below them, and whether the text gave the names."""
    first = rows[0].cells
    is_header = wanted
    if is_header is None:
        is_header = not any(is_number(cell) for cell in first) and any(
            is_number(cell) for row in rows[1:PEEKED] for cell in row.cells
        )
        notes.append(
            "the first line holds the columns' names"
            if is_header
            else "there is no line of names: columns are called x1, x2, … and y"
        )
    if not is_header:
        return [*(f"x{i + 1}" for i in range(len(first) - 1)), "y"], rows, False
    names = []
    for i, cell in enumerate(first):
        name = cell[:LONGEST_NAME] or f"column {i + 1}"
        names.append(f"{name} ({i + 1})" if name in names else name)
    return names, rows[1:], True


def is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell))
