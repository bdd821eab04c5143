"""Is the gradient right? Every entry is moved up and down a little, and the loss computed anew.

The slope measured that way, (L(w + h) − L(w − h)) / 2h, needs no rule of any op. Where an op has a
kink between the two ends (ReLU at 0, a tie of two maxima) there is no one slope to measure; such an
entry is named instead of counted as a fault. What is measured is the loss of the whole batch in
full precision, whatever the plan; what it is compared with is what the plan makes, faults included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.graph import INPUT, PARAMETER, Graph, Node
from app.engine.kernel import Eager
from app.engine.op import Op
from app.engine.plan import forward_steps
from app.engine.stepper import Stepper
from app.engine.types import VALUE, Array, Slot
from app.render import numbers
from app.train import slopes
from app.train.plans.accumulation import share
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
    run: Run,
    iteration: int,
    *,
    epsilon: float = EPSILON,
    max_entries: int = MAX_ENTRIES,
    progress: Callable[[], object] | None = None,
) -> GradientCheck:
    """Check every parameter and input entry with the numbers from which this iteration starts.

    Of more than `max_entries` an even choice is taken. A clip, and gradients kept from before, are
    left out on both sides: the question is whether one backward pass gives the slope.
    """
    if not 1e-9 <= epsilon <= 0.1:
        raise BackstepError(f"must be a number from 1e-9 to 0.1: {epsilon!r}", where="epsilon")
    graph, parts = _measured(run, iteration)
    found = automatic(run, iteration)
    leaves = [n for n in graph.kind(PARAMETER, INPUT) if n.needs_grad and n.name in found]
    total = sum(math.prod(node.shape) for node in leaves)
    chosen = _chosen(total, max_entries)
    probe = _Probe(graph, parts, found, epsilon)
    loss = probe.loss
    entries: list[Entry] = []
    first = 0
    for node in leaves:
        size = math.prod(node.shape)
        for i in chosen:
            if first <= i < first + size:
                entries.append(probe.entry(node, i - first))
                if progress is not None:
                    progress()
        first += size
    smooth = [entry for entry in entries if entry.kink is None]
    error = next((e for s in run.plan(iteration) if (e := getattr(s, "error", None))), None)
    ok = math.isfinite(loss) and all(entry.ok for entry in smooth) and not error
    worst = max((entry.relative_error for entry in smooth), default=0.0, key=_size)
    verdict = _verdict(graph, loss, entries, worst, total, epsilon)
    if error:
        verdict = f"An error stops this walk before every gradient is there. {verdict}"
    return GradientCheck(iteration, epsilon, entries, worst, ok, verdict, total)


def automatic(run: Run, iteration: int) -> dict[str, Array]:
    """What the plan makes. Forward mode makes one slope, and float16 rounds: there it is the
    backward pass of the same graph that is checked.
    """
    method = run.spec.method
    plain = method.precision is not None or method.forward_mode is not None
    return slopes.gradients(run, iteration) if plain else slopes.planned(run, iteration)


def _measured(run: Run, iteration: int) -> tuple[Graph, list[Slots]]:
    """The graph whose loss is measured, with the leaves of each micro-batch. A value overwritten in
    place is a new one here.
    """
    graph, method = run.plain_graph(iteration), run.spec.method
    made: dict[str, Array] = {}
    before = graph
    if method.overwrites and method.fault is not None:
        graph, more = replace(method.fault, repaired=True).rewrite(graph)
        made.update(more)
    parts = [
        {(n, VALUE): v for n, v in (slopes.leaves(run, before, iteration, part) | made).items()}
        for part in range(method.accumulate)
    ]
    return graph, parts


class _Probe:
    """Moves one entry at a time."""

    def __init__(
        self, graph: Graph, parts: list[Slots], found: dict[str, Array], epsilon: float
    ) -> None:
        self.found, self.epsilon = found, epsilon
        self.parts = [_Part(graph, values) for values in parts]
        self.share = share(graph, len(parts)) if len(parts) > 1 else 1.0
        self.loss = self._total([part.loss for part in self.parts])

    def _total(self, losses: list[float]) -> float:
        """Of the whole batch."""
        return losses[0] if len(losses) == 1 else float(np.sum(losses)) * self.share

    def entry(self, node: Node, flat: int) -> Entry:
        index = tuple(int(i) for i in np.unravel_index(flat, node.shape)) if node.shape else ()
        start = self.parts[0].values[node.name, VALUE]
        x = float(start[index])
        h = self.epsilon * max(1.0, abs(x))
        ends, crossed = [], None
        for moved in (x + h, x - h):
            array = start.copy()
            array[index] = moved
            tried = [part.moved(node.name, array) for part in self.parts]
            ends.append(self._total([loss for loss, _ in tried]))
            crossed = crossed or next((kink for _, kink in tried if kink), None)
        with np.errstate(all="ignore"):
            numerical = float(np.float64(ends[0] - ends[1]) / ((x + h) - (x - h)))
        automatic = float(self.found[node.name][index])
        noise = 16 * PRECISION * max(abs(self.loss), abs(ends[0]), abs(ends[1])) / h
        floor = max(noise / TOLERANCE, np.finfo(np.float64).tiny)
        gap = abs(automatic - numerical)
        error = gap / max(abs(automatic), abs(numerical), floor) if gap else 0.0
        ok = error <= TOLERANCE
        return Entry(node.name, list(index), automatic, numerical, error, ok, crossed)


class _Part:
    """The loss of one micro-batch, and on which side of its kinks everything stands."""

    def __init__(self, graph: Graph, values: Slots) -> None:
        self.graph = graph
        slots = self._walk(values)
        # a detached value counts as given: cutting its gradient means just that
        held = {(n.name, VALUE): slots[n.name, VALUE] for n in graph.ops if n.op_name == "detach"}
        self.values = {**values, **held}
        self.loss = float(slots[graph.output, VALUE])
        self.kinked = [node for node in graph.ops if node.op_name in KINKS]
        self.here = self._sides(slots)

    def moved(self, name: str, array: Array) -> tuple[float, str | None]:
        """The loss with another value of this leaf, and the kink that was crossed."""
        slots = self._walk({**self.values, (name, VALUE): array})
        return float(slots[self.graph.output, VALUE]), self._crossed(slots)

    def _walk(self, values: Slots) -> Slots:
        plan = [s for s in forward_steps(self.graph) if (s.node, VALUE) not in values]
        stepper = Stepper(plan, values, {}, {})
        stepper.seek(len(plan))
        return stepper.slots

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
