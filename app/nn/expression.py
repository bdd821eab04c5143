"""The expressions of a program, node by node: operators, functions, names for what has none.

Recursion is bounded because the source has measured its own depth; a long sum is walked along its
left side in a loop.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.engine.errors import BackstepError, LimitError, ShapeError, shown
from app.engine.fields import nearest
from app.engine.graph import CONSTANT, INPUT, TARGET, Graph, Node
from app.engine.op import Op, make
from app.engine.ops.class_loss import ClassLoss
from app.engine.ops.shaping import Broadcast
from app.engine.types import FLOAT, INT, Array, Shape
from app.nn.calls import OPERATORS, Call, read_call
from app.nn.refusals import refusal, unknown
from app.nn.source import Place, Source
from app.render import text as names_text

SUMS = {"add", "sub", "sum", "mean"}
"""Ops in whose formulas a product needs no brackets, so that it can bear its factors' names."""

LOSS_STEPS = {
    "mse": ("square", "mean"),
    "squared_error": ("square", "sum"),
    "half_squared_error": ("square", "sum"),
    "mae": ("abs", "mean"),
}
"""Losses whose target may need a gradient, too: what is done to the error, and to its entries."""


@dataclass(frozen=True)
class Literal:
    """A number in the source. It becomes a leaf when an op uses it, in the shape that is needed."""

    value: float
    label: str
    latex: str
    node: ast.AST

    def negative(self, node: ast.AST) -> Literal:
        """The number below 0, in brackets where formulas write it; two minuses cancel."""
        if self.label.startswith("−"):
            return Literal(-self.value, self.label[1:], self.latex[2:-1], node)
        return Literal(-self.value, f"−{self.label}", f"(-{self.latex})", node)


Operand = Node | Literal


class Expressions:
    """Adds the nodes of expressions to a graph. `names` is what each name means at this point.

    `pinned` are the values that were listed as parameters: they are no loss's mere target.
    """

    def __init__(
        self,
        source: Source,
        graph: Graph,
        given: set[str],
        pinned: frozenset[str],
        *,
        entries: int,
        together: int,
    ) -> None:
        """`entries` is how many numbers an array may have, `together` how many all may."""
        self.source, self.graph, self.pinned = source, graph, pinned
        self.uses = Counter(source.names())
        self.reserved = given | set(self.uses)
        self.array_entries, self.entries_left, self.entries_limit = entries, together, together
        self.names: dict[str, Node] = {}
        self.values: dict[str, Array] = {}
        self.places: dict[str, Place] = {}
        self.last: Node | None = None
        self._letter = next((c for c in "uvqhsrpcdefg" if not self._taken(c)), "step")
        self._count = 0

    def _taken(self, letter: str) -> bool:
        return any(
            name == letter or (name[0] == letter and not name[1:].strip("_0123456789"))
            for name in self.reserved
        )

    def given(self, kind: str, name: str, array: Array) -> None:
        """A leaf for one of the visitor's values."""
        label, latex = names_text.label(name), names_text.latex(name)
        self.names[name] = self.graph.leaf(kind, name, array.shape, label=label, latex=latex)
        self.values[name] = array

    def spare(self, name: str) -> str:
        """The name, or one like it that nobody uses."""
        if name not in self.reserved and name not in self.graph.nodes:
            return name
        number = 2
        while (other := f"{name}_{number}") in self.reserved or other in self.graph.nodes:
            number += 1
        return other

    def bind(self, names: Sequence[str], value: ast.expr, statement: ast.stmt) -> None:
        """The value under a name; a name bound before goes on as a_2, a_3 …"""
        first = names[0]
        free = first if first not in self.graph.nodes else self.spare(first)
        result = self.expression(value, name=free)
        if isinstance(result, Literal):
            result = self._constant(result, (), name=free)
        self.last = result
        for name in names:
            self.names[name] = result

    def expression(self, node: ast.expr, *, name: str = "", inside: str = "") -> Operand:
        """What an expression stands for; `name` is for its result, `inside` is the op around it."""
        match node:
            case ast.Name(id=known):
                if known in self.names:
                    return self.names[known]
                raise self.source.fail(unknown(known, self.names), node)
            case ast.Constant():
                return self._literal(node)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand, name=name, inside=inside)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.expression(operand)
                if isinstance(inner, Literal):
                    return inner.negative(node)
                return self.use(make("neg"), [inner], node, name)
            case ast.BinOp():
                return self._chain(node, name, inside)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                op = self._operator(operator, node)
                operands = [self.expression(left), self.expression(right)]
                return self.use(make(op), operands, node, name)
            case ast.Attribute(value=value, attr="T"):
                return self.use(make("transpose"), [self.expression(value)], node, name)
            case ast.Call():
                return self._call(read_call(self.source, node), node, name)
        raise self.source.fail(refusal(node), node)

    def _chain(self, node: ast.BinOp, name: str, inside: str) -> Operand:
        """a + b − c + …: the left operands in a loop, however many there are."""
        spine = [node]
        while isinstance(spine[-1].left, ast.BinOp):
            spine.append(spine[-1].left)
        innermost = spine[-1]
        result = self.expression(innermost.left, inside=self._operator(innermost.op, innermost))
        for i in range(len(spine) - 1, -1, -1):
            part = spine[i]
            op = self._operator(part.op, part)
            right = self.expression(part.right, inside=op)
            around = self._operator(spine[i - 1].op, spine[i - 1]) if i else inside
            result = self._binary(op, result, right, part, name if i == 0 else "", around)
        return result

    def _binary(
        self, op: str, a: Operand, b: Operand, node: ast.BinOp, name: str, inside: str
    ) -> Operand:
        if (
            isinstance(a, Literal)
            and isinstance(b, Literal)
            and op == "div"
            and b.value
            and not name
        ):
            latex = rf"\frac{{{a.latex}}}{{{b.latex}}}"
            return Literal(a.value / b.value, f"{a.label}/{b.label}", latex, node)
        if op == "pow" and isinstance(b, Literal) and b.value == 2:
            return self.use(make("square"), [a], node, name)
        label = latex = ""
        if not name and op in ("mul", "matmul") and inside in SUMS:
            label, latex = self._product(a, b)
        return self.use(make(op), [a, b], node, name or (label and op), label, latex)

    def _product(self, a: Operand, b: Operand) -> tuple[str, str]:
        """`wx` for w·x: how a product stands in a sum; nothing if it would be long."""
        if len(a.label) + len(b.label) > 9 or a.label.startswith("−") or b.label.startswith("−"):
            return "", ""
        first = names_text.read(a.label).base
        second = names_text.read(b.label).base
        letters = isinstance(a, Literal) or len(first) == 1
        tight = letters and len(second) == 1 and not isinstance(b, Literal)
        label = f"{a.label}{b.label}" if tight else f"{a.label}·{b.label}"
        if label in self.reserved:
            return "", ""
        return label, f"{a.latex} {b.latex}" if tight else rf"{a.latex} \cdot {b.latex}"

    def _operator(self, operator: ast.AST, node: ast.AST) -> str:
        row = OPERATORS.get(type(operator))
        if row is None:
            raise self.source.fail("the operators are + - * / ** @ > and <", node)
        if row.endswith("!"):
            raise self.source.fail(row[:-1], node)
        return row

    def _literal(self, node: ast.Constant) -> Literal:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.source.fail(
                f"not a number: {self.source.written(node)}; a program has numbers and names", node
            )
        number = nearest(value)
        if not math.isfinite(number):
            raise self.source.fail("the number is too large for float64", node)
        label = f"{number:.15g}"
        return Literal(number, label.replace("-", "−"), label, node)

    def _constant(self, literal: Literal, shape: Shape, name: str = "") -> Node:
        label, latex = literal.label, literal.latex
        if name:
            label, latex = names_text.label(name), names_text.latex(name)
        plain = literal.label.replace("−", "-").replace("/", ":")
        leaf = self._add(
            lambda: self.graph.leaf(
                CONSTANT, name or self.graph.free(plain), shape, label=label, latex=latex
            ),
            literal.node,
        )
        self.values[leaf.name] = np.full(shape, literal.value, FLOAT)
        return leaf

    def _call(self, call: Call, node: ast.Call, name: str) -> Node:
        operands = [self.expression(part, inside=call.name) for part in call.operands]
        shapes = [part.shape if isinstance(part, Node) else () for part in operands]
        op = call.op(self.source, shapes)
        if op.is_loss:
            p, t = operands
            if isinstance(t, Node) and t.needs_grad:
                return self._loss(op, p, t, call, name)
        return self.use(op, operands, node, name)

    def _loss(self, op: Op, p: Operand, t: Node, call: Call, name: str) -> Node:
        """A loss node sends its gradient into the prediction only: see that no other is due."""
        if self._is_target(t, op):
            target = self._as_target(t, p, op, call.operands[1])
            return self.use(op, [p, target], call.node, name)
        if op.name in LOSS_STEPS:
            return self._loss_in_steps(op, p, t, call.node, name)
        raise self.source.fail(
            f"{op.name}'s target must be one of the values and occur nowhere else, because no "
            f"gradient flows into it: {t.label}",
            call.operands[1],
        )

    def _is_target(self, t: Node, op: Op) -> bool:
        """Whether the value serves as a target and as nothing else."""
        alone = t.op is None and self.uses[t.name] == 1
        return alone and (
            t.kind == INPUT or (op.name not in LOSS_STEPS and t.name not in self.pinned)
        )

    def _as_target(self, t: Node, p: Operand, op: Op, node: ast.AST) -> Node:
        target = replace(t, kind=TARGET, needs_grad=False)
        shape = p.shape if isinstance(p, Node) else ()
        if isinstance(op, ClassLoss) and shape and t.shape == shape[:-1]:
            target = replace(target, dtype=INT)
            self.values[t.name] = self._classes(self.values[t.name], shape[-1], node)
        self.graph.nodes[t.name] = self.names[t.name] = target
        return target

    def _loss_in_steps(self, op: Op, p: Operand, t: Node, node: ast.AST, name: str) -> Node:
        """The loss written out, so that its target gets a gradient as well."""
        each, collect = LOSS_STEPS[op.name]
        entries = self.use(make(each), [self.use(make("sub"), [p, t], node, "")], node, "")
        if op.name != "half_squared_error":
            return self.use(make(collect), [entries], node, name)
        total = self.use(make(collect), [entries], node, "")
        share = 0.5 / (entries.shape[0] if entries.shape else 1)
        half = Literal(share, f"{share:.15g}", f"{share:.15g}", node)
        return self.use(make("mul"), [half, total], node, name)

    def _classes(self, array: Array, count: int, node: ast.AST) -> Array:
        if not np.all((array >= 0) & (array < count) & (array == np.floor(array))):
            raise self.source.fail(f"class numbers must be whole, from 0 to {count - 1}", node)
        return array.astype(INT)

    def use(
        self,
        op: Op,
        operands: Sequence[Operand],
        node: ast.AST,
        name: str,
        label: str = "",
        latex: str = "",
    ) -> Node:
        """Add a use of an op; operands are stretched to one shape where NumPy would do so."""
        place = str(self.source.place(node))
        shapes = [part.shape for part in operands if isinstance(part, Node)]
        common: Shape | None = None
        if op.elementwise and len(operands) > 1:
            try:
                common = np.broadcast_shapes(*shapes)
            except ValueError:
                told = " and ".join(
                    f"{part.label} {part.shape}" for part in operands if isinstance(part, Node)
                )
                raise ShapeError(f"{op.name}: the shapes do not fit: {told}", where=place) from None
            self._room(common, place)
        elif op.is_loss and shapes:
            common = shapes[0]
        nodes: list[Node] = []
        for i, part in enumerate(operands):
            if isinstance(part, Literal):
                shape = common or ()
                if isinstance(op, ClassLoss) and i == 1:
                    nodes.append(self._class_constant(part, nodes[0]))
                    continue
                nodes.append(self._constant(part, shape))
            elif common is not None and part.shape != common and op.elementwise:
                nodes.append(self.use(Broadcast(to=common), [part], node, ""))
            else:
                nodes.append(part)
        if (
            isinstance(op, ClassLoss)
            and nodes[1].dtype == FLOAT
            and nodes[1].shape != nodes[0].shape
        ):
            raise ShapeError(
                f"{op.name}: class numbers must be one of the values: {nodes[1].label}", where=place
            )
        return self._named(op, nodes, node, name, label, latex)

    def _named(
        self, op: Op, nodes: list[Node], node: ast.AST, name: str, label: str, latex: str
    ) -> Node:
        place = str(self.source.place(node))
        shapes = [part.shape for part in nodes]
        try:
            self._room(op.shape(*shapes), place, op.workspace(*shapes))
        except ShapeError as error:
            told = ", ".join(part.label for part in nodes)
            raise ShapeError(f"{error.message} (operands {told})", where=place) from None
        if not name:
            self._count += 1
            name = self.spare(f"{self._letter}_{self._count}")
        elif label:
            name = self.spare(name)
        label = label or names_text.label(name)
        latex = latex or names_text.latex(name)
        return self._add(
            lambda: self.graph.add(op, *nodes, name=name, label=label, latex=latex), node
        )

    def _room(self, shape: Shape, place: str, workspace: int = 0) -> None:
        size = math.prod(shape)
        if size > self.array_entries:
            raise LimitError(
                f"an array may have at most {self.array_entries:,} numbers: {shown(size)}",
                where=place,
                setting="array_entries",
            )
        if size + workspace > self.entries_left:
            raise LimitError(
                f"all arrays of a program may have at most {self.entries_limit:,} numbers together",
                where=place,
                setting="graph_entries",
            )

    def _add(self, make_node: Callable[[], Node], node: ast.AST) -> Node:
        place = self.source.place(node)
        try:
            made = make_node()
        except BackstepError as error:
            raise type(error)(error.message, where=str(place)) from None
        self.entries_left -= self.graph.entries(made)
        self.places[made.name] = place
        return made

    def _class_constant(self, literal: Literal, p: Node) -> Node:
        leaf = self._constant(literal, p.shape[:-1])
        if not p.shape:
            return leaf
        self.values[leaf.name] = self._classes(self.values[leaf.name], p.shape[-1], literal.node)
        as_class = replace(leaf, dtype=INT)
        self.graph.nodes[leaf.name] = as_class
        return as_class
