"""The plan of an iteration: data, zero_grad, forward, loss, backward, clip, update. Forgetting
`zero_grad` is this plan with a line missing; a method (`plans`) repeats lines or puts some in.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.graph import BUFFER, CONSTANT, INPUT, NOISE, PARAMETER, TARGET, Graph
from app.engine.kernel import Kernel
from app.engine.plan import Step
from app.engine.types import GRAD, VALUE
from app.train.optimizers import Optimizer
from app.train.plans.accumulation import AddLoss, part_name
from app.train.plans.faults import with_in_place
from app.train.plans.method import PLAIN, Method
from app.train.plans.mixed_precision import ScaledUpdate, Unscale, UpdateScale
from app.train.running import with_running
from app.train.update import Update

FED = (INPUT, TARGET, NOISE)
KEPT = (PARAMETER, BUFFER, CONSTANT)


@dataclass(frozen=True)
class Data:
    """Put this iteration's samples in place; what was computed from the former ones is gone."""

    graph: Graph
    part: int = 0
    parts: int = 1
    phase: str = "data"
    node: None = None

    @property
    def label(self) -> str:
        if self.parts == 1:
            return "load the batch"
        return f"load micro-batch {self.part + 1} of {self.parts}"

    def run(self, k: Kernel) -> None:
        for node in self.graph.ops:
            k.clear(node.name, VALUE)
        for node in self.graph.kind(*FED):
            k.load(node.name, part_name(node.name, self.part) if self.parts > 1 else "")


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
    graph: Graph,
    optimizer: Optimizer | None,
    *,
    zero_grad: bool = True,
    clip: Step | None = None,
    method: Method = PLAIN,
) -> list[Step]:
    """Without an optimizer the plan ends after the backward pass."""
    if method.forward_mode is not None:
        return [Data(graph), *method.forward_mode.steps(graph)]
    plan: list[Step] = []
    parts = method.accumulate
    for part in range(parts):
        plan.append(Data(graph, part, parts))
        if zero_grad and part == 0:
            plan.append(ZeroGrad(graph))
        steps = with_running(graph, method.passes(graph))
        if parts > 1:
            ends = [i for i, step in enumerate(steps) if step.phase == "loss"]
            steps.insert(ends[-1] + 1, AddLoss(graph, part, parts))
        plan += steps
    parameters, scaler = graph.kind(PARAMETER), method.scaler
    if parameters and scaler is not None:
        plan.append(Unscale(tuple(parameters)))
    if optimizer is not None and parameters:
        if clip is not None:
            plan.append(clip)
        update = Update if scaler is None else ScaledUpdate
        plan += [update(node, optimizer) for node in parameters]
    if parameters and scaler is not None:
        plan.append(UpdateScale(scaler))
    if method.overwrites and method.fault is not None:
        plan = with_in_place(graph, plan, method.fault)
    return plan
