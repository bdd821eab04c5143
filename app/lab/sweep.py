"""One spec, several lanes: runs from the same start that differ in their rate, optimizer, batch
size or whatever else a lane may change, and advance in lock-step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import whole
from app.engine.graph import PARAMETER
from app.engine.types import VALUE, Array
from app.lab.lanes import MAX_LANES, Wanted, kindred, parse_lanes
from app.lab.verdicts import Course, Verdict, judge
from app.train.limits import SpecLimits
from app.train.run import Run

MAX_ITERATIONS = 5_000
ROUND = 64  # iterations that a lane runs before the next one's turn
WATCHED = 60  # steps of a path that are compared, to see where it turns back
PATH = 2_000  # iterations of a single number's path

Progress = Callable[[int, int], bool]
"""Called with iterations done and wanted; False ends the sweep there."""


@dataclass(frozen=True)
class Lane:
    """`loss[k]` is the loss after k updates. `path` is the parameter itself if it is one number,
    `rates` the rate of each iteration where a schedule bends it.
    """

    label: str
    lr: float
    loss: list[float]
    verdict: Verdict
    final: float
    path: list[float] | None
    rates: list[float | None] | None = None


class _Runner:
    """One lane on its way."""

    def __init__(self, document: dict[str, Any], lane: Wanted, limits: SpecLimits | None) -> None:
        spec = lane.spec(document, limits)
        if spec.optimizer is None:
            raise BackstepError(
                "a sweep needs an optimizer whose learning rate can be set", where="optimizer"
            )
        self.run, self.label, self.lr = Run(spec), lane.label, spec.optimizer.lr
        self.kind = kindred(spec.document)
        self.parameters = self.run.graph(0).kind(PARAMETER)
        self.single = len(self.parameters) == 1 and self.parameters[0].shape == ()
        self.stride = self.run.problem.position(0)["batches"]
        self.watched = PATH if self.single else WATCHED * self.stride
        self.path: list[Array] = []
        self.losses: list[float] = []

    def advance(self, done: int, until: int) -> None:
        """From the start of iteration `done` to the start of `until`."""
        for iteration in range(done, min(until, self.watched + 1)):
            self.watch(iteration)
        self.run.train(until)

    def watch(self, iteration: int) -> None:
        """Remember the parameters; where batches differ, once an epoch is enough."""
        if self.single or iteration % self.stride == 0:
            slots = self.run.slots(iteration, 0)
            parts = [slots[node.name, VALUE].reshape(-1) for node in self.parameters]
            self.path.append(np.concatenate(parts) if parts else np.zeros(0))

    def finish(self, iterations: int) -> None:
        """The state after the last update counts, too."""
        if iterations <= self.watched:
            self.watch(iterations)
        self.losses = [*self.run.history.train_loss[:iterations], self.run.loss(iterations)]

    def course(self) -> Course:
        path = self.path[:: self.stride] if self.single else self.path
        return Course(_trailing(self.losses, self.stride), _turns(path), self.stride)


def sweep(
    document: dict[str, Any],
    lanes: Any,
    iterations: Any,
    *,
    limits: SpecLimits | None = None,
    max_lanes: int = MAX_LANES,
    max_iterations: int = MAX_ITERATIONS,
    progress: Progress | None = None,
) -> list[Lane]:
    """Train the spec once for each of `[{"lr": 0.1, "label"?: …}, …]` and say how each did."""
    count = whole(iterations, "iterations", low=1)
    if count > max_iterations:
        raise LimitError(
            f"a sweep may have at most {max_iterations:,} iterations: {count:,}", where="iterations"
        )
    runners = [_Runner(document, lane, limits) for lane in parse_lanes(lanes, max_lanes)]
    done = 0
    while done < count:
        until = min(count, done + ROUND)
        for runner in runners:
            runner.advance(done, until)
        done = until
        if progress is not None and not progress(done, count):
            break
    for runner in runners:
        runner.finish(done)
    verdicts = _judged(runners)
    return [
        Lane(
            runner.label,
            runner.lr,
            runner.losses,
            verdict,
            runner.losses[-1],
            [float(x[0]) for x in runner.path] if runner.single else None,
            None if runner.run.spec.schedule is None else list(runner.run.history.lr[:done]),
        )
        for runner, verdict in zip(runners, verdicts, strict=True)
    ]


def _judged(runners: list[_Runner]) -> list[Verdict]:
    """Each lane beside those whose loss measures the same thing."""
    found: dict[int, Verdict] = {}
    for kind in dict.fromkeys(runner.kind for runner in runners):
        places = [i for i, runner in enumerate(runners) if runner.kind == kind]
        courses = [runners[i].course() for i in places]
        found |= dict(zip(places, judge(courses), strict=True))
    return [found[i] for i in range(len(runners))]


def _trailing(losses: list[float], width: int) -> list[float]:
    """Means over the last `width` losses: one batch's loss alone is no measure."""
    if width == 1:
        return losses
    return [
        math.fsum(part) / len(part) if all(map(math.isfinite, part)) else math.nan
        for part in (losses[max(0, i + 1 - width) : i + 1] for i in range(len(losses)))
    ]


def _turns(path: list[Array]) -> list[bool]:
    """For each step after the first: does it lead back against the one before?"""
    if len(path) < 3:
        return []
    with np.errstate(all="ignore"):
        steps = np.diff(np.array(path), axis=0)
        return [bool(np.dot(a, b) < 0) for a, b in zip(steps[:-1], steps[1:], strict=True)]


def as_json(lane: Lane) -> dict[str, Any]:
    """For an answer: the fields as they are named."""
    return {**vars(lane), "verdict": vars(lane.verdict)}
