"""Waiting for one parameter's gradient to fall below a number, such as that of a first layer while
the loss still falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import real, whole
from app.engine.graph import PARAMETER
from app.engine.types import GRAD
from app.lab.condition import Condition, Ending
from app.render import numbers
from app.train.run import Run

BORDER = 0.001


@dataclass(frozen=True)
class GradientBelow(Condition):
    """The norm of what an iteration's update is made of, after clipping: of a whole parameter, or
    of one unit's row of it. Each iteration is looked at.
    """

    node: str
    unit: int | None = None
    border: float = BORDER

    name = "gradient_below"
    stride = 1

    @classmethod
    def parse(cls, given: Any, run: Run) -> GradientBelow:
        there = {node.name: node.shape for node in run.graph(0).kind(PARAMETER)}
        accepted = {"node", "unit", "border"}
        if not isinstance(given, dict) or not given.keys() <= accepted or "node" not in given:
            example = f'{{"node": "{min(there, default="0.weight")}", "border": {BORDER}}}'
            raise BackstepError(
                f"must be an object such as {example}: {given!r}", where="until.gradient_below"
            )
        node = given["node"]
        if node not in there:
            raise BackstepError(
                f"there is no parameter of this name: {node!r}; there are {', '.join(there)}",
                where="until.gradient_below.node",
            )
        border = real(given.get("border", BORDER), "until.gradient_below.border")
        unit = given.get("unit")
        if unit is not None:
            rows = there[node][0] if there[node] else 1
            unit = whole(unit, "until.gradient_below.unit", low=0, high=rows - 1)
        return cls(node, unit, border)

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        for i in range(start, stop):
            grad = np.atleast_1d(run.carried(i + 1)[self.node, GRAD])
            norm = float(np.linalg.norm(grad if self.unit is None else grad[self.unit]))
            if norm < self.border:
                part = "" if self.unit is None else f" in unit {self.unit}"
                says = (
                    f"In iteration {i} the gradient of {self.node}{part} has the norm "
                    f"{numbers.text(norm)}, below {self.border:g}."
                )
                return Ending(self.name, i, says, None, self.node, self.unit)
        return None
