"""How ops that are no sum of products are taken apart: softmax, losses, maxima, normalisation,
gates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from app.engine.graph import Node
from app.engine.scalar import RULES, Entries, Exploder, Index, Rule


def rule(*names: str) -> Callable[[Rule], Rule]:
    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        return function

    return enter


def _rows(shape: tuple[int, ...], axes: tuple[int, ...]) -> dict[Index, list[Index]]:
    """The entries that are reduced together, by the place that is left of them."""
    inside = {axis % len(shape) for axis in axes}
    found: dict[Index, list[Index]] = {}
    for index in np.ndindex(*shape):
        left = tuple(i for axis, i in enumerate(index) if axis not in inside)
        found.setdefault(left, []).append(index)
    return found


@rule("softmax")
def _softmax(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """eˣ over the sum of eˣ; nothing is shifted, so scores must be moderate."""
    (x,), found = operands, {}
    for indices in _rows(node.shape, (node.op.attrs["dim"],)).values():  # type: ignore[union-attr]
        powers, total = _powers(e, node, x, indices)
        for index in indices:
            e.begin(node, index)
            found[index] = e.name(e.use("div", powers[index], total))
    return found


@rule("log_softmax")
def _log_softmax(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    (x,), found = operands, {}
    for indices in _rows(node.shape, (node.op.attrs["dim"],)).values():  # type: ignore[union-attr]
        _, total = _powers(e, node, x, indices)
        log = e.use("log", total)
        for index in indices:
            e.begin(node, index)
            found[index] = e.name(e.use("sub", x[index], log))
    return found


def _powers(
    e: Exploder, node: Node, x: Entries, indices: list[Index]
) -> tuple[dict[Index, Node], Node]:
    powers = {}
    for index in indices:
        e.begin(node, index)
        powers[index] = e.use("exp", x[index])
    return powers, e.add(*powers.values())


@rule("mse", "half_squared_error", "squared_error")
def _squared(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    p, t = operands
    shape = e.old[node.inputs[0]].shape
    e.begin(node, ())
    terms = [e.use("square", e.use("sub", p[i], t[i])) for i in p]
    return {(): e.name(e.scale(e.add(*terms), node.op.factor(shape)))}  # type: ignore[union-attr]


@rule("mae")
def _mae(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    p, t = operands
    e.begin(node, ())
    return {(): e.name(e.mean([e.use("abs", e.use("sub", p[i], t[i])) for i in p]))}


@rule("huber")
def _huber(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """½ m² + δ (|d| − m), m being |d| held at δ."""
    p, t = operands
    delta = float(node.op.attrs["delta"])  # type: ignore[union-attr]
    e.begin(node, ())
    terms = []
    for i in p:
        size = e.use("abs", e.use("sub", p[i], t[i]))
        held = e.use("minimum", size, e.constant(delta))
        beyond = e.scale(e.use("sub", size, held), delta)
        terms.append(e.use("add", e.scale(e.use("square", held), 0.5), beyond))
    return {(): e.name(e.mean(terms))}


@rule("bce")
def _bce(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """−mean of t ln p + (1 − t) ln(1 − p); probabilities of exactly 0 or 1 are not held at −100."""
    p, t = operands
    e.begin(node, ())
    one, terms = e.constant(1.0), []
    for i in p:
        right = e.use("mul", t[i], e.use("log", p[i]))
        wrong = e.use("mul", e.use("sub", one, t[i]), e.use("log", e.use("sub", one, p[i])))
        terms.append(e.use("add", right, wrong))
    return {(): e.name(e.scale(e.add(*terms), -1.0 / len(terms)))}


@rule("bce_with_logits")
def _bce_with_logits(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    p, t = operands
    e.begin(node, ())
    terms = [e.use("sub", e.use("softplus", p[i]), e.use("mul", t[i], p[i])) for i in p]
    return {(): e.name(e.mean(terms))}


@rule("cross_entropy")
def _cross_entropy(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """−1/n Σ t · (z − ln Σ eᶻ); class numbers are 1 and 0 for every class."""
    p, t = operands
    shape = e.old[node.inputs[0]].shape
    e.begin(node, ())
    terms, rows = [], _rows(shape, (-1,))
    for indices in rows.values():
        log = e.use("log", e.add(*(e.use("exp", p[i]) for i in indices)))
        terms += [e.use("mul", t[i], e.use("sub", p[i], log)) for i in indices]
    return {(): e.name(e.scale(e.add(*terms), -1.0 / len(rows)))}


@rule("nll")
def _nll(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    p, t = operands
    rows = len(_rows(e.old[node.inputs[0]].shape, (-1,)))
    e.begin(node, ())
    return {(): e.name(e.scale(e.add(*(e.use("mul", t[i], p[i]) for i in p)), -1.0 / rows))}


@rule("max")
def _max(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """Two at a time; a tie of three or more shares less evenly than the op itself."""
    (x,), op, found = operands, node.op, {}
    shape = e.old[node.inputs[0]].shape
    for index in np.ndindex(*node.shape):
        e.begin(node, index)
        found[index] = e.name(_largest(e, [x[i] for i in op.covered(index, shape)]))  # type: ignore[union-attr]
    return found


@rule("max_pool1d", "max_pool2d")
def _max_pool(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """Two at a time; at a tie both get half, where the op itself gives all to the first."""
    (x,), op, found = operands, node.op, {}
    shape = e.old[node.inputs[0]].shape
    for index in np.ndindex(*node.shape):
        e.begin(node, index)
        found[index] = e.name(_largest(e, [x[i] for i in op.window(index, shape)]))  # type: ignore[union-attr]
    return found


def _largest(e: Exploder, nodes: list[Node]) -> Node:
    top = nodes[0]
    for node in nodes[1:]:
        top = e.use("maximum", top, node)
    return top


@rule("normalise", "batch_normalise")
def _normalise(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    x, found = operands[0], {}
    attrs = node.op.attrs  # type: ignore[union-attr]
    for indices in _rows(node.shape, tuple(attrs["axes"])).values():
        e.begin(node, indices[0])
        mean = e.mean([x[i] for i in indices])
        apart = {i: e.use("sub", x[i], mean) for i in indices}
        variance = e.mean([e.use("square", d) for d in apart.values()])
        deviation = e.use("sqrt", e.use("add", variance, e.constant(float(attrs["eps"]))))
        for index in indices:
            e.begin(node, index)
            found[index] = e.name(e.use("div", apart[index], deviation))
    return found


@rule("causal_mask")
def _causal_mask(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    (x,) = operands
    fill = float(node.op.attrs["fill"])  # type: ignore[union-attr]
    return {i: e.constant(fill) if i[-1] > i[-2] else x[i] for i in np.ndindex(*node.shape)}


@rule("initial_state")
def _initial_state(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    return {i: e.constant(0.0) for i in np.ndindex(*node.shape)}


@rule("lstm_gate", "lstm_candidate", "gru_gate", "gru_candidate")
def _gate(e: Exploder, node: Node, operands: list[Entries]) -> Entries:
    """σ or tanh of this gate's part of the sums; before a candidate stands the reset gate."""
    op, found = node.op, {}
    bend = "tanh" if op.name.endswith("candidate") else "sigmoid"  # type: ignore[union-attr]
    shapes = [e.old[name].shape for name in node.inputs]
    for index in np.ndindex(*node.shape):
        e.begin(node, index)
        place = op.places(index, *shapes)["x"]  # type: ignore[union-attr,index]
        total, *others = (entries[place] for entries in operands[:2])
        for other in others:
            reset = operands[2][index] if len(operands) > 2 else None
            total = e.use("add", total, other if reset is None else e.use("mul", reset, other))
        found[index] = e.name(e.use(bend, total))
    return found
