"""Arrays as JSON: shape, numbers and a few figures. Numbers are never rounded; what is not finite
travels as a word.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.engine.types import Array

INLINE_ENTRIES = 4096


def plain(x: float) -> float | str:
    """A float as JSON can carry it."""
    if math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def nested(array: Array) -> Any:
    """Nested lists, the words for what is not finite put in."""
    data = array.tolist()
    if array.dtype.kind != "f" or bool(np.isfinite(array).all()):
        return data
    return _worded(data)


def _worded(data: Any) -> Any:
    return [_worded(part) for part in data] if isinstance(data, list) else plain(data)


def array_view(array: Array, *, whole: bool = False) -> dict[str, Any]:
    """`data` is left out above 4,096 entries unless `whole`."""
    size = array.size
    view: dict[str, Any] = {"shape": list(array.shape), "dtype": str(array.dtype)}
    view["data"] = nested(array) if whole or size <= INLINE_ENTRIES else None
    if size == 1:
        x = float(array.reshape(())[()] if array.shape else array[()])
        number = plain(x)
        figures = (number, number, number, plain(abs(x)), 0 if math.isfinite(x) else 1)
    elif size == 0:
        figures = (None, None, None, 0.0, 0)  # type: ignore[assignment]
    else:
        with np.errstate(all="ignore"):
            flat = array.reshape(-1).astype(np.float64)
            figures = (
                plain(float(flat.min())),
                plain(float(flat.max())),
                plain(float(flat.mean())),
                plain(math.sqrt(float(np.dot(flat, flat)))),
                int(size - np.count_nonzero(np.isfinite(flat))),
            )
    view["min"], view["max"], view["mean"], view["norm"], view["nonfinite"] = figures
    return view
