"""One lane on its way. What it has found when it ends is plain data, so that lanes may run in other
processes and be judged together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import PARAMETER
from app.engine.types import VALUE, Array
from app.lab.lanes import Wanted, kindred
from app.lab.recorded import recorded
from app.lab.verdicts import Course
from app.train.limits import SpecLimits
from app.train.refined import run_of
from app.train.run import Run
from app.train.spec import Spec
from app.train.trainer import Trainer

WATCHED = 60  # steps of a path that are compared, to see where it turns back
SWING = 1e-3  # a step by a smaller share of the weights does not swing
QUICK = 20  # batches over which a loss is meaned, to see whether it was low for a while
PATH = 2_000  # iterations of the path of one or two numbers

Progress = Callable[[int, int], bool]
"""Called with iterations done and wanted; False ends the run there."""


@dataclass(frozen=True)
class Ran:
    """`loss[k]` is the loss after k updates; `kind` is equal where losses measure the same."""

    kind: str
    course: Course
    told: dict[str, Any]


class Former:
    """The lane that ran last. The next one takes over what both have in common: the problem with
    its graphs, and the buffers and recordings of its training, where only the rate is another.
    """

    def __init__(self) -> None:
        self.known: list[tuple[Spec, Trainer | None]] = []

    def __reduce__(self) -> tuple[type[Former], tuple[()]]:
        """In another process nothing has run yet."""
        return Former, ()

    def take(self) -> tuple[Spec | None, Trainer | None]:
        """For one lane alone, even if others should run beside it."""
        try:
            return self.known.pop()
        except IndexError:
            return None, None

    def give(self, run: Run) -> None:
        self.known[:] = [(run.spec, run.trainer)]


class Runner:
    def __init__(
        self,
        document: dict[str, Any],
        lane: Wanted,
        limits: SpecLimits | None,
        former: Former | None = None,
    ) -> None:
        like, trainer = former.take() if former is not None else (None, None)
        spec = lane.spec(document, limits, like)
        if spec.optimizer is None:
            raise BackstepError(
                "a sweep needs an optimizer whose learning rate can be set", where="optimizer"
            )
        self.run = run_of(spec, trainer=trainer)
        self.label, self.lr = lane.label, spec.optimizer.lr
        self.parameters = self.run.graph(0).kind(PARAMETER)
        self.numbers = sum(math.prod(node.shape) for node in self.parameters)
        self.single = len(self.parameters) == 1 and self.parameters[0].shape == ()
        self.drawn = self.single or self.numbers == 2
        self.stride = self.run.problem.position(0)["batches"]
        self.watched = PATH if self.drawn else WATCHED * self.stride
        self.path: list[Array] = []

    def go(self, count: int, progress: Progress | None = None) -> int:
        """Run `count` iterations, or as many as there were when `progress` ended it."""
        on = True

        def train(done: int) -> bool:
            nonlocal on
            on = on and (progress is None or progress(done, count))
            return on

        for iteration in range(0, min(count, self.watched + 1), 1 if self.drawn else self.stride):
            done = self.run.train(iteration, train)
            if not on:
                return done
            self.watch(iteration)
        return self.run.train(count, train)

    def watch(self, iteration: int) -> None:
        """Remember the parameters; where batches differ, once an epoch is enough to judge."""
        slots = self.run.carried(iteration)
        parts = [slots[node.name, VALUE].reshape(-1) for node in self.parameters]
        self.path.append(np.concatenate(parts) if parts else np.zeros(0))

    def finish(self, iterations: int, *, spec: bool = False) -> Ran:
        """The state after the last update counts, too."""
        fits = self.drawn or iterations % self.stride == 0
        if fits and len(self.path) * (1 if self.drawn else self.stride) == iterations:
            self.watch(iterations)
        history, problem = self.run.history, self.run.problem
        losses = [*history.train_loss[:iterations], self.run.loss(iterations)]
        judged = _trailing(losses, self.stride, self.stride)  # batches need not be alike
        quick, began = None, None
        if self.stride > 1:
            width = min(self.stride, QUICK)
            quick = _trailing(losses, width, width)
            began = self._began()
        turns = _turns(self.path[:: self.stride] if self.drawn else self.path)
        told = {
            "label": self.label,
            "lr": self.lr,
            "loss": losses,
            "final": losses[-1],
            "path": self._drawn_path(),
            "axes": self._axes(),
            "rates": None if self.run.spec.schedule is None else list(history.lr[:iterations]),
            "smooth": _trailing(losses, self.stride, 1) if self.stride > 1 else None,
            "samples": None
            if problem.batches is None
            else [problem.position(i)["samples"] for i in range(iterations + 1)],
            "batches": self.stride,
            "spec": self.run.spec.document if spec else None,
        }
        course = Course(judged, turns, self.stride, quick, began)
        return Ran(kindred(self.run.spec.document), course, told)

    def _began(self) -> float:
        f = recorded(self.run, 0)
        return f.loss(f.start)

    def _drawn_path(self) -> list[float] | list[list[float]] | None:
        if self.single:
            return [float(x[0]) for x in self.path]
        return [[float(each) for each in x] for x in self.path] if self.drawn else None

    def _axes(self) -> list[dict[str, Any]] | None:
        """The one or two numbers of a path, named as a landscape takes its `parameters`."""
        if not self.drawn:
            return None
        return [
            {"node": node.name, "index": [int(i) for i in index]}
            for node in self.parameters
            for index in np.ndindex(node.shape)
        ]


def run_lane(
    document: dict[str, Any],
    lane: Wanted,
    iterations: int,
    progress: Progress | None = None,
    *,
    limits: SpecLimits | None = None,
    spec: bool = False,
    former: Former | None = None,
) -> Ran:
    """A lane from start to end; `former` is the one before it, if they run in turns."""
    runner = Runner(document, lane, limits, former)
    ran = runner.finish(runner.go(iterations, progress), spec=spec)
    if former is not None:
        former.give(runner.run)
    return ran


def _trailing(losses: list[float], width: int, least: int) -> list[float]:
    """Means over the last `width` losses, or the first `least`: one batch's loss alone is no
    measure.
    """
    if width == 1:
        return losses
    return [
        math.fsum(part) / len(part) if all(map(math.isfinite, part)) else math.nan
        for part in (losses[max(0, i + 1 - width) : max(i + 1, least)] for i in range(len(losses)))
    ]


def _turns(path: list[Array]) -> list[bool]:
    """For each step after the first: does it lead back against the one before? A step that is
    nothing beside the weights is no turn.
    """
    if len(path) < 3:
        return []
    with np.errstate(all="ignore"):
        steps = np.diff(np.array(path), axis=0)
        far = [
            math.sqrt(np.dot(s, s)) > SWING * math.sqrt(np.dot(w, w))
            for s, w in zip(steps, path, strict=False)
        ]
        return [
            bool(np.dot(a, b) < 0) and far[i + 1]
            for i, (a, b) in enumerate(zip(steps[:-1], steps[1:], strict=True))
        ]
