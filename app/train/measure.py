"""Losses without a step: of an iteration's batch, or of any samples. Nothing of a run is moved by
looking at them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from app.engine.graph import Graph
from app.engine.plan import forward_steps
from app.engine.stepper import Stepper
from app.engine.types import VALUE, Array, Slot
from app.train.iteration import FED, KEPT
from app.train.plans.accumulation import part_name, share, summed
from app.train.problem import ModelProblem

CHUNK = 4096  # samples that are put through the network at once


def evaluate(graph: Graph, values: Mapping[str, Array]) -> float:
    """The output's value for given leaves."""
    return float(values_of(graph, values)[graph.output])


def values_of(graph: Graph, values: Mapping[str, Array]) -> dict[str, Array]:
    """Every node's value for given leaves."""
    slots = {(name, VALUE): value for name, value in values.items()}
    stepper = Stepper(forward_steps(graph), slots, {}, {})
    stepper.seek(len(stepper.plan))
    return {name: value for (name, slot), value in stepper.slots.items() if slot == VALUE}


def leaves(
    graph: Graph, slots: Mapping[Slot, Array], feed: Mapping[str, Array], part: int, parts: int
) -> dict[str, Array]:
    """The numbers of all leaves of this graph, with the rows of one micro-batch."""
    return {
        name: feed[part_name(name, part) if parts > 1 else name]
        if node.kind in FED
        else slots[name, VALUE]
        for name, node in graph.nodes.items()
        if node.op is None
    }


def batch_loss(
    graph: Graph,
    slots: Mapping[Slot, Array],
    feed: Mapping[str, Array],
    parts: int,
    replaced: Mapping[str, Array] | None = None,
) -> float:
    """The loss of a whole batch, some leaves replaced."""
    found = [
        evaluate(graph, leaves(graph, slots, feed, part, parts) | dict(replaced or {}))
        for part in range(parts)
    ]
    return found[0] if parts == 1 else math.fsum(found) * share(graph, parts)


def passes(
    problem: ModelProblem, slots: Mapping[Slot, Array], inputs: Array, targets: Array
) -> Iterator[tuple[float, Array]]:
    """What these samples count for in the loss of all, and what the network says of them: without
    dropout, with running statistics. In parts, if there are many.
    """
    size = min(CHUNK, problem.at_once)
    for first in range(0, len(inputs), size):
        x, y = inputs[first : first + size], targets[first : first + size]
        model = problem.evaluation(len(x))
        graph: Graph = model.graph
        values = {n.name: slots[n.name, VALUE] for n in graph.kind(*KEPT)}
        found = values_of(graph, values | {"input": x, "target": y})
        weight = 1.0 if summed(graph) else len(x) / len(inputs)
        yield float(found[graph.output]) * weight, found[model.prediction]


def samples_loss(
    problem: ModelProblem, slots: Mapping[Slot, Array], inputs: Array, targets: Array
) -> float:
    """The loss of all these samples as in evaluation."""
    with np.errstate(all="ignore"):
        return float(np.sum([loss for loss, _ in passes(problem, slots, inputs, targets)]))
