"""Waiting for a ReLU to die: to be off for every sample, so that no gradient comes through and it
stays off. Units are judged by samples put through the network as in evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import whole
from app.engine.graph import Graph
from app.engine.types import VALUE, Array, Slot
from app.lab.checks.flow import units_off
from app.lab.condition import Condition, Ending
from app.train.iteration import KEPT
from app.train.measure import leaves, values_of
from app.train.plans.rewritten import model_of
from app.train.run import Run

SAMPLES = 512  # by which a unit is judged
STRIDE = 25  # iterations between two looks at every unit; where one died is then found exactly


def _judged(run: Run, iteration: int) -> tuple[Graph, dict[str, Array]]:
    """A graph with many samples at once where there are any, and what is fed to it."""
    problem = model_of(run.problem)
    if problem is None or run.spec.method.scalars:
        return run.graph(iteration), run.problem.feed(iteration)
    batches = problem.batches
    size = min(SAMPLES, problem.at_once, batches.samples)
    rows = np.linspace(0, batches.samples - 1, size).astype(int)
    fed = {which: batches.whole(iteration, which)[rows] for which in ("input", "target")}
    return problem.evaluation(size).graph, fed


def dead_units(run: Run, iteration: int) -> dict[str, Array]:
    """For each ReLU node, which of its units are off for all samples at the iteration's start."""
    graph, fed = _judged(run, iteration)
    slots: dict[Slot, Array] = run.carried(iteration)
    with np.errstate(all="ignore"):
        if "input" in fed and "target" in fed:
            given = {n.name: slots[n.name, VALUE] for n in graph.kind(*KEPT)} | fed
        else:
            given = leaves(graph, slots, fed, 0, 1)
        values = values_of(graph, given)
    return {
        node.name: units_off(graph, node, values[node.name] <= 0)
        for node in graph.ops
        if node.op_name == "relu"
    }


@dataclass(frozen=True)
class DeadUnit(Condition):
    """A ReLU that was on for some sample is off for all of them after an update."""

    node: str | None = None
    unit: int | None = None

    name = "dead_unit"
    stride = STRIDE

    @classmethod
    def parse(cls, given: Any, run: Run) -> DeadUnit:
        graph = _judged(run, 0)[0]
        there = [node.name for node in graph.ops if node.op_name == "relu"]
        if not there:
            raise BackstepError(
                "only a ReLU can die, and there is none in this model", where="until.dead_unit"
            )
        if given is True:
            return cls()
        if not isinstance(given, dict) or not given.keys() <= {"node", "unit"} or not given:
            raise BackstepError(
                f'must be true or an object such as {{"node": "{there[0]}", "unit": 0}}: {given!r}',
                where="until.dead_unit",
            )
        node = given.get("node", there[0] if len(there) == 1 else None)
        if node not in there:
            raise BackstepError(
                f"there is no ReLU of this name: {node!r}; there are {', '.join(there)}",
                where="until.dead_unit.node",
            )
        count = len(dead_units(run, 0)[node])
        unit = given.get("unit")
        if unit is not None:
            unit = whole(unit, "until.dead_unit.unit", low=0, high=count - 1)
        return cls(node, unit)

    def _watched(self, run: Run, iteration: int) -> set[tuple[str, int]]:
        return {
            (node, unit)
            for node, dead in dead_units(run, iteration).items()
            for unit in np.flatnonzero(dead).tolist()
            if self.node in (None, node) and self.unit in (None, unit)
        }

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        before = self._watched(run, start)
        if self.unit is not None and before:
            says = f"Unit {self.unit} of {self.node} is off for every sample already."
            return Ending(self.name, start, says, None, self.node, self.unit)
        if not self._watched(run, stop) - before:
            return None
        for i in range(start, stop):
            after = self._watched(run, i + 1)
            if after - before:
                node, unit = min(after - before)
                label = run.graph(i)[node].label if node in run.graph(i).nodes else node
                says = (
                    f"The update of iteration {i} turns unit {unit} of {label} off for every "
                    "sample: its slope is 0 from here on, and no gradient comes through."
                )
                return Ending(self.name, i, says, _update(run, i), node, unit)
        return None


def _update(run: Run, iteration: int) -> int | None:
    """The plan index of the first update."""
    phases = [step.phase for step in run.plan(iteration)]
    return phases.index("update") if "update" in phases else None
