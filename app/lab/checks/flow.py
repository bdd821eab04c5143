"""Checks of what flows: gradients from layer to layer, activations, the first number that broke."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from app.engine.graph import Graph, Node
from app.engine.types import GRAD, Array
from app.lab.checks.check import Check, Sign, layer_of
from app.lab.evidence import Evidence, Look, rms
from app.lab.exploding import first_break
from app.lab.verdicts import LOST, Course, judge
from app.render import numbers

APART = 2  # so many weights have to lie between two gradients that are compared
FIRST_STEP = re.compile(r"(?P<layer>.*\.(?:l\d+_)?)[a-z]_1")  # a node of a sequence's first step
FLAT = 0.1  # a slope below a tenth of the steepest one counts as flat


def use_of(evidence: Evidence, weight: Node) -> str | None:
    """The op that a weight goes into: its gradient is the δ that reaches this layer."""
    return next((n.name for n in evidence.graph.ops if weight.name in n.inputs), None)


def _arrives(evidence: Evidence, weight: Node) -> str | None:
    """Where a layer's gradient is read off: its sum, or a recurrent layer's first state (an LSTM's
    cell), since a gate's sum hears less than the state does.
    """
    use = use_of(evidence, weight)
    place = None if use is None else FIRST_STEP.fullmatch(use)
    if place is None:
        return use
    states = (f"{place['layer']}{letter}_1" for letter in "ch")
    return next((name for name in states if name in evidence.graph.nodes), use)


def delta(evidence: Evidence, look: Look, weight: Node) -> float | None:
    """The size of the gradient that reaches a weight's layer, whatever the layer's input is."""
    use = _arrives(evidence, weight)
    grad = None if use is None else look.grad(use)
    return None if grad is None else rms(grad)


def _ladder(evidence: Evidence) -> tuple[float, Node, Look, float, float] | None:
    """The ratio first layer : last layer, median over the looks, and the look that has it."""
    weights = evidence.weights
    if len(weights) < 2:
        return None
    first, last = weights[0], weights[-1]
    apart = evidence.weights_after(first.name) - evidence.weights_after(last.name)
    if apart < APART:
        return None
    found = []
    for look in evidence.looks:
        a, b = delta(evidence, look, first), delta(evidence, look, last)
        if a and b and math.isfinite(a) and math.isfinite(b):
            found.append((a / b, look.iteration, look, a, b))
    if not found:
        return None
    ratio, _, look, a, b = sorted(found, key=lambda row: row[:2])[len(found) // 2]
    return ratio, first, look, a, b


def _where(evidence: Evidence, look: Look, node: Node) -> int | None:
    use = use_of(evidence, node)
    return None if use is None else look.wrote.get((use, GRAD))


def vanishing(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    found = _ladder(evidence)
    if found is None or not found[0] < threshold:
        return
    ratio, node, look, a, b = found
    timed = _arrives(evidence, node) != use_of(evidence, node)
    place, each = ("the first step of time", "step") if timed else ("the first", "layer")
    lost = "what came first is hardly heard" if timed else "the first layers hardly learn"
    yield Sign(
        f"The gradient shrinks on its way back: {numbers.text(b)} at the last layer, "
        f"{numbers.text(a)} at {place}. Each {each} multiplies it by a factor below 1, so {lost}.",
        ratio,
        look.iteration,
        node.name,
        layer_of(evidence, node.name),
        _where(evidence, look, node),
    )


def exploding(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    if evidence.broken is not None:
        place = first_break(evidence.run, evidence.broken)
        if place is not None:
            what = "gradient" if place.slot == GRAD else "value"
            yield Sign(
                f"The {what} of {place.node} is the first number that is not finite: {place.why}. "
                "From there on it spreads to everything.",
                math.inf,
                place.iteration,
                place.node,
                layer_of(evidence, place.node),
                place.step,
                measures="numbers that are not finite",
            )
            return
    found = _ladder(evidence)
    if found is not None and found[0] > threshold:
        ratio, node, look, a, b = found
        yield Sign(
            f"The gradient grows on its way back: {numbers.text(b)} at the last layer, "
            f"{numbers.text(a)} at the first.",
            ratio,
            look.iteration,
            node.name,
            layer_of(evidence, node.name),
            _where(evidence, look, node),
        )
        return
    if len(evidence.smooth) > 1:
        course = Course(evidence.smooth, [])
        (verdict,) = judge([course])
        if verdict.kind == "diverges":
            at = verdict.at * evidence.stride
            yield Sign(
                f"The loss climbs from {numbers.text(evidence.smooth[0])} to "
                f"{numbers.text(evidence.smooth[-1])}: from iteration {at} on it stays above twice "
                "its start. Each step leads further over the valley than the one before.",
                course.end / course.start if course.start else math.inf,
                at,
                measures="loss : its start",
                threshold=LOST,
            )


def units_off(graph: Graph, node: Node, off: Array) -> Array:
    """For every unit of a layer, whether `off` holds for all samples."""
    if not off.ndim:
        return off.reshape(1)
    before = graph[node.inputs[0]]
    axis = 1 if (before.op_name or "").startswith("conv") and off.ndim > 2 else off.ndim - 1
    return np.asarray(np.all(off, axis=tuple(i for i in range(off.ndim) if i != axis)))


def _worst(signs: Iterable[Sign]) -> Iterator[Sign]:
    """Of each layer the worst place: a recurrent one has one for each step of time."""
    found: dict[str, list[Sign]] = {}
    for sign in signs:
        found.setdefault((sign.layer or sign.node or "").split(".")[0], []).append(sign)
    for places in found.values():
        worst = max(places, key=lambda sign: sign.measured)
        more = len(places) - 1
        others = f" So it is in {more} more place{'s' if more > 1 else ''} of this layer."
        yield replace(worst, says=worst.says + others) if more else worst


def dead_relu(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    return _worst(_dead(evidence, threshold))


def saturation(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    return _worst(_flat(evidence, threshold))


def _dead(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    for node in evidence.activations("relu"):
        value = evidence.values.get(node.name)
        if value is None:
            continue
        dead = units_off(evidence.graph, node, value <= 0)
        share = float(np.mean(dead))
        if share > threshold:
            many = f"{int(dead.sum())} of {dead.size} units of {node.label} are"
            off = many if dead.size > 1 else f"The only unit of {node.label} is"
            yield Sign(
                f"{off} off for every sample. "
                "Off, a ReLU has slope 0: no gradient comes through, so it stays off.",
                share,
                evidence.last.iteration,
                node.name,
                layer_of(evidence, node.name),
                evidence.last.wrote.get((node.inputs[0], GRAD)),
            )


def _flat(evidence: Evidence, threshold: float) -> Iterator[Sign]:
    for node in evidence.activations("sigmoid", "tanh", hidden=True):
        y = evidence.values.get(node.name)
        if y is None:
            continue
        slope = 4 * y * (1 - y) if node.op_name == "sigmoid" else 1 - y * y
        share = float(np.mean(slope < FLAT))
        if share > threshold:
            yield Sign(
                f"{100 * share:.0f} % of {node.label} lie where {node.op_name} is flat: there its "
                "slope is below a tenth of the steepest, and so is what the gradient keeps of "
                "itself.",
                share,
                evidence.last.iteration,
                node.name,
                layer_of(evidence, node.name),
                evidence.last.wrote.get((node.inputs[0], GRAD)),
            )


CHECKS = [
    Check(
        "vanishing",
        "Vanishing gradient",
        "the gradient that reaches the first layer over that of the last, median of the looks",
        1e-3,
        "Hochreiter 1991; Glorot & Bengio 2010",
        ("batch_norm", "relu", "residual", "lstm", "xavier", "he"),
        vanishing,
        "gradient, first layer : last layer",
        above=False,
    ),
    Check(
        "exploding",
        "Exploding gradient",
        "the first number that is not finite; the gradient of the first layer over that of the "
        "last; a loss that stays above twice its start",
        1e3,
        "Pascanu, Mikolov & Bengio 2013",
        ("lower_rate", "clip", "xavier", "he", "batch_norm", "normalise_input"),
        exploding,
        "gradient, first layer : last layer",
    ),
    Check(
        "dead_relu",
        "Dead ReLU",
        "the share of a layer's ReLU units that are off for all samples",
        0.4,
        "Stanford CS231n, Neural Networks Part 1: as much as 40 % of a network can be dead",
        ("leaky_relu", "elu", "he", "lower_rate", "batch_norm"),
        dead_relu,
        "units that are off for every sample",
        share=True,
    ),
    Check(
        "saturation",
        "Saturated activations",
        "the share of an inner layer's sigmoids or tanhs whose slope is below a tenth of the "
        "steepest",
        0.5,
        "Glorot & Bengio 2010",
        ("xavier", "relu", "batch_norm", "normalise_input", "l2"),
        saturation,
        "outputs on the flat",
        share=True,
    ),
]
