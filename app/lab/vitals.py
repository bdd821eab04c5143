"""Each layer's vital signs at the looks: gradients (the ladder), update : weight, distributions.

About a thousandth of a weight is a usual step (Stanford CS231n, Neural Networks Part 3, Ratio of
updates to weights).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.engine.types import GRAD, VALUE, Array
from app.lab.checks.flow import delta, use_of
from app.lab.evidence import Evidence, Look, rms

BINS = 24
MOST_LAYERS = 40


def vitals(evidence: Evidence) -> dict[str, Any]:
    """Rows from the input on, one for each weight, with one entry for each look."""
    looks = evidence.looks
    return {
        "iterations": [look.iteration for look in looks],
        "layers": [
            {
                "node": node.name,
                "layer": node.scope or None,
                "looks": [_signs(evidence, look, node.name) for look in looks],
            }
            for node in evidence.weights[:MOST_LAYERS]
        ],
    }


def _signs(evidence: Evidence, look: Look, name: str) -> dict[str, Any]:
    node = evidence.graph[name]
    value, grad = look.slots[name, VALUE], look.grad(name)
    use = use_of(evidence, node)
    out = None if use is None else look.slots.get((use, VALUE))
    weight = rms(value)
    with np.errstate(all="ignore"):
        step = rms(look.after[name] - value)
    return {
        "weight": weight,
        "gradient": None if grad is None else rms(grad),
        "delta": delta(evidence, look, node),
        "update_ratio": step / weight if weight else None,
        "step": None if use is None else look.wrote.get((use, GRAD)),
        "outputs": None if out is None else histogram(out),
        "gradients": None if grad is None else histogram(grad),
        "weights": histogram(value),
    }


def histogram(array: Array) -> dict[str, Any]:
    """Counts of the finite entries in even bins from low to high."""
    finite = array[np.isfinite(array)].astype(np.float64)
    if not finite.size:
        return {"low": math.nan, "high": math.nan, "counts": []}
    low, high = float(finite.min()), float(finite.max())
    if not high > low or not math.isfinite(high - low):
        return {"low": low, "high": high, "counts": [int(finite.size)]}
    counts, _ = np.histogram(finite, BINS, (low, high))
    return {"low": low, "high": high, "counts": counts.tolist()}
