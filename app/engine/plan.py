"""The order of an iteration as data: each step is one line that can be run, seen, explained and
undone.

A step asks a kernel for slots and does its arithmetic through it; whether the kernel runs at once
or records is not its business. This floor knows forward, loss and backward; the training floor adds
data, zero_grad, clip and update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.engine.graph import INPUT, PARAMETER, Graph, Node
from app.engine.kernel import Kernel, const
from app.engine.op import Op
from app.engine.types import FLOAT, GRAD, HALF, UNDERFLOW, VALUE, Array


class Step(Protocol):
    """One entry of a plan. `node` is None for steps that concern no single node."""

    @property
    def phase(self) -> str: ...

    @property
    def node(self) -> str | None: ...

    def run(self, k: Kernel) -> None: ...


@dataclass(frozen=True)
class Forward:
    """Compute one node's value."""

    graph_node: Node
    phase: str = "forward"

    @property
    def node(self) -> str:
        return self.graph_node.name

    def run(self, k: Kernel) -> None:
        node = self.graph_node
        assert node.op
        operands = [_laid(k, node.op, k.read(name)) for name in node.inputs]
        k.at(node.name)
        y = k.write(node.name, VALUE, node.shape, node.dtype, node.batch_last)
        if node.narrow:
            wide = k.scratch(node.shape)
            node.op.forward(k, wide, *operands)
            k(np.positive, wide, y)
        else:
            node.op.forward(k, y, *operands)


def _laid(k: Kernel, op: Op, array: Array) -> Array:
    """The array itself, or a row-major copy for an op that takes no other layout; a float16 array
    is widened, for rules compute in full precision and only their results are rounded.
    """
    half = array.dtype == HALF and op.name != "cast"
    if not half and (op.takes_any_layout or array.flags.c_contiguous):
        return array
    copy = k.scratch(array.shape, FLOAT if half else array.dtype)
    k(np.positive, array, copy)
    return copy


@dataclass(frozen=True)
class Flow:
    """An edge against which a contribution flows; `first` into that slot in this pass."""

    operand: int
    target: Node
    first: bool


@dataclass(frozen=True)
class Backward:
    """Run one node's vjp and add each contribution to its input's gradient.

    The first contribution of a pass fills its slot, for a batch is new and so is all that is
    computed from it; only a parameter keeps what it has until zero_grad, as in PyTorch. The
    output's step also starts the pass: its own gradient is 1, and leaves that it does not depend
    on get 0.
    """

    graph_node: Node
    flows: tuple[Flow, ...]
    seed: bool = False
    unreached: tuple[Node, ...] = ()
    phase: str = "backward"

    @property
    def node(self) -> str:
        return self.graph_node.name

    def run(self, k: Kernel) -> None:
        node = self.graph_node
        assert node.op
        if self.seed:
            k(np.positive, const(1.0), k.write(node.name, GRAD, node.shape))
            for leaf in self.unreached:
                if leaf.kind != PARAMETER or not k.has(leaf.name, GRAD):
                    k(np.positive, const(0.0), k.write(leaf.name, GRAD, leaf.shape))
        grads: list[Array | None] = [None] * len(node.inputs)
        terms: list[tuple[Flow, bool]] = []
        for flow in self.flows:
            target = flow.target
            if not k.wants(target.name):
                continue
            fills = flow.first and not (target.kind == PARAMETER and k.has(target.name, GRAD))
            last, dtype = target.batch_last, target.grad_dtype
            grads[flow.operand] = (
                k.write(target.name, GRAD, target.shape, dtype, last)
                if fills
                else k.addend(target.shape, dtype, last)
            )
            terms.append((flow, fills))
        if not terms:
            return
        operands = [_laid(k, node.op, k.read(name)) for name in node.inputs]
        rows = [_rows(k, node.op, grad) for grad in grads]
        g, y = k.read(node.name, GRAD), k.read(node.name)
        if node.narrow:
            g, y = _laid(k, node.op, g), _laid(k, node.op, y)
        k.at(node.name)
        node.op.vjp(k, g, y, *operands, *rows)
        for i, (grad, row) in enumerate(zip(grads, rows, strict=True)):
            if grad is not None and row is not None and row is not grad:
                k(np.positive, row, grad)
                if grad.dtype == HALF:
                    k(_lost, row, grad, k.write(node.name, f"{UNDERFLOW}{i}", ()))
        for flow, fills in terms:
            target, value = flow.target, grads[flow.operand]
            assert value is not None
            if not fills:
                old = k.read(target.name, GRAD)
                total = k.write(
                    target.name, GRAD, target.shape, target.grad_dtype, target.batch_last
                )
                summands = [old, value, total]
                if k.partial(value):
                    summands = [node.op.touched(flow.operand, x) for x in summands]
                k(np.add, *summands)
            k.contribute(node.name, target.name, flow.operand, value, fills)


def _rows(k: Kernel, op: Op, grad: Array | None) -> Array | None:
    """Where the op may write a contribution: the buffer itself, or a row-major one in full
    precision beside it.
    """
    if grad is None:
        return None
    if grad.dtype != HALF and (op.takes_any_layout or grad.flags.c_contiguous):
        return grad
    return k.scratch(grad.shape)


def _lost(wide: Array, narrow: Array, out: Array) -> None:
    """How many numbers became 0 by being rounded."""
    out[...] = np.count_nonzero((wide != 0) & (narrow == 0))


def forward_steps(graph: Graph) -> list[Step]:
    """Every op node in order; the output's step has the phase `loss`."""
    ends = (graph.output, graph.root)
    return [Forward(node, "loss" if node.name in ends else "forward") for node in graph.ops]


def backward_steps(graph: Graph) -> list[Step]:
    """Every op node that the output depends on, in reverse order."""
    reached = graph.ancestors(graph.root)
    leaves = [node for node in graph.kind(PARAMETER, INPUT) if node.needs_grad]
    unreached = tuple(node for node in leaves if node.name not in reached)
    seen: set[str] = set()
    steps: list[Step] = []
    for node in reversed(graph.ops):
        if node.name not in reached:
            continue
        assert node.op
        flows = []
        for i, name in enumerate(node.inputs):
            target = graph[name]
            if target.needs_grad and node.op.differentiable(i):
                flows.append(Flow(i, target, name not in seen))
                seen.add(name)
        seed = node.name == graph.root
        if flows or seed:
            steps.append(Backward(node, tuple(flows), seed, unreached if seed else ()))
    return steps
