"""Training until something happens: a loss or a gradient falls below a number, the first number
that is not finite, a ReLU that goes off for every sample, a validation loss that no longer falls.

Each condition is one entry of a table. What it finds is the iteration in which it happens, so that
a person can stand before that very iteration and walk through it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from app.engine.errors import BackstepError
from app.engine.fields import real, whole
from app.engine.types import VALUE, Array
from app.lab.condition import Condition, Ending
from app.lab.dying import DeadUnit
from app.lab.exploding import first_break
from app.lab.fading import GradientBelow
from app.render import numbers
from app.train.run import Run

Progress = Callable[[int], bool]


@dataclass(frozen=True)
class Best:
    """The weights at the start of `iteration` had the least validation loss."""

    iteration: int
    validation_loss: float


@dataclass(frozen=True)
class Below(Condition):
    """A column of the history falls below a border."""

    border: float
    column: ClassVar[str]
    what: ClassVar[str]

    @classmethod
    def parse(cls, given: Any, run: Run) -> Below:
        return cls(real(given, f"until.{cls.name}"))

    def _worth(self, run: Run, start: int, stop: int) -> Array:
        return np.array(getattr(run.history, self.column)[start:stop])

    def met(self, run: Run, start: int, stop: int) -> bool:
        return bool((self._worth(run, start, stop) < self.border).any())

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        worth = self._worth(run, start, stop)
        found = worth < self.border
        if not found.any():
            return None
        at = int(found.argmax())
        return Ending(self.name, start + at, self.says(start + at, float(worth[at])))

    def says(self, i: int, worth: float) -> str:
        return f"In iteration {i} {self.what} is {numbers.text(worth)}, below {self.border:g}."


@dataclass(frozen=True)
class LossBelow(Below):
    """Of a whole epoch's batches together, so that one easy batch does not decide."""

    batches: int = 1

    name = "loss_below"
    column, what = "train_loss", "the loss"

    @classmethod
    def parse(cls, given: Any, run: Run) -> LossBelow:
        return cls(real(given, "until.loss_below"), run.problem.position(0)["batches"])

    def _worth(self, run: Run, start: int, stop: int) -> Array:
        losses = np.array(run.history.train_loss[max(0, start - self.batches + 1) : stop])
        means = np.full(stop - start, math.inf)
        if len(losses) >= self.batches:
            found = sliding_window_view(losses, self.batches).mean(axis=1)
            means[-len(found) :] = found
        return means

    def says(self, i: int, worth: float) -> str:
        if self.batches == 1:
            return super().says(i, worth)
        return (
            f"In iteration {i} the mean loss of the last {self.batches} batches, an epoch, is "
            f"{numbers.text(worth)}, below {self.border:g}."
        )


class GradNormBelow(Below):
    name = "grad_norm_below"
    column, what = "grad_norm", "the norm of the gradient"


@dataclass(frozen=True)
class Nonfinite(Condition):
    """The first number that is no finite one, wherever in the iteration it is written."""

    name = "nonfinite"

    @classmethod
    def parse(cls, given: Any, run: Run) -> Nonfinite:
        if given is not True:
            raise BackstepError(f"must be true, or be left out: {given!r}", where="until.nonfinite")
        return cls()

    def _broken(self, run: Run, start: int, stop: int) -> Array:
        columns = run.history.train_loss, run.history.grad_norm
        finite = np.isfinite([np.array(column[start:stop]) for column in columns])
        return start + np.flatnonzero(~finite.all(axis=0))

    def met(self, run: Run, start: int, stop: int) -> bool:
        return bool(self._broken(run, start, stop).size)

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        for i in self._broken(run, start, stop):
            place = first_break(run, int(i))
            if place is not None:
                what = "the gradient" if place.slot != VALUE else "the value"
                says = (
                    f"In iteration {place.iteration} {what} of {place.node} is the first number "
                    f"that is not finite: {place.why}."
                )
                return Ending(self.name, place.iteration, says, place.step, place.node)
        return None


@dataclass
class Patience(Condition):
    """Early stopping: so many validations in a row without a loss that is less by `min_delta`.

    They are counted from the start, or from when former weights were last taken up again.
    """

    patience: int
    min_delta: float = 0.0
    least: float = math.inf
    at: int = -1
    waited: int = 0
    seen: int = 0
    """Up to this iteration validations have been counted."""
    ending: Ending | None = None

    name = "validation_patience"

    @classmethod
    def parse(cls, given: Any, run: Run) -> Patience:
        batches = run.problem.batches
        if batches is None or batches.validation is None:
            raise BackstepError(
                'nothing is held back to validate on; give the spec\'s data "validation": 0.2',
                where="until.validation_patience",
            )
        patience = whole(given, "until.validation_patience", low=1)
        return cls(patience, seen=max(run.restored, default=0))

    def met(self, run: Run, start: int, stop: int) -> bool:
        return self.find(run, start, stop) is not None

    def find(self, run: Run, start: int, stop: int) -> Ending | None:
        epoch = run.problem.position(0)["batches"]
        last = -(-(self.seen + 1) // epoch) * epoch - 1
        for i in range(last, stop, epoch):
            if self.ending is None and i in run.history.validation_loss:
                self._count(i, run.history.validation_loss[i], start)
            self.seen = i + 1
        return self.ending

    def _count(self, i: int, loss: float, start: int) -> None:
        if loss < self.least - self.min_delta:
            self.least, self.at, self.waited = loss, i, 0
        else:
            self.waited += 1
        if self.waited >= self.patience and i >= start:
            since = f"than {numbers.text(self.least)} after iteration {self.at}"
            many = "validation" if self.waited == 1 else f"{self.waited} validations"
            says = f"The last {many} brought no better loss {since if self.at >= 0 else 'at all'}."
            self.ending = Ending(self.name, i + 1, says)


def best(run: Run, stop: int) -> Best | None:
    """Among the iterations before `stop`; a loss that is no number is never the best."""
    known = [(x, i) for i, x in run.history.validation_loss.items() if i < stop and x == x]
    if not known:
        return None
    loss, i = min(known)
    return Best(i + 1, loss)


CONDITIONS: dict[str, Any] = {
    c.name: c for c in (LossBelow, GradNormBelow, GradientBelow, Nonfinite, DeadUnit, Patience)
}


def parse_until(given: Any, run: Run) -> list[Condition]:
    """`{"loss_below": 0.1, "nonfinite": true, …}`: whichever holds first ends the training."""
    if not isinstance(given, dict) or not given:
        raise BackstepError(
            f'must be an object such as {{"loss_below": 0.1}}: {given!r}', where="until"
        )
    found: list[Condition] = []
    for name, value in given.items():
        if name == "min_delta":
            continue
        if name not in CONDITIONS:
            known = ", ".join([*CONDITIONS, "min_delta"])
            raise BackstepError(
                f"condition is not known: {name!r}; known are {known}", where=f"until.{name}"
            )
        found.append(CONDITIONS[name].parse(value, run))
    delta = real(given.get("min_delta", 0.0), "until.min_delta")
    if delta < 0 or ("min_delta" in given and "validation_patience" not in given):
        raise BackstepError(
            "must be at least 0, and stand beside validation_patience", where="until.min_delta"
        )
    for condition in found:
        if isinstance(condition, Patience):
            condition.min_delta = delta
    return found


def train_until(
    run: Run, start: int, target: int, conditions: list[Condition], progress: Progress
) -> tuple[int, Ending | None]:
    """Run from `start` to `target` at most; where this ended, and which condition ended it."""
    stride = min(condition.stride for condition in conditions)
    done, looked, off = start, start, False

    def watch(reached: int) -> bool:
        nonlocal looked, off
        first, looked = looked, max(looked, reached)
        off = off or not progress(reached)
        return not off and not any(c.met(run, first, looked) for c in conditions)

    while done < target and not off:
        until = min(target, done + stride)
        reached = max(done, min(until, run.train(until, watch)))
        found = [c.find(run, done, reached) for c in conditions] if done < reached else []
        endings = [ending for ending in found if ending is not None]
        if endings:
            ending = min(endings, key=lambda one: one.iteration)
            return min(reached, max(start, ending.iteration)), ending
        done = looked = max(looked, reached)
    return done, None
