"""The gradient of an iteration's loss by itself: of the whole batch, with nothing kept from before,
and without the casts and scales that a plan may put in. It is what a measured slope is compared to.
"""

from __future__ import annotations

import numpy as np

from app.engine.plan import backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from app.train.iteration import FED
from app.train.plans.accumulation import part_name, share
from app.train.run import Run


def gradients(run: Run, iteration: int) -> dict[str, Array]:
    """The slope of `run.loss(iteration)` in every parameter, and input where the batch is whole."""
    graph, parts = run.plain_graph(iteration), run.spec.method.accumulate
    slots, feed = run.slots(iteration, 0), run.problem.feed(iteration)
    plan = forward_steps(graph) + backward_steps(graph)
    total: dict[str, Array] = {}
    for part in range(parts):
        start: dict[Slot, Array] = {}
        for name, node in graph.nodes.items():
            if node.op is None and node.kind in FED:
                start[name, VALUE] = feed[part_name(name, part) if parts > 1 else name]
            elif node.op is None:
                start[name, VALUE] = slots[name, VALUE]
        stepper = Stepper(plan, start, {}, {})
        stepper.seek(len(plan))
        for name, node in graph.nodes.items():
            grad = stepper.slots.get((name, GRAD))
            if grad is None or node.op is not None or (parts > 1 and node.kind in FED):
                continue
            weight = share(graph, parts) if parts > 1 else 1.0
            total[name] = total.get(name, np.zeros(grad.shape)) + weight * grad
    return total
