"""The gradient of an iteration's loss by itself: of the whole batch, with nothing kept from before,
and without the casts and scales that a plan may put in. It is what a measured slope is compared to.
"""

from __future__ import annotations

import numpy as np

from app.engine.graph import Graph
from app.engine.plan import backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from app.train import measure
from app.train.iteration import FED
from app.train.plans.accumulation import share
from app.train.run import Run


def leaves(run: Run, graph: Graph, iteration: int, part: int = 0) -> dict[str, Array]:
    """The numbers of all leaves of this graph, with the rows of one micro-batch."""
    slots, feed = run.slots(iteration, 0), run.problem.feed(iteration)
    return measure.leaves(graph, slots, feed, part, run.spec.method.accumulate)


def gradients(run: Run, iteration: int) -> dict[str, Array]:
    """The slope of `run.loss(iteration)` in every parameter, and input where the batch is whole."""
    graph, parts = run.plain_graph(iteration), run.spec.method.accumulate
    plan = forward_steps(graph) + backward_steps(graph)
    total: dict[str, Array] = {}
    for part in range(parts):
        start = {(n, VALUE): v for n, v in leaves(run, graph, iteration, part).items()}
        stepper = Stepper(plan, start, {}, {})
        stepper.seek(len(plan))
        for name, node in graph.nodes.items():
            grad = stepper.slots.get((name, GRAD))
            if grad is None or node.op is not None or (parts > 1 and node.kind in FED):
                continue
            weight = share(graph, parts) if parts > 1 else 1.0
            total[name] = total.get(name, np.zeros(grad.shape)) + weight * grad
    return total


def planned(run: Run, iteration: int) -> dict[str, Array]:
    """The leaves' gradients as this iteration's plan makes them, faults and roundings included:
    before clipping, unscaled, with nothing kept from before. A walk that stops leaves some out.
    """
    graph = run.graph(iteration)
    slots = {s: v for s, v in run.slots(iteration, 0).items() if s[1] != GRAD}
    plan = run.plan(iteration)
    ends = [i for i, step in enumerate(plan) if step.phase in ("clip", "update", "update_scale")]
    stepper = Stepper(plan, slots, run.problem.feed(iteration), {})
    stepper.seek(ends[0] if ends else len(plan))
    parts = run.spec.method.accumulate
    return {
        node.name: stepper.slots[node.name, GRAD]
        for node in graph.nodes.values()
        if node.op is None
        and (node.name, GRAD) in stepper.slots
        and (node.kind not in FED or (parts == 1 and run.spec.method.scaler is None))
    }


def loss(run: Run, iteration: int, replaced: dict[str, Array] | None = None) -> float:
    """The loss of the whole batch in full precision, some leaves replaced."""
    slots, feed = run.slots(iteration, 0), run.problem.feed(iteration)
    parts = run.spec.method.accumulate
    return measure.batch_loss(run.plain_graph(iteration), slots, feed, parts, replaced)
