"""The running statistics of batch norm: buffers that move a little towards every batch's mean and
variance, each time in a step of its own right behind the normalisation (PyTorch does it unseen).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.kernel import Kernel, const
from app.engine.ops.normalisation import BatchNormalise
from app.engine.plan import Forward, Step
from app.engine.types import SAVED, VALUE


@dataclass(frozen=True)
class MoveRunning:
    """running ← (1 − momentum)·running + momentum·batch; the variance with n − 1, as in PyTorch."""

    graph_node: Node
    mean: Node
    var: Node
    momentum: float
    count: int
    phase: str = "buffers"
    node: None = None
    says: ClassVar[str] = (
        "The running mean and variance move a little towards this batch's. Training does not use "
        "them; evaluation will."
    )
    numpy: ClassVar[str] = (
        "running_mean = (1 - momentum) * running_mean + momentum * mean; "
        "running_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)"
    )
    pytorch: ClassVar[str] = "# nn.BatchNorm does it during forward"

    @property
    def label(self) -> str:
        return f"{self.mean.label}, {self.var.label} ← running mean and variance"

    def run(self, k: Kernel) -> None:
        keep, take = const(1.0 - self.momentum), self.momentum
        unbiased = take * self.count / (self.count - 1)
        for leaf, saved, share in ((self.mean, "mean", take), (self.var, "var", unbiased)):
            batch = k.read(self.graph_node.name, SAVED + saved).reshape(leaf.shape)
            kept, taken = k.scratch(leaf.shape), k.scratch(leaf.shape)
            k(np.multiply, k.read(leaf.name), keep, kept)
            k(np.multiply, batch, const(share), taken)
            k(np.add, kept, taken, k.write(leaf.name, VALUE, leaf.shape))


def with_running(graph: Graph, steps: list[Step]) -> list[Step]:
    """The steps with one more behind every normalisation that keeps running statistics; a value
    that is computed a second time (checkpointing) does not count again.
    """
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if not isinstance(step, Forward) or step.phase == "recompute":
            continue
        node = step.graph_node
        if isinstance(node.op, BatchNormalise) and node.op.momentum is not None:
            mean, var = (graph[f"{node.scope}.{name}"] for name in ("running_mean", "running_var"))
            count = node.op.count(node.shape)
            found.append(MoveRunning(node, mean, var, node.op.momentum, count))
    return found
