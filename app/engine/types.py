"""Names for what is passed between rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
Slot = tuple[str, str]
"""(node name, slot): `("z1", "value")`, `("0.weight", "grad")`, `("0.weight", "exp_avg")`."""

VALUE = "value"
GRAD = "grad"
UNDERFLOW = "underflow."
"""Prefix of slots that count, by operand, the entries of a contribution that float16 made 0."""
SAVED = "saved."
"""Prefix of slots in which an op keeps what its vjp needs besides operands and output."""

FLOAT = np.dtype(np.float64)
HALF = np.dtype(np.float16)
INT = np.dtype(np.int64)


def owner(array: Any) -> Any:
    """The array of which this is a view (of a view), or itself."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array
