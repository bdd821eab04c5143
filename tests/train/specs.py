"""The smallest network with a hidden layer, which tests of training build their specs on."""

from __future__ import annotations

from typing import Any


def hidden(units: int, activation: str = "tanh") -> dict[str, Any]:
    """A model: one hidden layer, one output."""
    linear = [{"type": "linear", "out_features": n} for n in (units, 1)]
    return {"layers": [linear[0], activation, linear[1]]}
