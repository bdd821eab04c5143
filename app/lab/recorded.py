"""A run's loss, and its gradient, as functions of all parameters in one vector.

The forward (and backward) steps are recorded once into calls on buffers that stay, by the very
recorder that training uses, and then replayed for every point: no stepper, nothing allocated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from app.engine.graph import PARAMETER, Graph
from app.engine.kernel import Recorder
from app.engine.plan import backward_steps, forward_steps
from app.engine.replay import straight
from app.engine.types import GRAD, VALUE, Array, Slot
from app.train import slopes
from app.train.iteration import KEPT
from app.train.plans.rewritten import model_of
from app.train.run import Run

SAMPLES = 1_000  # of all samples, where the loss of more than one batch is wanted


class Recorded:
    """`point` is where the function is taken; the graph's other leaves have fixed `values`."""

    def __init__(
        self, graph: Graph, values: Mapping[str, Array], *, gradient: bool = False
    ) -> None:
        self.graph, self.parameters = graph, graph.kind(PARAMETER)
        self._made_of = (graph, values, gradient)
        total = sum(int(np.prod(node.shape)) for node in self.parameters)
        self.start, self.point, self.slope = np.zeros(total), np.zeros(total), np.zeros(total)
        self.start[:] = self.flat(values)
        buffers: dict[Slot, Array] = {}
        for node in graph.nodes.values():
            if node.op is None and node.kind != PARAMETER:
                buffers[node.name, VALUE] = np.array(values[node.name], node.dtype)
        for slot, vector in ((VALUE, self.point), (GRAD, self.slope)):
            for name, part in self.parts(vector).items():
                buffers[name, slot] = part
        filled = {slot for slot in buffers if slot[1] == VALUE}
        k = Recorder(buffers, filled, graph.trained(), {})
        with np.errstate(all="ignore"):
            for step in forward_steps(graph) + (backward_steps(graph) if gradient else []):
                step.run(k)
        self._run = straight(k.calls, k.buffers[graph.output, VALUE].item, float)

    def __reduce__(self) -> Any:
        """In another process the calls are recorded anew."""
        graph, values, gradient = self._made_of
        return _again, (graph, dict(values), gradient)

    def flat(self, values: Mapping[str, Array]) -> Array:
        """These parameters as one vector."""
        parts = [values[node.name].reshape(-1) for node in self.parameters]
        return np.concatenate(parts) if parts else np.zeros(0)

    def parts(self, vector: Array) -> dict[str, Array]:
        """Views of a vector, one for each parameter."""
        found, first = {}, 0
        for node in self.parameters:
            size = int(np.prod(node.shape))
            found[node.name] = vector[first : first + size].reshape(node.shape)
            first += size
        return found

    def loss(self, point: Array) -> float:
        np.copyto(self.point, point)
        losses: list[float] = []
        self._run(range(1), losses, [])
        return losses[0]

    def losses(self, base: Array, direction: Array, places: Array) -> list[float]:
        """At base + x·direction for each x; nothing is allocated between two of them."""
        step, found = np.empty_like(base), list[float]()

        def moved() -> Iterator[tuple[()]]:
            for x in places:
                np.multiply(direction, x, step)
                np.add(base, step, self.point)
                yield ()

        self._run(moved(), found, [])
        return found

    def gradient(self, point: Array) -> Array:
        """For who asked for it when it was made."""
        self.loss(point)
        return self.slope.copy()


def _again(graph: Graph, values: Mapping[str, Array], gradient: bool) -> Recorded:
    return Recorded(graph, values, gradient=gradient)


def recorded(run: Run, iteration: int, *, gradient: bool = False) -> Recorded:
    """The loss that this iteration's update lowers. Where batches or dropout make every iteration's
    loss another one: that of all samples (of a thousand at most) as in evaluation.
    """
    batches, model = run.problem.batches, model_of(run.problem)
    varied = model is not None and (
        model.noisy or model.batches.count > 1 or run.spec.method.accumulate > 1
    )
    if model is None or batches is None or not varied:
        graph = run.plain_graph(iteration)
        return Recorded(graph, slopes.leaves(run, graph, iteration), gradient=gradient)
    size = min(SAMPLES, model.at_once, batches.samples)
    graph = model.evaluation(size).graph
    rows = np.linspace(0, batches.samples - 1, size).astype(int)
    slots = run.slots(iteration, 0)
    values = {node.name: slots[node.name, VALUE] for node in graph.kind(*KEPT)}
    values |= {which: batches.whole(iteration, which)[rows] for which in ("input", "target")}
    return Recorded(graph, values, gradient=gradient)
