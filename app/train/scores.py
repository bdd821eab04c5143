"""How good a network is at a moment: loss, accuracy and confusion matrix of the samples trained on
and of those held back, as in evaluation (no dropout, running statistics, no augmentation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.op import Op
from app.engine.types import VALUE, Array, Shape
from app.train.iteration import KEPT
from app.train.measure import passes
from app.train.plans.rewritten import model_of
from app.train.problem import ModelProblem
from app.train.run import Run

MOST_CLASSES = 50  # a confusion matrix for more would be unreadable


@dataclass(frozen=True)
class Reading:
    """How outputs are read as classes: `kind` is "largest" (of the last axis) or "above" a border,
    and `low` what the target of class 0 is.
    """

    kind: str
    classes: int
    border: float = 0.0
    low: float = 0.0

    def said(self, outputs: Array) -> Array:
        """Class numbers; −1 where the output is no number."""
        if self.kind == "largest":
            broken = np.isnan(outputs).any(axis=-1)
            return np.where(broken, -1, np.argmax(outputs, axis=-1)).reshape(-1)
        above: Array = np.where(np.isnan(outputs), -1, (outputs > self.border).astype(int))
        return above.reshape(-1)

    def true(self, targets: Array, outputs: Array) -> Array:
        if self.kind == "above":
            found: Array = (targets > (self.low + 1) / 2).astype(int)
        elif targets.shape == outputs.shape:
            found = np.argmax(targets, axis=-1)
        else:
            found = targets.astype(int)
        return found.reshape(-1)


def reading(loss: Op, targets: Array, shape: Shape) -> Reading | None:
    """What the loss and all targets say about classes, for outputs of a shape; None: the targets
    are values.
    """
    if loss.name in ("cross_entropy", "nll"):
        return Reading("largest", shape[-1])
    if loss.name == "bce_with_logits":
        return Reading("above", 2)
    if loss.name == "bce":
        return Reading("above", 2, border=0.5)
    found = set(np.unique(targets).tolist())
    if found == {0.0, 1.0}:
        if targets.ndim == 2 and targets.shape[1] > 1 and (targets.sum(axis=1) == 1).all():
            return Reading("largest", targets.shape[1])
        return Reading("above", 2, border=0.5)
    return Reading("above", 2, low=-1.0) if found == {-1.0, 1.0} else None


def evaluated(run: Run, iteration: int) -> dict[str, Any]:
    """With the parameters at the start of that iteration."""
    problem = model_of(run.problem)
    slots = run.slots(iteration, 0)
    if problem is None or run.spec.method.scalars:
        what = "a model taken apart into scalars" if problem else "a program"
        raise BackstepError(f"{what} cannot be evaluated on samples", where="id")
    graph = problem.graph(iteration)
    slots = {(n.name, VALUE): slots[n.name, VALUE] for n in graph.kind(*KEPT)}
    batches = problem.batches
    train = batches.whole(iteration, "input"), batches.whole(iteration, "target")
    loss = graph[graph.output].op
    assert loss is not None
    read = reading(loss, train[1], graph[problem.prediction].shape)
    return {
        "iteration": iteration,
        "classes": None if read is None else read.classes,
        "labels": problem.names("classes"),
        "train": _score(problem, slots, *train, read),
        "validation": batches.validation and _score(problem, slots, *batches.validation, read),
    }


def _score(
    problem: ModelProblem, slots: Any, inputs: Array, targets: Array, read: Reading | None
) -> dict[str, Any]:
    """Rows of the confusion matrix are true classes, columns what the network said. An answer may
    hold several: of a sequence, one for each step.
    """
    with np.errstate(all="ignore"):
        parts = list(passes(problem, slots, inputs, targets))
        told: dict[str, Any] = {
            "samples": len(inputs),
            "loss": float(np.sum([loss for loss, _ in parts])),
        }
        if read is None:
            return told | dict.fromkeys(TALLIED)
        return told | tally(read, np.concatenate([answer for _, answer in parts]), targets)


TALLIED = ("answers", "correct", "accuracy", "undecided", "confusion")


def tally(read: Reading, outputs: Array, targets: Array) -> dict[str, Any]:
    """Right answers and the confusion matrix (None for very many classes)."""
    said, true = read.said(outputs), read.true(targets, outputs)
    correct, matrix = int(np.sum(said == true)), None
    if read.classes <= MOST_CLASSES:
        matrix = np.zeros((read.classes, read.classes), int)
        decided = said >= 0
        np.add.at(matrix, (true[decided], said[decided]), 1)
    told = (
        len(true),
        correct,
        correct / len(true),
        int(np.sum(said < 0)),
        None if matrix is None else matrix.tolist(),
    )
    return dict(zip(TALLIED, told, strict=True))
