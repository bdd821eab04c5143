"""Forward mode as a plan: one entry of a leaf moves by 1, and every node says how it moves along.

Value and tangent are computed side by side, and nothing comes back: the last step holds the slope
of the loss along that one direction. For the whole gradient the plan is run once for every number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import INPUT, PARAMETER, Graph
from app.engine.jvp import SeedTangent, forward_mode_steps
from app.engine.plan import Step
from app.engine.types import FLOAT


@dataclass(frozen=True)
class ForwardMode:
    """The leaf that moves, and which of its entries (the first, if none is named)."""

    node: str
    index: tuple[int, ...] | None = None

    def steps(self, graph: Graph) -> list[Step]:
        node = graph.nodes.get(self.node)
        if node is None or node.kind not in (PARAMETER, INPUT) or node.dtype != FLOAT:
            known = ", ".join(n.name for n in graph.kind(PARAMETER, INPUT) if n.dtype == FLOAT)
            raise BackstepError(
                f"must be a parameter or an input: {self.node!r}; there are {known}"[:400],
                where="forward_mode.node",
            )
        index = (0,) * len(node.shape) if self.index is None else self.index
        inside = len(index) == len(node.shape) and all(
            0 <= i < n for i, n in zip(index, node.shape, strict=True)
        )
        if not inside or not np.prod(node.shape):
            raise BackstepError(
                f"must lie within {list(node.shape)}: {list(index)}", where="forward_mode.index"
            )
        return forward_mode_steps(graph, [SeedTangent(node, index)])


def parse_forward_mode(given: Any) -> ForwardMode | None:
    """`{"node": "w", "index": [0, 1]}`; null for reverse mode."""
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("node"), str):
        raise BackstepError(
            f'must be null or an object such as {{"node": "w"}}: {given!r}', where="forward_mode"
        )
    for name in given:
        if name not in ("node", "index"):
            raise BackstepError(
                f"argument is not known: {name!r}; accepted: node, index",
                where=f"forward_mode.{name}",
            )
    index = given.get("index")
    whole = isinstance(index, list) and all(type(i) is int for i in index)
    if index is not None and not whole:
        raise BackstepError(
            f"must be a list of whole numbers: {index!r}", where="forward_mode.index"
        )
    return ForwardMode(given["node"], None if index is None else tuple(index))
