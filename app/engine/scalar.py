"""A small tensor graph taken apart: every entry is a node, every product and every sum.

What an op says of its entries (`element`, a sum of products) is written out as `mul` and `add`; an
elementwise op is applied entry by entry; for the rest stands a rule in `scalar_rules`. An op that
only moves numbers makes no node: the entry is the same scalar under another place. Values and
gradients are those of the tensor graph, up to the order in which sums are added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.engine.errors import BackstepError, LimitError
from app.engine.graph import CONSTANT, Graph, Node
from app.engine.op import OPS, Op, Term, make
from app.engine.types import FLOAT, Array, Shape

MOST_NODES = 1_000
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

Index = tuple[int, ...]
Entries = dict[Index, Node]
Rule = Callable[["Exploder", Node, list[Entries]], Entries]

RULES: dict[str, Rule] = {}
"""By op name: entries of the operands in, entries of the output out."""


@dataclass
class Exploded:
    """`places` says which scalar node holds each entry of each tensor; of several tensors that only
    move numbers the entries are the same node.
    """

    graph: Graph
    places: dict[str, dict[Index, str]]
    shapes: dict[str, Shape]
    constants: dict[str, Array]
    onehot: dict[str, int]
    """Leaves of class numbers, by how many classes: each class has an entry of its own, 1 or 0."""
    owners: dict[str, str]
    """By scalar node: the tensor for which it was made."""

    def scatter(self, values: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays of leaves as numbers of the scalar leaves."""
        found = {}
        for name, array in values.items():
            if name not in self.places:
                continue
            if name in self.onehot:
                array = np.eye(self.onehot[name])[array.astype(int)]
            for index, scalar in self.places[name].items():
                found[scalar] = np.asarray(array[index], FLOAT)
        return found

    def gather(self, name: str, values: Mapping[str, Array]) -> Array:
        """A tensor from the numbers of the scalar nodes."""
        out = np.zeros(self.shapes[name])
        for index, scalar in self.places[name].items():
            out[index] = values[scalar]
        return out

    def view(self) -> dict[str, Any]:
        """The map for a page: nested lists of scalar names by tensor, and back."""
        nested = {}
        for name, places in self.places.items():
            names = np.empty(self.shapes[name], object)
            for index, scalar in places.items():
                names[index] = scalar
            nested[name] = {"shape": list(self.shapes[name]), "nodes": names.tolist()}
        return {"nodes": len(self.graph.nodes), "tensors": nested}


@dataclass
class Exploder:
    """Builds the scalar graph; rules call its methods to make nodes."""

    old: Graph
    new: Graph
    entries: dict[str, Entries] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    onehot: dict[str, int] = field(default_factory=dict)
    at: tuple[Node, Index] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def begin(self, node: Node, index: Index) -> None:
        """What is made from here on belongs to this entry."""
        self.at = (node, index)

    def use(self, op: str | Op, *operands: Node) -> Node:
        """A scalar op of the entry in hand, under a name of its own."""
        assert self.at is not None
        node, index = self.at
        made = make(op) if isinstance(op, str) else op
        name = self.new.free(f"{entry_name(node.name, index)}.{made.name}")
        text = self._written(made.name, operands)
        self.owners[name] = node.name
        return self.new.add(
            made, *operands, name=name, label=text[0], latex=text[1], scope=node.scope
        )

    def _written(self, op: str, operands: tuple[Node, ...]) -> tuple[str, str]:
        """What has no name of its own is called by its factors, or by a letter and a number."""
        if op == "mul" and all(len(o.latex) <= 12 and " " not in o.latex for o in operands):
            a, b = operands
            return f"{a.label}·{b.label}", rf"{a.latex} \cdot {b.latex}"
        letter = {"add": "s", "sub": "d", "mul": "p"}.get(op, "u")
        self.counts[letter] = number = self.counts.get(letter, 0) + 1
        return letter + str(number).translate(_LOWERED), f"{letter}_{{{number}}}"

    def name(self, scalar: Node) -> Node:
        """Give the entry's own name to the node just made for it; other nodes keep theirs."""
        assert self.at is not None
        node, index = self.at
        last = next(reversed(self.new.nodes))
        if scalar.name != last or not scalar.name.startswith(f"{entry_name(node.name, index)}."):
            return scalar
        del self.new.nodes[scalar.name]
        del self.owners[scalar.name]
        own = self.new.free(entry_name(node.name, index))
        self.owners[own] = node.name
        return self.new.put(
            replace(
                scalar,
                name=own,
                label=entry_label(node.label, index),
                latex=entry_latex(node.latex, index),
            )
        )

    def constant(self, value: float) -> Node:
        """A number as a leaf; equal numbers share one."""
        name = f"const {value:.12g}"
        if name not in self.new.nodes:
            text = f"{value:.4g}"
            latex = text if value >= 0 else f"({text})"
            self.new.leaf(CONSTANT, name, (), label=text, latex=latex)
            self.constants[name] = np.asarray(value, FLOAT)
        return self.new[name]

    def add(self, *terms: Node) -> Node:
        total = terms[0]
        for term in terms[1:]:
            total = self.use("add", total, term)
        return total

    def scale(self, x: Node, factor: float) -> Node:
        return x if factor == 1.0 else self.use("mul", self.constant(factor), x)

    def mean(self, terms: list[Node]) -> Node:
        return self.scale(self.add(*terms), 1.0 / len(terms))

    def sum_of(self, terms: list[Term], operands: Mapping[str, Entries]) -> Node:
        """Products and their sum; a factor that all share is multiplied once."""
        scales = {term.scale for term in terms}
        common = scales.pop() if len(scales) == 1 else 1.0
        parts = []
        for term in terms:
            factors = [operands[letter][index] for letter, index in term.factors]
            product = factors[0]
            for factor in factors[1:]:
                product = self.use("mul", product, factor)
            parts.append(product if common == term.scale else self.scale(product, term.scale))
        return self.scale(self.add(*parts), common) if parts else self.constant(0.0)


def entry_name(name: str, index: Index) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def entry_label(label: str, index: Index) -> str:
    return f"{label}[{','.join(map(str, index))}]" if index else label


def entry_latex(latex: str, index: Index) -> str:
    """The places go below, behind the name's own number: `W_{1;0,2}`."""
    if not index:
        return latex
    places = ",".join(map(str, index))
    stem, below, raised = latex, "", ""
    if "^" in stem:
        stem, _, raised = stem.partition("^")
    if "_" in stem:
        stem, _, below = stem.partition("_")
        below = below.strip("{}") + ";"
    return f"{stem}_{{{below}{places}}}" + (f"^{raised}" if raised else "")


def explode(graph: Graph, max_nodes: int = MOST_NODES) -> Exploded:
    """The scalar graph with equal numbers."""
    from app.engine import scalar_rules as _rules  # noqa: F401  fills the table

    size = sum(int(np.prod(node.shape)) for node in graph.nodes.values())
    if size > max_nodes:
        raise LimitError(
            f"a graph to be taken apart may have at most {max_nodes:,} entries in all: {size:,}",
            where="scalars",
        )
    e = Exploder(graph, Graph(max_nodes * 4))
    classes = {
        node.inputs[1]: graph[node.inputs[0]].shape[-1]
        for node in graph.ops
        if node.op and node.op.is_loss and graph[node.inputs[1]].dtype != FLOAT
    }
    for node in graph.nodes.values():
        e.entries[node.name] = (
            _leaf(e, node, classes) if node.op is None else _apart(e, node, node.op)
        )
    end = e.entries[graph.output][()]
    if end.op is None:  # a sum of one entry: something has to be computed
        e.begin(graph[graph.output], ())
        e.entries[graph.output] = {(): e.name(e.use("reshape", end))}
    places = {n: {i: s.name for i, s in entries.items()} for n, entries in e.entries.items()}
    e.new.output = places[graph.output][()]
    if graph.scaled:
        e.new.scaled = places[graph.scaled][()]
    shapes = {
        name: (*graph[name].shape, e.onehot[name]) if name in e.onehot else graph[name].shape
        for name in places
    }
    leaves = {i: name for name in places if not graph[name].op for i in places[name].values()}
    return Exploded(e.new, places, shapes, e.constants, e.onehot, leaves | e.owners)


def _leaf(e: Exploder, node: Node, classes: Mapping[str, int]) -> Entries:
    shape = node.shape
    if node.dtype != FLOAT:
        if node.name not in classes:
            raise BackstepError(
                f"whole numbers that are looked up cannot be taken apart: {node.name!r}",
                where=node.name,
            )
        e.onehot[node.name] = classes[node.name]
        shape = (*shape, classes[node.name])
    return {
        index: e.new.put(
            replace(
                node,
                name=entry_name(node.name, index),
                label=entry_label(node.label, index),
                latex=entry_latex(node.latex, index),
                shape=(),
                dtype=FLOAT,
                batch_last=False,
            )
        )
        for index in np.ndindex(*shape)
    }


def _apart(e: Exploder, node: Node, op: Op) -> Entries:
    operands = [e.entries[name] for name in node.inputs]
    if op.name in RULES:
        if any(map(op.differentiable, range(len(operands)))):  # else only their shape is asked
            operands = [_flowing(e, node, i) for i in range(len(operands))]
        return RULES[op.name](e, node, operands)
    letters = dict(zip(op.operands, operands, strict=False))
    shapes = [e.old[name].shape for name in node.inputs]
    found: Entries = {}
    for index in np.ndindex(*node.shape):
        e.begin(node, index)
        if op.elementwise:
            scalar = e.use(op, *(entries[index] for entries in operands))
        else:
            terms = op.element(index, *shapes)
            if terms is None:
                raise BackstepError(
                    f"{op.name} cannot be taken apart into scalars: {node.name!r}", where=node.name
                )
            scalar = e.sum_of(terms, letters)
        found[index] = e.name(scalar)
    return found


def _flowing(e: Exploder, node: Node, operand: int) -> Entries:
    """An operand's entries; cut off where the op passes no gradient on (a loss's target)."""
    name = node.inputs[operand]
    entries = e.entries[name]
    assert node.op
    if node.op.differentiable(operand) or not e.old[name].needs_grad:
        return entries
    found = {}
    for index, scalar in entries.items():
        e.begin(e.old[name], index)
        found[index] = e.use("detach", scalar)
    return found


def can_explode(op: str) -> bool:
    """Whether an op of that name can be taken apart, as far as its class tells."""
    from app.engine import scalar_rules as _rules  # noqa: F401  fills the table

    cls = OPS[op]
    return op in RULES or cls.elementwise or cls.element is not Op.element
