"""What the backward pass needs of the forward pass, found by watching the rules themselves.

A rule is run once with a kernel that only looks on: which arrays does a vjp hand to a call, and
which slots does a forward save? PyTorch's "saved tensors" are just these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.kernel import Eager
from app.engine.op import Op
from app.engine.types import FLOAT, SAVED, Shape, owner


@dataclass(frozen=True)
class Needs:
    """`operands`: whose values the vjp reads; `output`: whether it reads its own; `saved`: bytes by
    slot of what the forward keeps besides.
    """

    operands: frozenset[int]
    output: bool
    saved: tuple[tuple[str, int], ...]


class _Watch(Eager):
    """Runs nothing; notes the arrays that calls would read."""

    def __init__(self) -> None:
        super().__init__({}, {}, {})
        self.read_arrays: set[int] = set()

    def __call__(self, function: Callable[..., Any], *operands: Any) -> None:
        *ins, out = operands
        if out is not None:
            for array in ins:
                if isinstance(array, np.ndarray):
                    self.read_arrays.add(id(owner(array)))


@lru_cache(maxsize=4096)
def _needs(op: Op, shapes: tuple[Shape, ...], dtypes: tuple[Any, ...], shape: Shape) -> Needs:
    operands = [np.zeros(s, d) for s, d in zip(shapes, dtypes, strict=True)]
    y, watch = np.zeros(shape, op.dtype), _Watch()
    watch.at("")
    op.forward(watch, y, *operands)
    saved = tuple(
        (slot, 0 if array is None else array.nbytes)
        for (_, slot), array in watch.record.writes.items()
        if slot.startswith(SAVED)
    )
    watch.read_arrays = set()
    grads = [
        np.zeros(x.shape) if op.differentiable(i) and x.dtype.kind == "f" else None
        for i, x in enumerate(operands)
    ]
    op.vjp(watch, np.zeros(shape), y, *operands, *grads)
    read = frozenset(i for i, x in enumerate(operands) if id(x) in watch.read_arrays)
    return Needs(read, id(y) in watch.read_arrays, saved)


def needs(graph: Graph, node: Node) -> Needs:
    """What this use of an op needs for its step backward."""
    assert node.op
    inputs = [graph[name] for name in node.inputs]
    dtypes = tuple(FLOAT if n.dtype.kind == "f" else n.dtype for n in inputs)
    return _needs(node.op, tuple(n.shape for n in inputs), dtypes, node.shape)


def needed(graph: Graph, node: Node) -> frozenset[str]:
    """The nodes whose values this node's vjp reads."""
    found = needs(graph, node)
    names = {node.inputs[i] for i in found.operands}
    return frozenset(names | {node.name} if found.output else names)


def saved_slots(graph: Graph, node: Node) -> tuple[str, ...]:
    return tuple(slot for slot, _ in needs(graph, node).saved)


def value_bytes(node: Node) -> int:
    """What the node's value takes."""
    return int(np.prod(node.shape)) * int(np.dtype(node.dtype).itemsize)
