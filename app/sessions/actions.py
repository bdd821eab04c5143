"""Everything that a person may do to a session, each a small command.

A `Move` says where it leads; it is stored as the position. A `Change` says from which iteration on
it counts, is applied to the run and stored in the log: spec, log and position give back the whole
session, number by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import real, whole
from app.engine.graph import Graph
from app.engine.types import Array
from app.nn.values import to_array
from app.sessions.errors import NotFoundError
from app.sessions.graphs import EDITABLE
from app.sessions.moment import Moment, Of, by_block, by_node, by_phase, settled
from app.train.clipping import parse_clip
from app.train.plans.penalty import parse_penalty
from app.train.run import Run


class Clock(Protocol):
    """What a move needs to know of a session."""

    @property
    def position(self) -> Moment: ...

    @property
    def batches(self) -> int: ...

    def of(self, iteration: int) -> int: ...

    def phases(self, iteration: int) -> list[str]: ...


# --- moves ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """So many units on; a negative count steps back."""

    count: int = 1
    unit: str = "node"

    def target(self, clock: Clock) -> Moment:
        if self.count == 0:
            return clock.position
        if self.unit == "node":
            return by_node(clock.position, self.count, clock.of)
        if self.unit == "phase":
            return by_phase(clock.position, self.count, clock.phases)
        size = clock.batches if self.unit == "epoch" else 1
        return by_block(clock.position, self.count, size, clock.of)


@dataclass(frozen=True)
class Seek:
    """To a moment, seen before or not."""

    iteration: int
    step: int = 0

    def target(self, clock: Clock) -> Moment:
        of = clock.of(self.iteration)
        if self.step > of:
            raise BackstepError(
                f"iteration {self.iteration} has {of} steps, so 0 to {of} can be reached: "
                f"{self.step}",
                where="step",
            )
        return Moment(self.iteration, self.step)


@dataclass(frozen=True)
class Train:
    """So many iterations or epochs at full speed, or less if one of `until` (see lab/until.py)
    comes about.
    """

    iterations: int = 0
    epochs: int = 0
    until: dict[str, Any] | None = None

    def target(self, clock: Clock) -> Moment:
        moved = by_block(clock.position, self.iterations, 1, clock.of)
        if not self.epochs:
            return moved
        return by_block(moved, self.epochs, clock.batches, clock.of)


Move = Step | Seek | Train


# --- changes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SetValue:
    """From the start of this iteration on, the leaf has this value."""

    iteration: int
    node: str
    value: Any

    kind: ClassVar[str] = "value"

    def array(self, graph: Graph, max_entries: int = 1_000_000) -> Array:
        """The value as the node's array, or what is wrong with it."""
        node = graph.nodes.get(self.node)
        if node is None:
            names = ", ".join(n.name for n in graph.kind(*EDITABLE))
            raise NotFoundError(
                f"there is no node of that name: {self.node!r}; what can be set: {names}"[:400],
                where="node",
            )
        if node.kind not in EDITABLE:
            what = "computed" if node.op else f"a {node.kind}"
            raise BackstepError(
                f"{self.node} is {what}; only parameters, inputs and targets can be set",
                where=self.node,
            )
        array = to_array(self.value, "value", max_entries)
        if array.size == 1 and int(np.prod(node.shape)) == 1:
            array = array.reshape(node.shape)
        if array.shape != node.shape:
            raise BackstepError(
                f"{self.node} needs {_shape(node.shape)}, and this is {_shape(array.shape)}",
                where="value",
            )
        if node.dtype.kind == "i":
            with np.errstate(invalid="ignore"):
                if not np.array_equal(array, np.floor(array)) or array.min() < 0:
                    raise BackstepError(
                        f"{self.node} holds class numbers: 0, 1, 2, …", where="value"
                    )
        return array.astype(node.dtype)

    def apply(self, run: Run) -> None:
        run.set_value(self.iteration, self.node, self.array(run.graph(self.iteration)))

    def same_place(self, other: Change) -> bool:
        """Whether this takes the other's place in the log, as while a number is dragged."""
        return isinstance(other, SetValue) and (other.iteration, other.node) == (
            self.iteration,
            self.node,
        )

    def merged(self, other: Change) -> Change:
        return self

    @property
    def stored(self) -> dict[str, Any]:
        return {
            "type": self.kind,
            "iteration": self.iteration,
            "node": self.node,
            "value": self.value,
        }


@dataclass(frozen=True)
class Configure:
    """From this iteration on: another learning rate, zero_grad on or off, other clipping or other
    penalties on the weights.
    """

    iteration: int
    settings: dict[str, Any]

    kind: ClassVar[str] = "settings"

    def check(self, run: Run) -> None:
        for name, value in self.settings.items():
            if name == "lr":
                optimizer = run.spec.optimizer
                if optimizer is None:
                    raise BackstepError("this session has no optimizer", where="lr")
                type(optimizer)(**{**_arguments(optimizer), "lr": real(value, "lr")})
            elif name == "zero_grad":
                if not isinstance(value, bool):
                    raise BackstepError(f"must be true or false: {value!r}", where=name)
            elif name == "clip":
                parse_clip(value)
            elif name == "regularisation":
                parse_penalty(value)
            else:
                raise BackstepError(
                    f"cannot be changed while running: {name!r}; "
                    "lr, zero_grad, clip and regularisation can",
                    where=name,
                )

    def apply(self, run: Run) -> None:
        self.check(run)
        run.configure(self.iteration, **self.settings)

    def same_place(self, other: Change) -> bool:
        return isinstance(other, Configure) and other.iteration == self.iteration

    def merged(self, other: Change) -> Change:
        assert isinstance(other, Configure)
        return Configure(self.iteration, {**other.settings, **self.settings})

    @property
    def stored(self) -> dict[str, Any]:
        return {"type": self.kind, "iteration": self.iteration, **self.settings}


@dataclass(frozen=True)
class Restore:
    """From the start of this iteration on with the weights of a former one: back to the best, with
    the way there still to be seen.
    """

    iteration: int
    source: int

    kind: ClassVar[str] = "restore"

    def apply(self, run: Run) -> None:
        run.restore(self.iteration, self.source)

    def same_place(self, other: Change) -> bool:
        return False

    def merged(self, other: Change) -> Change:
        return self

    @property
    def stored(self) -> dict[str, Any]:
        return {"type": self.kind, "iteration": self.iteration, "source": self.source}


Change = SetValue | Configure | Restore


def read_change(given: Any, where: str) -> Change:
    """A change as it stands in the log or in a shared link."""
    if not isinstance(given, dict):
        raise BackstepError(
            'must be an object such as {"type": "value", "iteration": 0, "node": "w", "value": 1}',
            where=where,
        )
    rest = dict(given)
    kind = rest.pop("type", None)
    iteration = whole(rest.pop("iteration", None), f"{where}.iteration", low=0)
    if kind == SetValue.kind and rest.keys() == {"node", "value"} and isinstance(rest["node"], str):
        return SetValue(iteration, rest["node"], rest["value"])
    if kind == Configure.kind and rest:
        return Configure(iteration, rest)
    if kind == Restore.kind and rest.keys() == {"source"}:
        return Restore(iteration, whole(rest["source"], f"{where}.source", low=0))
    raise BackstepError(
        'a change is {"type": "value", "iteration", "node", "value"} or '
        '{"type": "settings", "iteration", "lr", "zero_grad", "clip" or "regularisation"} or '
        '{"type": "restore", "iteration", "source"}',
        where=where,
    )


# --- from which iteration on ----------------------------------------------------------------------


def value_from(run: Run, node: str | None, moment: Moment, of: Of) -> int:
    """The current iteration, so that loss and gradients follow at once; the next one when this one
    has already updated that parameter (None: any).
    """
    now = settled(moment, of)
    for k, step in enumerate(run.plan(now.iteration)):
        if step.phase == "update" and node in (None, step.node) and k < now.step:
            return now.iteration + 1
    return now.iteration


TOUCHED = {
    "lr": ("update",),
    "clip": ("clip", "update"),
    "zero_grad": ("zero_grad",),
    "regularisation": ("forward", "loss"),
}
"""The phases in which a setting matters."""


def setting_from(run: Run, name: str, moment: Moment, of: Of) -> int:
    """The current iteration if no step that the setting touches has run, else the next."""
    now = settled(moment, of)
    touched = TOUCHED[name]
    plan = run.plan(now.iteration)
    if name == "zero_grad" and not run.settings(now.iteration).zero_grad:
        first = 1  # where the line will stand
    else:
        first = next((k for k, step in enumerate(plan) if step.phase in touched), len(plan))
    return now.iteration if now.step <= first else now.iteration + 1


def _arguments(optimizer: Any) -> dict[str, Any]:
    return {name: value for name, value in optimizer.spec.items() if name != "type"}


def _shape(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a single number"
    return (
        f"an array of shape {' × '.join(map(str, shape))}"
        if len(shape) > 1
        else (f"a list of {shape[0]}")
    )
