"""The engine's one family of errors: subject first, offending value last."""

from __future__ import annotations


class BackstepError(ValueError):
    """What a person asked for cannot be done; the message says what would be accepted.

    `where` points at the place: a field such as `model.layers[2]`, a node, or `line 1, column 5`.
    """

    code = "invalid"

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where


class ShapeError(BackstepError):
    """Operands do not fit an op; raised when the node is made."""

    code = "shape"


class LimitError(BackstepError):
    """A size that a person can choose is over its limit; the message names the setting, if there is
    one for it.
    """

    code = "limit"

    def __init__(self, message: str, *, where: str | None = None, setting: str = "") -> None:
        told = f" (BACKSTEP_{setting.upper()})" if setting else ""
        super().__init__(f"{message}{told}", where=where)


def shown(value: object) -> str:
    """An offending value, shortened where it is long."""
    told = repr(value)
    return told if len(told) <= 80 else f"{told[:60]} …"
