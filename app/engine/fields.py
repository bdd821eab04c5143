"""Builds a table's dataclass from what a person wrote, with an error that says what would be
accepted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from app.engine.errors import BackstepError, shown

T = TypeVar("T")

LARGEST = 2**53
"""Whole numbers up to this are exact in every reader of JSON."""


def choose(table: Mapping[str, T], name: object, where: str, what: str) -> T:
    """The table's row of that name."""
    if not isinstance(name, str) or name not in table:
        known = ", ".join(table)
        raise BackstepError(f"{what} is not known: {shown(name)}; known are {known}", where=where)
    return table[name]


def build(cls: type[T], given: Mapping[str, Any], where: str) -> T:
    """`cls(**given)` after checking names and types field by field."""
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.init}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            accepted = ", ".join(known) or "none"
            raise BackstepError(
                f"argument is not known: {shown(name)}; accepted: {accepted}",
                where=f"{where}.{name}",
            )
    arguments = {
        name: convert(value, hints[name], f"{where}.{name}", known[name].metadata.get("high"))
        for name, value in given.items()
    }
    for name, field in known.items():
        missing = field.default is MISSING and field.default_factory is MISSING
        if missing and name not in given:
            raise BackstepError(f"argument is missing: {shown(name)}", where=f"{where}.{name}")
    return cls(**arguments)


def convert(value: Any, hint: Any, where: str, most: int | None = None) -> Any:
    """The value as the annotated type: whole numbers, finite numbers, flags, texts; others pass
    through.
    """
    if hint is bool:
        if not isinstance(value, bool):
            raise BackstepError(f"must be true or false: {shown(value)}", where=where)
        return value
    if hint is int:
        return whole(value, where, most=most)
    if hint is float:
        return real(value, where)
    if hint is str and not isinstance(value, str):
        raise BackstepError(f"must be a text: {shown(value)}", where=where)
    return value


def whole(
    value: Any,
    where: str,
    *,
    low: int | None = None,
    high: int | None = None,
    most: int | None = None,
) -> int:
    """A whole number within bounds; `most` is one that somebody else will hold it to."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise BackstepError(f"must be a whole number: {shown(value)}", where=where)
    if abs(value) > LARGEST:
        raise BackstepError(
            f"must be at most {high or most or LARGEST}: {shown(value)}", where=where
        )
    if low is not None and value < low:
        raise BackstepError(f"must be at least {low}: {shown(value)}", where=where)
    if high is not None and value > high:
        raise BackstepError(f"must be at most {high}: {shown(value)}", where=where)
    return int(value)


def nearest(value: int | float) -> float:
    """As float64; beyond its reach infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def real(value: Any, where: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BackstepError(f"must be a number: {shown(value)}", where=where)
    number = nearest(value)
    if not math.isfinite(number):
        raise BackstepError(f"must be a finite number: {shown(value)}", where=where)
    return number


def mapping(value: Any, where: str, like: str = '{"type": …}') -> dict[str, Any]:
    """A JSON object; a bare text such as "adam" stands for {"type": "adam"}."""
    if isinstance(value, str):
        return {"type": value}
    if not isinstance(value, dict):
        raise BackstepError(f"must be an object such as {like}: {shown(value)}", where=where)
    return value


def pick(table: Mapping[str, type[T]], given: Any, where: str, what: str) -> T:
    """The row that `{"type": name, …}` names, made with its arguments."""
    options = mapping(given, where)
    named = where if isinstance(given, str) else f"{where}.type"
    cls = choose(table, options.get("type"), named, what)
    return build(cls, {k: v for k, v in options.items() if k != "type"}, where)
