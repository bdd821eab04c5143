"""Numbers as a visitor gives them: a number, nested lists, and "NaN", "Infinity", "-Infinity".

What cannot be an array of float64 is refused with the place where it stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.types import FLOAT, Array, Shape

MAX_AXES = 8
NONFINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def to_array(value: Any, where: str, max_entries: int = 1_000_000) -> Array:
    """The value as an array of its own, float64."""
    if isinstance(value, np.ndarray | np.generic):
        value = np.asarray(value).tolist()
    shape = _shape(value, where)
    size = int(np.prod(shape, dtype=object))
    if size > max_entries:
        raise LimitError(
            f"an array may have at most {max_entries:,} numbers: {size:,}",
            where=where,
            setting="array_entries",
        )
    entries: list[float] = []
    _collect(value, shape, where, entries)
    return np.array(entries, FLOAT).reshape(shape)


def _shape(value: Any, where: str) -> Shape:
    """The shape that the first entries suggest; whether all agree is told while collecting."""
    shape: list[int] = []
    while isinstance(value, list | tuple):
        if len(shape) == MAX_AXES:
            raise LimitError(f"lists may be nested at most {MAX_AXES} deep", where=where)
        if not value:
            raise BackstepError("a list is empty; give it at least one number", where=where)
        shape.append(len(value))
        value = value[0]
    return tuple(shape)


def _collect(value: Any, shape: Shape, where: str, entries: list[float]) -> None:
    if not shape:
        entries.append(_number(value, where))
        return
    if not isinstance(value, list | tuple):
        raise BackstepError(f"a list of {shape[0]} is needed here: {_told(value)}", where=where)
    if len(value) != shape[0]:
        raise BackstepError(
            f"rows differ in length, {shape[0]} before and {len(value)} here", where=where
        )
    for i, part in enumerate(value):
        _collect(part, shape[1:], f"{where}[{i}]", entries)


def _number(value: Any, where: str) -> float:
    if isinstance(value, str) and value in NONFINITE:
        return NONFINITE[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = ", or rows differ in length" if isinstance(value, list | tuple) else ""
        raise BackstepError(f"not a number{hint}: {_told(value)}", where=where)
    try:
        return float(value)
    except OverflowError:
        raise BackstepError("a number is too large for float64", where=where) from None


def _told(value: Any) -> str:
    """The value itself if it is short, else its kind."""
    if isinstance(value, str) and len(value) <= 40:
        return repr(value)
    words = {dict: "an object", str: "a long text", bool: str(value).lower(), type(None): "null"}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value) if abs(value) < 1e15 else "a number"
    return words.get(type(value), "a list" if isinstance(value, list | tuple) else "something else")
