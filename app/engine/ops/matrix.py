"""Matrix products: `matmul`, and `linear`, the affine map of a layer with its bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, ones
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape

Index = tuple[int, ...]


@dataclass(frozen=True)
class Matmul(Op):
    """(…, n, m) @ (…, m, p) -> (…, n, p); (n, m) @ (m,) -> (n,); (m,) @ (m, p) -> (p,); (m,) @ (m,)
    -> ().
    """

    name = "matmul"
    symbol = "@"
    summary = "multiplies two matrices"
    operands = ("a", "b")
    formula = r"@y = @a \, @b"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \, {@b}^{\top}"),
        "b": Rule(r"{@a}^{\top} @g"),
    }
    says = "A matrix product: each entry is a row times a column, added up."
    says_back = "Each operand gets the gradient multiplied by the other one, transposed."
    numpy = "y = a @ b"
    numpy_back = "da = g @ b.T; db = a.T @ g"
    pytorch = "y = a @ b"

    def shape(self, *shapes: Shape) -> Shape:
        a, b = shapes
        if not a or not b:
            raise self.fail("a number is no matrix, use * instead", a, b)
        if a[-1] != b[-2 if len(b) > 1 else 0]:
            raise self.fail("inner sizes differ", a, b)
        if len(a) > 2 or len(b) > 2:
            if len(a) != len(b) or a[:-2] != b[:-2]:
                raise self.fail("batch axes differ", a, b)
            return (*a[:-1], b[-1])
        return a[:-1] + (b[1:] if len(b) > 1 else ())

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.matmul if a.ndim > 2 else np.dot, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        if a.ndim > 2:
            k(np.matmul, g, b.swapaxes(-1, -2), da)
            k(np.matmul, a.swapaxes(-1, -2), g, db)
            return
        rows, columns = _matrix(a, True), _matrix(b, False)
        g2 = g.reshape(rows.shape[0], columns.shape[1])
        k(np.dot, g2, columns.T, None if da is None else da.reshape(rows.shape))
        k(np.dot, rows.T, g2, None if db is None else db.reshape(columns.shape))

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        a, b = shapes
        *batch, row, column = _full(index, a, b)
        return [
            Term(
                (
                    ("a", _pick(a, (*batch, row, i), True)),
                    ("b", _pick(b, (*batch, i, column), False)),
                )
            )
            for i in range(a[-1])
        ]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        a, b = shapes
        if operand == "a":
            *batch, row, i = index if len(a) > 1 else (0, *index)
            columns = range(b[-1] if len(b) > 1 else 1)
            return [
                Term((("g", _cut(a, b, (*batch, row, c))), ("b", _pick(b, (*batch, i, c), False))))
                for c in columns
            ]
        *batch, i, column = index if len(b) > 1 else (*index, 0)
        return [
            Term((("g", _cut(a, b, (*batch, r, column))), ("a", _pick(a, (*batch, r, i), True))))
            for r in range(a[-2] if len(a) > 1 else 1)
        ]

    @classmethod
    def samples(cls) -> list[Sample]:
        pairs = [
            ((2, 3), (3, 4)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((3,), (3,)),
            ((2, 2, 3), (2, 3, 2)),
        ]
        return [Sample(draw(a, b), {}) for a, b in pairs]


def _matrix(x: Array, row: bool) -> Array:
    """A vector on the left counts as a row, on the right as a column."""
    return x if x.ndim > 1 else x.reshape((1, -1) if row else (-1, 1))


def _full(index: Index, a: Shape, b: Shape) -> Index:
    if len(a) == 1:
        index = (0, *index)
    return index if len(b) > 1 else (*index, 0)


def _cut(a: Shape, b: Shape, index: Index) -> Index:
    """The index into the product; a vector operand leaves out its row or column axis."""
    if len(b) == 1:
        index = index[:-1]
    return index[1:] if len(a) == 1 else index


def _pick(shape: Shape, index: Index, row: bool) -> Index:
    return index if len(shape) > 1 else (index[-1],) if row else (index[0],)


@dataclass(frozen=True)
class Linear(Op):
    """x (…, in) · weightᵀ (out, in) + bias (out): `torch.nn.functional.linear`. The bias may be
    left out.
    """

    name = "linear"
    symbol = "Wx+b"
    summary = "multiplies by the weights and adds the bias"
    operands = ("x", "weight", "bias")
    formula = r"@y = @x \, {@weight}^{\top} + @bias"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \, @weight"),
        "weight": Rule(r"{@g}^{\top} @x"),
        "bias": Rule(r"\sum_{\text{batch}} @g"),
    }
    says = "A linear layer: every output is a weighted sum of the inputs, plus its bias."
    says_back = (
        "The weights get upstream gradient times input, the bias the gradient itself, "
        "and the inputs get the gradient back through the same weights."
    )
    numpy = "z = x @ W.T + b"
    numpy_back = "dx = g @ W; dW = g.T @ x; db = g.sum(0)"
    pytorch = "z = F.linear(x, W, b)"
    optional = 1

    def shape(self, *shapes: Shape) -> Shape:
        x, weight = shapes[:2]
        if not x or len(weight) != 2 or x[-1] != weight[1]:
            raise self.fail("the input's last axis must be in_features of (out, in)", x, weight)
        if len(shapes) > 2 and shapes[2] != weight[:1]:
            raise self.fail("the bias must have out_features entries", shapes[2], weight)
        return (*x[:-1], weight[0])

    def forward(self, k: Kernel, y: Array, x: Array, weight: Array, *bias: Array) -> None:
        y2, x2 = y.reshape(-1, y.shape[-1]), x.reshape(-1, x.shape[-1])
        if not bias:
            k(np.dot, x2, weight.T, y2)
            return
        s, row = k.scratch(y2.shape), bias[0]
        k(np.dot, x2, weight.T, s)
        k(np.add, s, row.reshape(y2.shape) if row.size == y.size else row, y2)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, weight: Array, *rest: Any) -> None:
        dx, dweight, *dbias = rest[1:] if len(rest) > 2 else rest
        g2, x2 = g.reshape(-1, g.shape[-1]), x.reshape(-1, x.shape[-1])
        k(np.dot, g2, weight, None if dx is None else dx.reshape(x2.shape))
        k(np.dot, g2.T, x2, dweight)
        if not dbias:
            return
        if g2.shape[0] == 1:
            k(np.positive, g2[0], dbias[0])
        else:
            k(np.dot, ones(g2.shape[0]), g2, dbias[0])

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        *head, out = index
        terms = [Term((("x", (*head, i)), ("weight", (out, i)))) for i in range(shapes[1][1])]
        return [*terms, Term((("bias", (out,)),))] if len(shapes) > 2 else terms

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        x, weight = shapes[:2]
        if operand == "x":
            *head, i = index
            return [Term((("g", (*head, o)), ("weight", (o, i)))) for o in range(weight[0])]
        batch = list(np.ndindex(*x[:-1]))
        if operand == "bias":
            return [Term((("g", (*n, index[0])),)) for n in batch]
        out, i = index
        return [Term((("g", (*n, out)), ("x", (*n, i)))) for n in batch]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 3), (4, 3), (4,)), {}),
            Sample(draw((1, 3), (2, 3)), {}),
            Sample(draw((2, 2, 3), (2, 3), (2,)), {}),
        ]
