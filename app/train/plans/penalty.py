"""L1 and L2 penalties as nodes of the loss, so that their gradients can be walked like all others.

`L = L₀ + λ₂/2 · Σ w² + λ₁ · Σ |w|`. With the half, the penalty adds λ₂·w to the gradient, which is
just what `weight_decay` does in sgd and adam (coupled: the optimizer sees it). adamw shrinks the
weights by themselves instead (decoupled): there a large gradient does not weaken the decay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.engine.errors import BackstepError
from app.engine.fields import build, mapping
from app.engine.graph import PARAMETER, Graph, Node
from app.engine.op import Op
from app.engine.ops.arithmetic import Abs, Add, Mul, Square
from app.engine.ops.reduce import Sum
from app.engine.rewrite import Rewriting, raised
from app.engine.types import Array
from app.train.arguments import Recipe, option

DATA_LOSS = "data_loss"

DECAY_SAYS = {
    "penalty": "An L2 penalty is part of the loss: its gradient λ·w is added to the loss's own.",
    "coupled": "Weight decay in sgd and adam adds λ·w to the gradient, as an L2 penalty does. "
    "With momentum or adam it then passes through the running averages: where gradients are "
    "large, adam divides the decay away.",
    "decoupled": "adamw shrinks each weight by η·λ·w by itself and keeps the running averages "
    "to the loss: every weight decays at the same rate.",
}


@dataclass(frozen=True)
class Penalty(Recipe):
    """Biases are left out unless asked for, as is the custom."""

    l1: float = option(0.0, "weight of the sum of |w|: pulls weights to exactly 0", low=0)
    l2: float = option(0.0, "weight of half the sum of w²: pulls large weights most", low=0)
    biases: bool = option(False, "whether biases are penalised, too")

    kind = "regularisation"
    name = "regularisation"
    summary = "penalties on the weights, added to the loss as nodes"

    def covers(self, node: Node) -> bool:
        return node.kind == PARAMETER and (self.biases or node.name.split(".")[-1] != "bias")

    def rewrite(self, old: Graph) -> tuple[Graph, Mapping[str, Array]]:
        """The graph with its penalties, and the numbers of the leaves that came with them."""
        r = Rewriting(old)
        for node in old.nodes.values():
            if node.name == old.output:
                name = DATA_LOSS if DATA_LOSS not in old.nodes else old.output + "_data"
                label, latex = node.label + "₀", f"{node.latex}_{{0}}"
                data = replace(node, name=name, label=label, latex=latex, inputs=node.inputs)
                r.now[node.name] = r.new.put(_moved(data, r))
            else:
                r.copy(node)
        weights = [r.now[n.name] for n in old.nodes.values() if self.covers(n)]
        total = r.now[old.output]
        out = old[old.output]
        kinds: list[tuple[float, type[Op], str, str, str, str]] = [
            (self.l2 / 2, Square, "²", "2", "l2", r"\frac{\lambda_2}{2}"),
            (self.l1, Abs, "|·|", "|·|", "l1", r"\lambda_1"),
        ]
        terms = [kind for kind in kinds if kind[0] and weights]
        for i, (rate, op, mark, above, name, latex) in enumerate(terms):
            size = _sum_over(r, weights, op, mark, above, name)
            digit = name[1]
            label = "λ₂/2" if name == "l2" else "λ₁"
            factor = r.leaf(f"{name}.lambda", rate, label, latex)
            penalty = r.use(
                Mul(),
                factor,
                size,
                name=f"{name}.penalty",
                label="R" + _lowered(int(digit)),
                latex=f"R_{{{digit}}}",
            )
            last = i == len(terms) - 1
            total = r.use(
                Add(),
                total,
                penalty,
                name=out.name if last else f"{name}.total",
                label=out.label if last else out.label + "₁",
                latex=out.latex if last else f"{out.latex}_{{1}}",
            )
        r.new.output = total.name
        return r.finish(), r.values


def _moved(node: Node, r: Rewriting) -> Node:
    return replace(node, inputs=tuple(r.now[name].name for name in node.inputs))


def _lowered(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _sum_over(
    r: Rewriting, weights: list[Node], op: type[Op], mark: str, above: str, name: str
) -> Node:
    """The sum over all entries of all weights, one weight after the other."""
    total: Node | None = None
    letter = "S" if name == "l2" else "T"
    for i, w in enumerate(weights):
        shown = f"|{w.label}|" if op is Abs else w.label + mark
        each = r.use(op(), w, name=f"{name}.{w.name}", label=shown, latex=raised(w.latex, above))
        part = r.use(
            Sum(),
            each,
            name=f"{name}.sum.{w.name}",
            label=letter + _lowered(i + 1),
            latex=f"{letter}_{{{i + 1}}}",
        )
        total = (
            part
            if total is None
            else r.use(
                Add(),
                total,
                part,
                name=f"{name}.sum_to.{w.name}",
                label=f"{letter}₁…{_lowered(i + 1)}",
                latex=f"{letter}_{{1…{i + 1}}}",
            )
        )
    assert total is not None
    return total


def parse_penalty(given: Any) -> Penalty | None:
    """`{"l1": 0.01, "l2": 0.1}`; null for none."""
    if given is None:
        return None
    penalty = build(Penalty, mapping(given, "regularisation"), "regularisation")
    if not penalty.l1 and not penalty.l2:
        raise BackstepError("regularisation needs l1 or l2 above 0", where="regularisation")
    return penalty
