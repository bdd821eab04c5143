"""A person's own table as samples: text with commas, semicolons or tabs becomes inputs and targets,
or an error that names line and column and says what would be accepted. Nothing is guessed in
silence: each decision is a note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from app.engine.errors import LimitError
from app.engine.types import Array
from app.train.csv_rows import (
    DECIMAL_COMMA,
    DELIMITERS,
    LONGEST_NAME,
    NUMBER,
    PEEKED,
    Row,
    delimiter_of,
    fail,
    header_of,
    rows_of,
    too_long,
)
from app.train.limits import SpecLimits

MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")
MOST_CLASSES = 100
Task = Literal["auto", "classes", "values"]

FEW_VALUES = 20  # a target of at most so many different whole numbers is taken for classes


@dataclass
class Table:
    """What was read: `classes` are the labels of targets 0, 1, …; None where targets are values."""

    inputs: Array
    targets: Array
    columns: list[str]
    target: str
    classes: list[str] | None
    delimiter: str
    header: bool
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        count = len(self.classes) if self.classes else 0
        task = "multiclass" if count > 2 else "binary" if count == 2 else "regression"
        loss = {"multiclass": "cross_entropy", "binary": "bce_with_logits", "regression": "mse"}
        return {
            "inputs": self.inputs.tolist(),
            "targets": self.targets.tolist(),
            "columns": self.columns,
            "target": self.target,
            "classes": self.classes,
            "task": task,
            "loss": loss[task],
            "outputs": count if count > 2 else 1,
            "samples": len(self.inputs),
            "delimiter": self.delimiter,
            "header": self.header,
            "features": [
                {
                    "name": name,
                    "min": float(x.min()),
                    "max": float(x.max()),
                    "mean": float(x.mean()),
                    "std": float(x.std()),
                }
                for name, x in zip(self.columns, self.inputs.T, strict=True)
            ],
            "notes": self.notes,
        }


def read_table(
    text: str,
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    target: str | int | None = None,
    task: Task = "auto",
    skip_missing: bool = False,
    limits: SpecLimits | None = None,
) -> Table:
    """The last column is the target, unless `target` gives another by name or number (from 1).

    `header` None: a first row without any number is one. `task` says whether a target of whole
    numbers means classes. With `skip_missing` lines with an empty cell are left out.
    """
    limits = limits or SpecLimits()
    text = text.removeprefix("\ufeff")
    notes: list[str] = []
    chosen = delimiter or delimiter_of(text)
    rows = rows_of(text, chosen, limits)
    if not rows:
        fail(
            "there is nothing here; paste lines such as 0.5,1.2,yes with one sample a line", "text"
        )
    names, rows, named = header_of(rows, header, notes)
    wide = len(names)
    if wide < 2:
        fail(
            "there is one column only; at least one input and the target are needed, with commas, "
            "semicolons or tabs between",
            f"line {rows[0].line if rows else 1}",
        )
    if not rows:
        fail("there are names of columns, but no line with numbers", "line 2")
    if len(rows) > limits.data_samples:
        raise too_long(limits, rows[limits.data_samples].line)
    hint = "; a text with a comma in it needs quotes" if chosen == "," else ""
    for row in rows:
        if len(row.cells) != wide:
            fail(
                f"this line has {len(row.cells)} columns, the first has {wide}; each line needs "
                f"as many{hint}",
                f"line {row.line}",
            )
    if not delimiter:
        notes.append(f"columns are told apart by {DELIMITERS[chosen]}")
    rows = _whole(rows, names, skip_missing, notes)
    at = _target(target, names)
    others = [i for i in range(wide) if i != at]
    entries = len(rows) * len(others)
    if entries > limits.array_entries:
        raise LimitError(
            f"{len(rows)} lines of {len(others)} inputs are {entries} numbers; at most "
            f"{limits.array_entries}",
            where="text",
            setting="array_entries",
        )
    commas = chosen != "," and _has_decimal_commas(rows)
    if commas:
        notes.append("commas in numbers are decimal commas: 1,5 is one and a half")
    inputs = np.array(
        [[_number(row, i, names, commas, at) for i in others] for row in rows], np.float64
    )
    targets, classes = _targets(rows, at, names, commas, task, notes)
    columns = [names[i] for i in others]
    for name, x in zip(columns, inputs.T, strict=True):
        if x.min() == x.max():
            notes.append(f"column {name!r} is {x[0]:g} in every line: nothing can be learned of it")
    spread = inputs.std(axis=0)
    spread = spread[spread > 0]
    if len(spread) > 1 and spread.max() > 10 * spread.min():
        notes.append("columns differ much in size: turn standardisation on")
    return Table(inputs, targets, columns, names[at], classes, chosen, named, notes)


def _whole(rows: list[Row], names: list[str], skip: bool, notes: list[str]) -> list[Row]:
    """Rows without a missing cell."""
    kept = []
    for row in rows:
        at = next((i for i, cell in enumerate(row.cells) if cell.lower() in MISSING), None)
        if at is None:
            kept.append(row)
        elif not skip:
            cell = row.cells[at]
            what = f"{cell!r} is no number" if cell else "is empty"
            fail(
                f"{what}; fill in a number, take the line out, or leave out all lines with "
                "missing values",
                _place(row, at, names),
            )
    if len(kept) < len(rows):
        notes.append(f"{len(rows) - len(kept):,} lines with missing values are left out")
    if not kept:
        fail("every line has a missing value; nothing is left to train on", "text")
    return kept


def _target(given: str | int | None, names: list[str]) -> int:
    if given is None:
        return len(names) - 1
    if isinstance(given, int):
        if 1 <= given <= len(names):
            return given - 1
        fail(f"there are columns 1 to {len(names)}: {given}", "target")
    if given in names:
        return names.index(given)
    known = ", ".join(names[:20])
    fail(f"no column has this name: {given[:80]!r}; there are {known}", "target")


def _place(row: Row, column: int, names: list[str]) -> str:
    return f"line {row.line}, column {column + 1} ({names[column]})"


def _has_decimal_commas(rows: list[Row]) -> bool:
    return any(DECIMAL_COMMA.fullmatch(cell) for row in rows[:PEEKED] for cell in row.cells)


def _value(cell: str, commas: bool) -> float | None:
    """The number, or None if it is none."""
    text = cell.replace(",", ".") if commas else cell
    return float(text) if NUMBER.fullmatch(text) else None


def _number(row: Row, column: int, names: list[str], commas: bool, target: int) -> float:
    cell = row.cells[column]
    value = _value(cell, commas)
    if value is None:
        infinite = cell.lower().lstrip("+-") in ("inf", "infinity")
        labels = f"; only the target ({names[target]}) may hold words" if not infinite else ""
        fail(f"a number is needed here: {cell[:60]!r}{labels}", _place(row, column, names))
    if not math.isfinite(value):
        fail(f"the number is too large for float64: {cell[:60]}", _place(row, column, names))
    return value


def _targets(
    rows: list[Row], at: int, names: list[str], commas: bool, task: Task, notes: list[str]
) -> tuple[Array, list[str] | None]:
    """A column of class numbers with their labels, or of values."""
    cells = [row.cells[at] for row in rows]
    values = [_value(cell, commas) for cell in cells]
    labels = sorted(set(cells))
    if None in values:
        if task == "values":
            row = rows[values.index(None)]
            _number(row, at, names, commas, at)
    else:
        numbers = [_number(row, at, names, commas, at) for row in rows]
        different = sorted(set(numbers))
        few = len(different) <= min(FEW_VALUES, max(2, len(rows) // 3))
        whole = all(value.is_integer() for value in different)
        if task == "values" or (task == "auto" and not (few and whole and len(different) > 1)):
            if len(different) == 1:
                notes.append(
                    f"the target {names[at]!r} is {different[0]:g} in every line: "
                    "there is nothing to learn but that number"
                )
            return np.array(numbers)[:, None], None
        if task == "auto":
            notes.append(
                f"the target {names[at]!r} has {len(different)} different whole numbers, so they "
                "are taken for classes"
            )
        labels = [f"{value:g}" for value in different]
        cells = [f"{value:g}" for value in numbers]
    if len(labels) < 2:
        fail(
            f"every line has the label {labels[0][:60]!r}; at least two classes are needed, to be "
            "told apart",
            f"column {at + 1} ({names[at]})",
        )
    if max(map(len, labels)) > LONGEST_NAME:
        row = next(row for row in rows if len(row.cells[at]) > LONGEST_NAME)
        fail(
            f"a label may have at most {LONGEST_NAME} characters: {len(row.cells[at]):,}",
            _place(row, at, names),
        )
    if len(labels) > MOST_CLASSES:
        fail(
            f"there are {len(labels):,} different labels, at most {MOST_CLASSES} classes are "
            "possible; is another column the target?",
            f"column {at + 1} ({names[at]})",
        )
    if labels != [str(i) for i in range(len(labels))]:
        told = ", ".join(f"{label[:40]} is {i}" for i, label in enumerate(labels[:10]))
        more = ", …" if len(labels) > 10 else ""
        notes.append(f"labels have become class numbers: {told}{more}")
    numbered = {label: float(i) for i, label in enumerate(labels)}
    return np.array([[numbered[cell]] for cell in cells]), labels
