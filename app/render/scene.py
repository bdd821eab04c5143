"""What an explanation may look at: the slots around one step, who wrote them, and references for
every number shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.kernel import Record
from app.engine.types import GRAD, VALUE, Array, Shape, Slot
from app.render import mathml
from app.render.arrays import plain

Index = tuple[int, ...]
ROLES = {VALUE: "value", GRAD: "grad"}


@dataclass
class Scene:
    """`after` are the slots when the step is done; `writers` tells which step of this iteration
    wrote a slot.
    """

    graph: Graph
    record: Record
    after: Mapping[Slot, Array]
    writers: Mapping[Slot, int]
    index: int
    refs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def now(self, slot: Slot) -> Array | None:
        return self.after.get(slot)

    def before(self, slot: Slot) -> Array | None:
        """What stood there when the step began."""
        if slot in self.record.former:
            return self.record.former[slot]
        return self.after.get(slot)

    def number(
        self, array: Array, index: Index, slot: Slot, *, old: bool = False, digits: int = 3
    ) -> str:
        """An entry as a fragment that refers to the step that wrote it."""
        x = entry(array, index)
        writer = self.writers.get(slot)
        if old and slot in self.record.writes:
            writer = None
        name = f"r{len(self.refs)}"
        self.refs[name] = {
            "node": slot[0],
            "slot": slot[1],
            "index": writer,
            "element": list(index),
            "value": plain(x),
        }
        return mathml.number(x, name, ROLES.get(slot[1], "update"), digits=digits)


def entry(array: Array, index: Index) -> float:
    """One entry; a short index counts from the last axes, so that () is the first entry."""
    full = (0,) * (array.ndim - len(index)) + tuple(index)
    return float(array[full])


def first(shape: Shape) -> Index:
    return (0,) * len(shape)


def name_of(node: Node) -> str:
    """The node's name in a formula, in the hue of a value."""
    return mathml.symbol(node.latex, "value")


def grad_of(graph: Graph, node: Node) -> str:
    """∂L/∂z₁ as a fragment in the hue of a gradient."""
    return mathml.partial(graph[graph.root].latex, node.latex)


def size(shape: Shape) -> int:
    return int(np.prod(shape))
