"""What the doctor looks at: a few iterations from inside, the history, and the way of the weights.

Everything is read off the run itself. Nothing is kept in it, and the person's position is not
touched; whatever is expensive is looked at once and only if a check asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app.engine.graph import PARAMETER, Graph, Node
from app.engine.plan import forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from app.lab.lanes import merged
from app.train.iteration import KEPT
from app.train.plans.accumulation import loss_of
from app.train.plans.rewritten import model_of
from app.train.problem import ModelProblem
from app.train.refined import arrays_of
from app.train.run import Run

LOOKS = 5  # iterations that are looked at from inside, evenly spread
STRIDES = 24  # steps of the weights whose directions are compared
SAMPLES = 512  # samples that are put through the network for its activations


@dataclass(frozen=True)
class Look:
    """One iteration from inside: all slots as they stand before its clip or update, the parameters
    after it, and which step wrote what.
    """

    iteration: int
    slots: dict[Slot, Array]
    after: dict[str, Array]
    wrote: dict[Slot, int]

    def grad(self, name: str) -> Array | None:
        return self.slots.get((name, GRAD))


def rms(array: Array) -> float:
    """The root of the mean square, without overflow on the way."""
    top = float(np.max(np.abs(array), initial=0.0))
    if not math.isfinite(top) or top == 0:
        return top
    return top * float(np.sqrt(np.mean(np.square(array / top))))


class Evidence:
    """`iteration` is how far the person has come: nothing beyond it counts. `looks` of the
    iterations are looked at from inside.
    """

    def __init__(
        self,
        run: Run,
        iteration: int,
        looks: int = LOOKS,
        progress: Callable[[], object] | None = None,
    ) -> None:
        self.run, self.many, self._progress = arrays_of(run), looks, progress
        self.apart = self.run is not run
        """Whether the caller sees a finer graph, in which steps have other numbers."""
        run = self.run
        run.train(iteration)
        history = run.history
        self.losses = history.train_loss[:iteration]
        self.validation = {
            i: loss for i, loss in sorted(history.validation_loss.items()) if i < iteration
        }
        self.broken = next((i for i, x in enumerate(self.losses) if not math.isfinite(x)), None)
        """The first iteration whose loss is no finite number."""
        self.iteration = iteration if self.broken is None else max(0, self.broken - 1)
        """The last one that is worth a look."""
        self.stride = run.problem.position(0)["batches"]

    @property
    def graph(self) -> Graph:
        return self.run.graph(self.iteration)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The spec with what was changed by hand since: what a cure is put over."""
        settings, given = self.run.settings(self.iteration), self.run.spec.document
        changes: dict[str, Any] = {"zero_grad": settings.zero_grad, "clip": settings.clip}
        if settings.lr is not None:
            changes["lr"] = settings.lr
        return merged(given, changes)

    @cached_property
    def model(self) -> ModelProblem | None:
        """The layers and samples, if the run is about a model."""
        return model_of(self.run.problem)

    @property
    def learns(self) -> bool:
        """Whether an update moves the weights at all."""
        spec = self.run.spec
        return spec.optimizer is not None and not spec.method.stepped

    # --- iterations from inside -----------------------------------------------------------------

    @cached_property
    def looks(self) -> list[Look]:
        """Evenly spread, the first and the last among them."""
        between = max(1, self.many - 1)
        places = {round(self.iteration * k / between) for k in range(self.many)}
        found = []
        for i in sorted(places | {self.iteration}):
            if self._progress is not None:
                self._progress()
            found.append(self.look(i))
        return found

    @property
    def last(self) -> Look:
        return self.looks[-1]

    def look(self, iteration: int) -> Look:
        stepper = self.run.stepper(iteration)
        ends = [i for i, step in enumerate(stepper.plan) if step.phase in ("clip", "update")]
        stepper.seek(ends[0] if ends else len(stepper.plan))
        slots = dict(stepper.slots)
        wrote = {slot: i for i, record in enumerate(stepper.records) for slot in record.writes}
        stepper.seek(len(stepper.plan))
        graph = self.run.graph(iteration)
        after = {node.name: stepper.slots[node.name, VALUE] for node in graph.kind(PARAMETER)}
        return Look(iteration, slots, after, wrote)

    def loss_at(self, look: Look) -> float:
        return float(loss_of(look.slots, self.run.graph(look.iteration)))

    # --- layers ---------------------------------------------------------------------------------

    @cached_property
    def weights(self) -> list[Node]:
        """The weights from the input on: matrices and kernels of a model, each parameter of a
        program.
        """
        every = self.graph.kind(PARAMETER)
        if self.model is None:
            order = [name for node in self.graph.ops for name in node.inputs]
            return sorted(
                (node for node in every if node.name in order), key=lambda n: order.index(n.name)
            )
        return [n for n in every if len(n.shape) >= 2 and "weight" in n.name.rsplit(".", 1)[-1]]

    def weights_after(self, name: str) -> int:
        """How many weights lie between a node and the output."""
        reached, names = {name}, {node.name for node in self.weights}
        found: set[str] = set()
        for node in self.graph.ops:
            if reached.intersection(node.inputs):
                reached.add(node.name)
                found |= names.intersection(node.inputs)
        return len(found)

    def activations(self, *ops: str, hidden: bool = False) -> list[Node]:
        """Uses of these ops; `hidden` leaves out what no further weight comes after."""
        nodes = [node for node in self.graph.ops if node.op_name in ops]
        return [node for node in nodes if not hidden or self.weights_after(node.name)]

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every node's value with the last look's parameters: of many samples, as in evaluation,
        where there are any; of the last look else.
        """
        slots, problem = self.last.slots, self.model
        if problem is None:
            return {name: value for (name, slot), value in slots.items() if slot == VALUE}
        batches = problem.batches
        size = min(SAMPLES, problem.at_once, batches.samples)
        graph = problem.evaluation(size).graph
        rows = np.linspace(0, batches.samples - 1, size).astype(int)
        start = {
            (node.name, VALUE): slots[node.name, VALUE]
            for node in graph.kind(*KEPT)
            if (node.name, VALUE) in slots
        }
        for name in ("input", "target"):
            start[name, VALUE] = batches.whole(self.iteration, name)[rows]
        stepper = Stepper(forward_steps(graph), start, {}, {})
        stepper.seek(len(stepper.plan))
        return {name: value for (name, slot), value in stepper.slots.items() if slot == VALUE}

    # --- the way --------------------------------------------------------------------------------

    @cached_property
    def cosines(self) -> list[float]:
        """Of the angles between each of the last steps and the one before; −1 is straight back. A
        step is an epoch long, so that the noise of batches is no turn.
        """
        last = self.iteration // self.stride
        path = [self._flat(k * self.stride) for k in range(max(0, last - STRIDES), last + 1)]
        steps = [b - a for a, b in zip(path[:-1], path[1:], strict=True)]
        found = []
        for a, b in zip(steps[:-1], steps[1:], strict=True):
            size = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
            if size > 0 and math.isfinite(size):
                found.append(float(np.dot(a, b)) / size)
        return found

    def _flat(self, iteration: int) -> Array:
        slots = self.run.carried(iteration)
        parts = [slots[node.name, VALUE].reshape(-1) for node in self.graph.kind(PARAMETER)]
        return np.concatenate(parts) if parts else np.zeros(0)

    @cached_property
    def smooth(self) -> list[float]:
        """Mean losses of epochs: entry k is that of iterations k·stride … (k+1)·stride − 1."""
        whole = len(self.losses) // self.stride * self.stride
        parts = [self.losses[i : i + self.stride] for i in range(0, whole, self.stride)]
        return [math.fsum(part) / len(part) for part in parts if all(map(math.isfinite, part))]
