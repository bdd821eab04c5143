"""The plan of an iteration: data, zero_grad, forward, loss, backward, clip, update. Forgetting
`zero_grad` is this plan with a line missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.graph import BUFFER, CONSTANT, INPUT, NOISE, PARAMETER, TARGET, Graph
from app.engine.kernel import Kernel
from app.engine.plan import Step, backward_steps, forward_steps
from app.engine.types import GRAD, VALUE
from app.train.optimizers import Optimizer
from app.train.update import Update

FED = (INPUT, TARGET, NOISE)
KEPT = (PARAMETER, BUFFER, CONSTANT)


@dataclass(frozen=True)
class Data:
    """Put this iteration's samples in place; what was computed from the former ones is gone."""

    graph: Graph
    phase: str = "data"
    node: None = None

    def run(self, k: Kernel) -> None:
        for node in self.graph.ops:
            k.clear(node.name, VALUE)
        for node in self.graph.kind(*FED):
            k.load(node.name)


@dataclass(frozen=True)
class ZeroGrad:
    """Empty every gradient slot, so that the backward pass starts afresh."""

    graph: Graph
    phase: str = "zero_grad"
    node: None = None

    def run(self, k: Kernel) -> None:
        for node in self.graph.nodes.values():
            if node.needs_grad:
                k.clear(node.name, GRAD)


def iteration_plan(
    graph: Graph, optimizer: Optimizer | None, *, zero_grad: bool = True, clip: Step | None = None
) -> list[Step]:
    """Without an optimizer the plan ends after the backward pass."""
    plan: list[Step] = [Data(graph)]
    if zero_grad:
        plan.append(ZeroGrad(graph))
    plan += forward_steps(graph) + backward_steps(graph)
    parameters = graph.kind(PARAMETER)
    if optimizer is not None and parameters:
        if clip is not None:
            plan.append(clip)
        plan += [Update(node, optimizer) for node in parameters]
    return plan
