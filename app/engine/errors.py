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
    """A size that a person can choose is over its limit; the message names the limit."""

    code = "limit"
