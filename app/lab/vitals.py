"""Each layer's vital signs at the looks: gradients (the ladder), update : weight, distributions.

A histogram's bins are the same at all looks, so that they can stand side by side as a picture over
time; those of the gradients' sizes are powers of ten and the same in all layers, so that a gradient
that vanishes is seen to sink from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.types import GRAD, VALUE, Array
from app.lab.checks.flow import delta, use_of
from app.lab.evidence import Evidence, Look, rms

BINS = 24
MOST_LAYERS = 40
DECADES = 12  # of the gradients' sizes, down from the largest
USUAL_STEP = 1e-3
USUAL_STEP_SOURCE = (
    "Stanford CS231n, Neural Networks Part 3, Ratio of weights:updates: somewhere around 1e-3"
)
BENDS = "relu leaky_relu elu gelu sigmoid tanh softplus softmax".split()

Range = tuple[float, float]


def vitals(evidence: Evidence, progress: Callable[[], bool] | None = None) -> dict[str, Any]:
    """Rows from the input on, one for each weight, with one entry for each look."""
    looks = evidence.looks
    nodes = evidence.weights[:MOST_LAYERS]
    grads = (look.grad(node.name) for look in looks for node in nodes)
    sizes = _decades(np.abs(grad) for grad in grads if grad is not None)
    rows = []
    for node in nodes:
        if progress is not None and not progress():
            break
        rows.append(_row(evidence, looks, node, sizes))
    return {
        "iterations": [look.iteration for look in looks],
        "usual_step": USUAL_STEP,
        "usual_step_source": USUAL_STEP_SOURCE,
        "weights": len(evidence.weights),
        "layers": rows,
    }


def output_of(graph: Graph, use: Node) -> Node:
    """What a layer gives on: behind its weight's op, the bend, if only sums and views lie
    between.
    """
    here = use
    for _ in range(3):
        after = [node for node in graph.ops if here.name in node.inputs]
        if len(after) != 1 or after[0].name == graph.output:
            break
        here = after[0]
        if here.op_name in BENDS:
            return here
    return use


def _row(evidence: Evidence, looks: list[Look], node: Node, sizes: Range) -> dict[str, Any]:
    name = use_of(evidence, node)
    use = None if name is None else evidence.graph[name]
    out = None if use is None else output_of(evidence.graph, use)
    values = [None if out is None else look.slots.get((out.name, VALUE)) for look in looks]
    grads = [look.grad(node.name) for look in looks]
    logs = [None if grad is None else _logs(grad) for grad in grads]
    counts = {
        "outputs": _counted(values),
        "gradients": _counted(grads),
        "sizes": _counted(logs, sizes),
        "weights": _counted([look.slots[node.name, VALUE] for look in looks]),
    }
    return {
        "node": node.name,
        "label": node.label,
        "layer": node.scope or None,
        "output": None if out is None else {"node": out.name, "label": out.label},
        "looks": [
            {
                **_signs(evidence, look, node, use),
                **{kind: histograms[i] for kind, histograms in counts.items()},
            }
            for i, look in enumerate(looks)
        ],
    }


def _counted(
    arrays: Sequence[Array | None], span: Range | None = None
) -> list[dict[str, Any] | None]:
    """Histograms of all of them over the same bins."""
    bins = _span(array for array in arrays if array is not None) if span is None else span
    return [None if array is None else histogram(array, bins) for array in arrays]


def _signs(evidence: Evidence, look: Look, node: Node, use: Node | None) -> dict[str, Any]:
    value, grad = look.slots[node.name, VALUE], look.grad(node.name)
    weight = rms(value)
    with np.errstate(all="ignore"):
        step = rms(look.after[node.name] - value)
    return {
        "weight": weight,
        "gradient": None if grad is None else rms(grad),
        "delta": delta(evidence, look, node),
        "update_ratio": step / weight if weight else None,
        "step": None if use is None else look.wrote.get((use.name, GRAD)),
    }


def _logs(grad: Array) -> Array:
    """Powers of ten of the sizes; what is 0 has none."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(np.abs(grad)))


def _span(arrays: Iterable[Array]) -> Range:
    """From the lowest to the highest finite entry."""
    ends = [(float(x.min()), float(x.max())) for a in arrays if (x := a[np.isfinite(a)]).size]
    return min((a for a, _ in ends), default=math.nan), max((b for _, b in ends), default=math.nan)


def _decades(sizes: Iterable[Array]) -> Range:
    """Whole powers of ten around all sizes, as many as fit into a picture."""
    low, high = _span(np.log10(x[(x > 0) & np.isfinite(x)]) for x in sizes)
    if not math.isfinite(low):
        return math.nan, math.nan
    top = math.ceil(high)
    return float(max(math.floor(low), top - DECADES)), float(max(top, math.floor(low) + 1))


def histogram(array: Array, span: Range) -> dict[str, Any]:
    """Counts of the finite entries in even bins from low to high; what lies outside is counted at
    the ends.
    """
    low, high = span
    finite = array[np.isfinite(array)].astype(np.float64)
    if not finite.size:
        return {"low": low, "high": high, "counts": []}
    if not high > low or not math.isfinite(high - low):
        return {"low": low, "high": high, "counts": [int(finite.size)]}
    counts, _ = np.histogram(np.clip(finite, low, high), BINS, (low, high))
    return {"low": low, "high": high, "counts": counts.tolist()}
