"""Some samples side by side, a row for each class or from the lowest target to the highest: what is
said of each, and what every unit says to them. For networks whose inputs are pictures, or more
features than a plane has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.engine.types import Array, Slot
from app.lab.seen import Answer, Column, answers
from app.train.evaluation import Evaluation
from app.train.problem import ModelProblem
from app.train.scores import Reading

EACH = 8  # samples of a class at most
ROWS = 12  # classes at most
SIDE = 6  # of the square where targets are numbers


class Gallery:
    """Samples held back, or those trained on where none are."""

    def __init__(
        self,
        problem: ModelProblem,
        samples: Mapping[str, tuple[Array, Array]],
        columns: Sequence[Column],
        read: Reading | None,
        answer: Answer,
    ) -> None:
        self.part = "validation" if "validation" in samples else "train"
        self.columns, self._read, self._answer = columns, read, answer
        inputs, targets = samples[self.part]
        self.classes: list[int] | None = None
        if read is None:
            chosen = _sorted(targets.reshape(len(targets), -1)[:, 0])
        else:
            outputs = problem.evaluation(len(inputs))
            true = read.true(targets, np.empty(outputs.graph[outputs.prediction].shape))
            targets = true
            self.classes = np.unique(true)[:ROWS].tolist()
            found = [np.flatnonzero(true == number)[:EACH] for number in self.classes]
            each = min(len(rows) for rows in found)
            chosen = np.stack([rows[:each] for rows in found])
        self.grid = chosen.shape
        flat = chosen.reshape(-1)
        self.inputs, self.targets = inputs[flat], targets[flat].reshape(*self.grid, -1)[..., 0]
        model = problem.evaluation(len(flat))
        self._prediction = model.prediction
        self._evaluation = Evaluation(model.graph, {"input": self.inputs}, until=model.prediction)

    @property
    def scene(self) -> dict[str, Any]:
        """What stays as it is; targets are [row][column]."""
        return {"part": self.part, "classes": self.classes, "targets": self.targets.tolist()}

    @property
    def pixels(self) -> list[Any]:
        """[row][column] of each sample's numbers in a row, for drawing."""
        found: list[Any] = np.round(self.inputs.reshape(*self.grid, -1), 3).tolist()
        return found

    def maps(self, slots: Mapping[Slot, Array]) -> list[Array]:
        """For each column (units, rows, columns of the gallery); the last one is the answer as it
        is to be understood.
        """
        self._evaluation.run(slots)
        found = [self._evaluation.value(column.node) for column in self.columns[:-1]]
        found.append(self._answer.shown(self._evaluation.value(self._prediction)))
        return [values.T.reshape(-1, *self.grid) for values in found]

    def answers(self) -> dict[str, Any]:
        """After `maps`: what is said of each."""
        outputs = self._evaluation.value(self._prediction)
        return answers(self._read, self._answer, outputs, self.grid[0])


def _sorted(targets: Array) -> Array:
    """Places of samples from the lowest target to the highest, in a square."""
    side = max(1, min(SIDE, int(np.sqrt(len(targets)))))
    order = np.argsort(targets, kind="stable")
    places = np.linspace(0, len(order) - 1, side * side).astype(int)
    found: Array = order[places].reshape(side, side)
    return found
