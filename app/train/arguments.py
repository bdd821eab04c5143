"""Recipes as dataclasses: each argument stands once, with its default, its limits and a few words.

Checks, error messages and the catalogue of what can be chosen are all read off the same fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from operator import ge, gt, le, lt
from typing import Any, ClassVar

from app.engine.errors import BackstepError, LimitError, shown
from app.engine.fields import real, whole

_BOUNDS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "low": ("at least", ge),
    "above": ("more than", gt),
    "high": ("at most", le),
    "below": ("less than", lt),
}


def option(default: Any = MISSING, summary: str = "", **limits: Any) -> Any:
    """An argument and its limits.

    low, high (included), above, below (not included), choices, integer, pair, optional.
    """
    metadata = {"summary": summary, **limits}
    if default is MISSING:
        return field(kw_only=True, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """What is chosen by `{"type": name, …}`; its fields are its arguments, checked when made."""

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for f in fields(self):
            object.__setattr__(self, f.name, self._checked(f, getattr(self, f.name)))

    def _checked(self, f: Field[Any], value: Any) -> Any:
        limits = f.metadata
        if value is None and limits.get("optional"):
            return None
        if choices := limits.get("choices"):
            if value not in choices:
                raise self.fail(f.name, f"must be one of {', '.join(choices)}", value)
            return value
        if isinstance(f.default, bool):
            if not isinstance(value, bool):
                raise self.fail(f.name, "must be true or false", value)
            return value
        if limits.get("pair"):
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise self.fail(f.name, "must be a pair of numbers", value)
            return tuple(self._number(f"{f.name}[{i}]", x, limits) for i, x in enumerate(value))
        return self._number(f.name, value, limits)

    def _number(self, name: str, value: Any, limits: Mapping[str, Any]) -> float:
        try:
            where = f"{self.kind}.{name}"
            number = whole(value, where) if limits.get("integer") else real(value, where)
        except BackstepError:
            what = "whole" if limits.get("integer") else "finite"
            raise self.fail(name, f"must be a {what} number", value) from None
        for limit, (words, holds) in _BOUNDS.items():
            if limit in limits and not holds(number, limits[limit]):
                raise self.fail(name, f"must be {words} {limits[limit]}", value, limit == "high")
        return number

    def fail(self, argument: str, why: str, value: Any, limit: bool = False) -> BackstepError:
        error = LimitError if limit else BackstepError
        where = f"{self.kind}.{argument}"
        return error(f"{self.name}: {argument} {why}: {shown(value)}", where=where)

    @property
    def spec(self) -> dict[str, Any]:
        """The recipe as JSON, with every argument."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}
        return {"type": self.name, **plain}

    @classmethod
    def arguments(cls) -> list[dict[str, Any]]:
        """The arguments for a catalogue: name, default, required, summary and limits."""
        rows = []
        for f in fields(cls):
            required = f.default is MISSING
            default = list(f.default) if isinstance(f.default, tuple) else f.default
            row = {"name": f.name, "default": None if required else default, "required": required}
            rows.append({**row, **f.metadata})
        return rows
