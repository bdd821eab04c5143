"""Forward mode: how the outputs move when an input is moved along a direction (J·v).

No op has a second rule for it. A vjp is linear in g, and with g = 1 at one entry of the output it
gives that entry's row of the Jacobian: `(J·v)[j] = Σ vjp(e_j) · v`. One call does for an
elementwise op, one for each entry of the output else. One pass gives the derivative of all outputs
along one direction; a gradient of n numbers takes n passes, where reverse mode takes one for each
output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import Graph, Node
from app.engine.kernel import Eager, Kernel
from app.engine.plan import Backward, Flow, Forward, Step
from app.engine.stepper import Stepper
from app.engine.types import FLOAT, GRAD, SAVED, VALUE, Array, Slot

TANGENT = "tangent"
MOST_ENTRIES = 4096


@dataclass(frozen=True)
class SeedTangent:
    """Choose the direction: one entry of a leaf moves by 1 (or all by `direction`)."""

    graph_node: Node
    index: tuple[int, ...] | None = None
    direction: Array | None = None
    phase: str = TANGENT

    @property
    def node(self) -> str:
        return self.graph_node.name

    @property
    def label(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"d{self.graph_node.label}{place} = 1"

    @property
    def says(self) -> str:
        return (
            f"Forward mode asks one question at a time: how does everything move when "
            f"{self.label[1:-4]} moves by 1? So its own tangent is 1, that of all other leaves 0."
        )

    numpy = "dx = 1"
    pytorch = "x = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))"

    def run(self, k: Kernel) -> None:
        node = self.graph_node
        out = k.write(node.name, TANGENT, node.shape)
        if self.direction is not None:
            out[...] = self.direction
        else:
            out[...] = 0.0
            out[self.index or ()] = 1.0


@dataclass(frozen=True)
class Tangent:
    """How one node moves, from how its operands move. It needs only what stands already: nothing
    has to be kept for a way back.
    """

    graph_node: Node
    flows: tuple[Flow, ...]
    phase: str = TANGENT

    @property
    def node(self) -> str:
        return self.graph_node.name

    @property
    def label(self) -> str:
        moved = dict.fromkeys(flow.target.label for flow in self.flows)
        return f"d{self.graph_node.label} ← {', '.join('d' + name for name in moved)}"

    @property
    def says(self) -> str:
        return (
            f"The tangent of {self.graph_node.label}: each operand's tangent times the local "
            "derivative, added up. The same chain rule as backward, taken from the other end."
        )

    numpy = "dy = sum(local * dx for local, dx in zip(locals, tangents))"
    pytorch = "torch.func.jvp(f, (x,), (dx,))"

    def run(self, k: Kernel) -> None:
        node = self.graph_node
        out = k.write(node.name, TANGENT, node.shape)
        out[...] = 0.0
        moving = [flow for flow in self.flows if k.has(flow.target.name, TANGENT)]
        if moving and not isinstance(k, Eager):
            raise BackstepError("forward mode is stepped, not recorded")
        if moving:
            assert isinstance(k, Eager)
            tangents = {flow.target.name: k.read(flow.target.name, TANGENT) for flow in moving}
            out[...] = jvp(node, self.flows, k.slots, tangents)


def jvp(
    node: Node,
    flows: tuple[Flow, ...],
    slots: Mapping[Slot, Array],
    tangents: Mapping[str, Array],
) -> Array:
    """J·v of one use of an op whose forward step is done; what has no tangent stands still."""
    assert node.op
    moving = [flow for flow in flows if flow.target.name in tangents]
    if node.op.elementwise:
        total = np.zeros(node.shape)
        rows = _rows(node, flows, slots, np.ones(node.shape))
        for flow in moving:
            total += rows[flow.operand] * tangents[flow.target.name]
        return total
    if int(np.prod(node.shape)) > MOST_ENTRIES:
        raise BackstepError(
            f"forward mode is for small nodes, of at most {MOST_ENTRIES} entries: "
            f"{node.name} has the shape {node.shape}",
            where=node.name,
        )
    out, g = np.zeros(node.shape), np.zeros(node.shape)
    for index in np.ndindex(*node.shape):
        g[index] = 1.0
        rows = _rows(node, flows, slots, g.copy())
        g[index] = 0.0
        out[index] = sum(
            float(np.sum(rows[flow.operand] * tangents[flow.target.name])) for flow in moving
        )
    return out


def _rows(
    node: Node, flows: tuple[Flow, ...], slots: Mapping[Slot, Array], g: Array
) -> dict[int, Array]:
    """The contributions of this node's step backward for an upstream gradient g."""
    kept = {name: slots[name, VALUE] for name in (*node.inputs, node.name)}
    here: dict[Slot, Array] = {(name, VALUE): value for name, value in kept.items()}
    here |= {s: v for s, v in slots.items() if s[0] == node.name and s[1].startswith(SAVED)}
    here[node.name, GRAD] = g
    kernel = Eager(here, {}, {})
    Backward(node, flows).run(kernel)
    return {c.operand: c.value for c in kernel.record.contributions}


def flows_of(graph: Graph, node: Node) -> tuple[Flow, ...]:
    """All operands through which a node can be moved."""
    assert node.op
    seen: set[str] = set()
    flows = []
    for i, name in enumerate(node.inputs):
        target = graph[name]
        if node.op.differentiable(i) and target.dtype == FLOAT:
            flows.append(Flow(i, target, name not in seen))
            seen.add(name)
    return tuple(flows)


def forward_mode_steps(graph: Graph, seeds: list[SeedTangent]) -> list[Step]:
    """Value and tangent of every node side by side: one pass, no way back."""
    plan: list[Step] = [*seeds]
    moved = {seed.node for seed in seeds}
    for node in graph.ops:
        plan.append(Forward(node, "loss" if node.name == graph.output else "forward"))
        if any(flow.target.name in moved for flow in flows_of(graph, node)):
            moved.add(node.name)
            plan.append(Tangent(node, flows_of(graph, node)))
    return plan


def directional(
    graph: Graph, values: Mapping[str, Array], directions: Mapping[str, Array]
) -> dict[str, Array]:
    """One pass: the tangents of all nodes when the leaves move along these directions."""
    seeds = [SeedTangent(graph[name], None, v) for name, v in directions.items()]
    stepper = Stepper(
        forward_mode_steps(graph, seeds), {(n, VALUE): v for n, v in values.items()}, {}, {}
    )
    stepper.seek(len(stepper.plan))
    return {name: value for (name, slot), value in stepper.slots.items() if slot == TANGENT}


def gradient(
    graph: Graph, values: Mapping[str, Array], leaves: list[str]
) -> tuple[dict[str, Array], int]:
    """The gradient of the output by forward mode, and the number of passes that it took: one for
    every entry of the leaves.
    """
    passes, found = 0, {}
    for name in leaves:
        shape = graph[name].shape
        found[name] = np.zeros(shape)
        for index in np.ndindex(*shape):
            direction = np.zeros(shape)
            direction[index] = 1.0
            moved = directional(graph, values, {name: direction})
            found[name][index] = float(moved.get(graph.root, np.zeros(())))
            passes += 1
    return found, passes


def passes(graph: Graph, leaves: list[str]) -> dict[str, int]:
    """How many passes a whole Jacobian takes: one for every number moved, or for every output."""
    inputs = sum(int(np.prod(graph[name].shape)) for name in leaves)
    outputs = int(np.prod(graph[graph.root].shape))
    return {"inputs": inputs, "outputs": outputs, "forward": inputs, "reverse": outputs}
