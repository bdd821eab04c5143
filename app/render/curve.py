"""An op's curve with the tangent at the current point."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from app.engine.graph import Node
from app.engine.kernel import Eager
from app.engine.op import Op
from app.engine.types import VALUE
from app.render.backward import local_derivative
from app.render.explain import (
    operand_values,
)
from app.render.scene import Index, Scene, entry, first


@lru_cache(maxsize=512)
def _curve_points(op: Op, low: float, high: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    xs = np.linspace(low, high, 61)
    ys = np.empty(xs.shape)
    with np.errstate(all="ignore"):
        op.forward(Eager({}, {}, {}), ys, xs)
    keep = np.isfinite(ys)
    return tuple(xs[keep].round(4).tolist()), tuple(ys[keep].round(5).tolist())


def curve(scene: Scene, node: Node, element: Index | None = None) -> Mapping[str, Any] | None:
    """The op's curve with the point and the slope there; only for ops of one operand, entry by
    entry.
    """
    op = node.op
    if op is None or not op.elementwise or len(node.inputs) != 1 or not op.rules:
        return None
    index = first(node.shape) if element is None else element
    x, y = entry(operand_values(scene, node)[0], index), scene.now((node.name, VALUE))
    assert y is not None
    if not np.isfinite(x) or abs(x) > 1e6:
        return None
    slope = entry(local_derivative(scene, node, 0), index)
    if not np.isfinite(slope) or not np.isfinite(entry(y, index)):
        return None
    reach = 4.0
    while abs(x) > 0.8 * reach:
        reach *= 2
    xs, ys = _curve_points(op, -reach, reach)
    return {"fn": op.name, "x": x, "y": entry(y, index), "slope": slope, "xs": xs, "ys": ys}
