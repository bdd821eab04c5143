"""Is the gradient right? Every entry is moved up and down a little, and the loss computed anew.

The slope measured that way, (L(w + h) − L(w − h)) / 2h, needs no rule of any op. Where an op has a
kink between the two ends (ReLU at 0, a tie of two maxima) there is no one slope to measure; such an
entry is named instead of counted as a fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import INPUT, PARAMETER, Graph, Node
from app.engine.kernel import Eager
from app.engine.op import Op
from app.engine.plan import Step, backward_steps, forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array, Slot
from app.render import numbers
from app.train.run import Run

EPSILON = (
    1e-5  # near the cube root of float64's precision, where both errors of the slope are small
)
TOLERANCE = 1e-4  # relative; correct rules stay some thousand times below, wrong ones far above
PRECISION = float(np.finfo(np.float64).eps)
MAX_ENTRIES = 500

Slots = dict[Slot, Array]


def _signs(op: Op, *operands: Array) -> Array:
    """On which side of its kink each entry is: −1, 0 or 1."""
    x, *rest = operands
    return np.asarray(np.sign(x - rest[0] if rest else x))


def _winners(op: Op, x: Array) -> Array:
    return np.asarray(x == np.max(x, axis=getattr(op, "axis", None), keepdims=True))


def _elu(op: Op, x: Array) -> Array:
    """With alpha 1 both sides meet without a kink."""
    return np.asarray(np.sign(x) * (getattr(op, "alpha", 1.0) != 1.0))


def _routing(op: Op, x: Array) -> Array:
    """Which entries a pooling passes on."""
    y = np.empty(op.shape(x.shape))
    share = np.empty(x.shape)
    k = Eager({}, {}, {})
    op.forward(k, y, x)
    op.vjp(k, np.ones(y.shape), y, x, share)
    return share


KINKS: dict[str, Callable[..., Array]] = {
    "relu": _signs,
    "leaky_relu": _signs,
    "elu": _elu,
    "abs": _signs,
    "maximum": _signs,
    "minimum": _signs,
    "greater": _signs,
    "less": _signs,
    "mae": _signs,
    "max": _winners,
    "max_pool1d": _routing,
    "max_pool2d": _routing,
    "where": lambda op, condition, a, b: np.asarray(condition != 0),
}
"""Ops with a kink or a jump: what of their operands changes when it is crossed."""


@dataclass(frozen=True)
class Entry:
    """One number that was moved. `kink` is the node whose kink lies between the two ends."""

    node: str
    index: list[int]
    automatic: float
    numerical: float
    relative_error: float
    ok: bool
    kink: str | None = None


@dataclass(frozen=True)
class GradientCheck:
    """`worst` is the largest relative error away from kinks, `total` the number of all entries."""

    iteration: int
    epsilon: float
    entries: list[Entry]
    worst: float
    ok: bool
    verdict: str
    total: int


def gradient_check(
    run: Run, iteration: int, *, epsilon: float = EPSILON, max_entries: int = MAX_ENTRIES
) -> GradientCheck:
    """Check every parameter and input entry with the numbers from which this iteration starts.

    Of more than `max_entries` an even choice is taken. A clip, and gradients kept from before, are
    left out on both sides: the question is whether one backward pass gives the slope.
    """
    if not 1e-9 <= epsilon <= 0.1:
        raise BackstepError(f"must be a number from 1e-9 to 0.1: {epsilon!r}", where="epsilon")
    graph = run.graph(iteration)
    values = _leaves(run, iteration)
    slots = _walk(values, forward_steps(graph) + backward_steps(graph))
    loss = float(slots[graph.output, VALUE])
    leaves = [node for node in graph.kind(PARAMETER, INPUT) if node.needs_grad]
    total = sum(math.prod(node.shape) for node in leaves)
    chosen = _chosen(total, max_entries)
    probe = _Probe(graph, values, slots, loss, epsilon)
    entries: list[Entry] = []
    first = 0
    for node in leaves:
        size = math.prod(node.shape)
        entries += [probe.entry(node, i - first) for i in chosen if first <= i < first + size]
        first += size
    smooth = [entry for entry in entries if entry.kink is None]
    ok = math.isfinite(loss) and all(entry.ok for entry in smooth)
    worst = max((entry.relative_error for entry in smooth), default=0.0, key=_size)
    verdict = _verdict(graph, loss, entries, worst, total, epsilon)
    return GradientCheck(iteration, epsilon, entries, worst, ok, verdict, total)


class _Probe:
    """Moves one entry at a time."""

    def __init__(
        self, graph: Graph, values: Slots, slots: Slots, loss: float, epsilon: float
    ) -> None:
        self.graph, self.slots = graph, slots
        self.loss, self.epsilon = loss, epsilon
        # a detached value counts as given: cutting its gradient means just that
        held = {(n.name, VALUE): slots[n.name, VALUE] for n in graph.ops if n.op_name == "detach"}
        self.values = {**values, **held}
        self.plan = [s for s in forward_steps(graph) if (s.node, VALUE) not in held]
        self.kinked = [node for node in graph.ops if node.op_name in KINKS]
        self.here = self._sides(slots)

    def entry(self, node: Node, flat: int) -> Entry:
        index = tuple(int(i) for i in np.unravel_index(flat, node.shape)) if node.shape else ()
        start = self.values[node.name, VALUE]
        x = float(start[index])
        h = self.epsilon * max(1.0, abs(x))
        ends, crossed = [], None
        for moved in (x + h, x - h):
            array = start.copy()
            array[index] = moved
            slots = _walk({**self.values, (node.name, VALUE): array}, self.plan)
            ends.append(float(slots[self.graph.output, VALUE]))
            crossed = crossed or self._crossed(slots)
        with np.errstate(all="ignore"):
            numerical = float(np.float64(ends[0] - ends[1]) / ((x + h) - (x - h)))
        automatic = float(self.slots[node.name, GRAD][index])
        noise = 16 * PRECISION * max(abs(self.loss), abs(ends[0]), abs(ends[1])) / h
        floor = max(noise / TOLERANCE, np.finfo(np.float64).tiny)
        gap = abs(automatic - numerical)
        error = gap / max(abs(automatic), abs(numerical), floor) if gap else 0.0
        ok = error <= TOLERANCE
        return Entry(node.name, list(index), automatic, numerical, error, ok, crossed)

    def _sides(self, slots: Slots) -> dict[str, Array]:
        sides = {}
        for node in self.kinked:
            operands = [slots[name, VALUE] for name in node.inputs]
            assert node.op
            sides[node.name] = KINKS[node.op.name](node.op, *operands)
        return sides

    def _crossed(self, slots: Slots) -> str | None:
        """The first node whose operands came to stand on another side of a kink."""
        if not self.kinked:
            return None
        sides = self._sides(slots)
        return next(
            (n for n, side in sides.items() if not np.array_equal(side, self.here[n])), None
        )


def _leaves(run: Run, iteration: int) -> Slots:
    """The numbers of all leaves at the start of an iteration, its batch included."""
    slots = run.slots(iteration, 0)
    feed = run.problem.feed(iteration)
    leaves = [node for node in run.graph(iteration).nodes.values() if node.op is None]
    return {
        (n.name, VALUE): feed[n.name] if n.name in feed else slots[n.name, VALUE] for n in leaves
    }


def _walk(values: Slots, plan: list[Step]) -> Slots:
    stepper = Stepper(plan, values, {}, {})
    stepper.seek(len(plan))
    return stepper.slots


def _chosen(total: int, most: int) -> list[int]:
    """All places, or so many of them evenly spread."""
    if total <= most:
        return list(range(total))
    return sorted({int(i) for i in np.linspace(0, total - 1, most)})


def _size(error: float) -> float:
    return math.inf if math.isnan(error) else error


def _verdict(
    graph: Graph, loss: float, entries: list[Entry], worst: float, total: int, epsilon: float
) -> str:
    if not math.isfinite(loss):
        return f"The loss is {numbers.text(loss)} here, so there is no slope to compare with."
    if not entries:
        return "There is no parameter and no input whose gradient could be checked."
    wrong = [entry for entry in entries if entry.kink is None and not entry.ok]
    kinked = [entry for entry in entries if entry.kink is not None]
    smooth = len(entries) - len(kinked)
    says = []
    if wrong:
        one = max(wrong, key=lambda entry: _size(entry.relative_error))
        says.append(
            f"{len(wrong)} of {smooth} gradients differ from the measured slope. Worst is "
            f"{_place(graph, one)}: the backward pass gives {numbers.text(one.automatic)}, "
            f"the measured slope is {numbers.text(one.numerical)}."
        )
    elif smooth:
        many = "The gradient agrees" if smooth == 1 else f"All {smooth} gradients agree"
        says.append(
            f"{many} with the measured slope; the largest relative error is {numbers.text(worst)}."
        )
    if kinked:
        node = graph[kinked[0].kink or ""]
        what = node.op.symbol if node.op else ""
        many = "1 entry moves" if len(kinked) == 1 else f"{len(kinked)} entries move"
        says.append(
            f"{many} {what} ({node.label}) across its kink within ±{numbers.text(epsilon)}: there "
            "the slope jumps, a measured one lies between both sides, and no rule could match it."
        )
    if len(entries) < total:
        says.append(f"{len(entries):,} of {total:,} entries were tried, evenly spread.")
    return " ".join(says)


def _place(graph: Graph, entry: Entry) -> str:
    label = graph[entry.node].label
    return f"{label}[{', '.join(map(str, entry.index))}]" if entry.index else label


def as_json(check: GradientCheck) -> dict[str, Any]:
    """For an answer: the fields as they are named, entries as objects."""
    fields = {name: getattr(check, name) for name in check.__dataclass_fields__}
    return {**fields, "entries": [vars(entry) for entry in check.entries]}
