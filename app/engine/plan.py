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
from app.engine.types import GRAD, VALUE, Array


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
        operands = [k.read(name) for name in node.inputs]
        k.at(node.name)
        node.op.forward(k, k.write(node.name, VALUE, node.shape, node.dtype), *operands)


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
            grads[flow.operand] = (
                k.write(target.name, GRAD, target.shape) if fills else k.scratch(target.shape)
            )
            terms.append((flow, fills))
        if not terms:
            return
        operands = [k.read(name) for name in node.inputs]
        k.at(node.name)
        node.op.vjp(k, k.read(node.name, GRAD), k.read(node.name), *operands, *grads)
        for flow, fills in terms:
            target, value = flow.target, grads[flow.operand]
            assert value is not None
            if not fills:
                old = k.read(target.name, GRAD)
                k(np.add, old, value, k.write(target.name, GRAD, target.shape))
            k.contribute(node.name, target.name, flow.operand, value, fills)


def forward_steps(graph: Graph) -> list[Step]:
    """Every op node in order; the output's step has the phase `loss`."""
    return [Forward(node, "loss" if node.name == graph.output else "forward") for node in graph.ops]


def backward_steps(graph: Graph) -> list[Step]:
    """Every op node that the output depends on, in reverse order."""
    reached = graph.ancestors(graph.output)
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
        seed = node.name == graph.output
        steps.append(Backward(node, tuple(flows), seed, unreached if seed else ()))
    return steps
