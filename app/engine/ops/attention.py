"""The parts of attention: projections to queries, keys and values, scores, their scaling and mask;
and the table of vectors that words are looked up in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const, ones
from app.engine.op import Elementwise, Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape

Index = tuple[int, ...]


@dataclass(frozen=True)
class Embedding(Op):
    """x holds whole numbers, each of which picks a row of the weight."""

    name = "embedding"
    symbol = "E[x]"
    summary = "looks every number up in a table of vectors"
    operands = ("x", "weight")
    formula = r"@y = @weight[@x]"
    rules: ClassVar[dict[str, Rule]] = {"weight": Rule(r"\sum_{\text{uses}} @g")}
    says = "Every number picks its row of the table."
    says_back = "A row gets the sum of the gradients of all places where it was used; others get 0."
    numpy = "y = weight[x]"
    numpy_back = "dweight = np.zeros_like(weight); np.add.at(dweight, x, g)"
    pytorch = "y = F.embedding(x, weight)"

    def shape(self, *shapes: Shape) -> Shape:
        x, weight = shapes
        if len(weight) != 2:
            raise self.fail("the table must be (num_embeddings, embedding_dim)", x, weight)
        return (*x, weight[1])

    def choices(self, operand: int, *shapes: Shape) -> int | None:
        return shapes[1][0] if operand == 0 else None

    def forward(self, k: Kernel, y: Array, x: Array, weight: Array) -> None:
        k(_look_up, x, weight, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, weight: Array, dx: Any, dw: Any) -> None:
        if dw is not None:
            k(np.positive, const(0.0), dw)
            k(_put_back, x, g, dw)

    @classmethod
    def samples(cls) -> list[Sample]:
        (weight,) = draw((4, 3))
        return [Sample((np.array([2, 0, 2]), weight), {}), Sample((np.array([[1, 3]]), weight), {})]


def _rows(x: Array, count: int) -> Array:
    """Row numbers; a number that no row has is taken as the nearest one."""
    return np.asarray(np.clip(np.nan_to_num(x), 0, count - 1), np.intp)


def _look_up(x: Array, weight: Array, out: Array) -> None:
    np.take(weight, _rows(x, len(weight)), axis=0, out=out, mode="clip")


def _put_back(x: Array, g: Array, out: Array) -> None:
    np.add.at(out, _rows(x, len(out)), g)


@dataclass(frozen=True)
class Projection(Op):
    """Part `part` of the rows of a weight (parts·E, in) and its bias, applied to x (N, T, in); with
    several heads the result is (N, heads, T, E / heads).
    """

    part: int = 0
    parts: int = 1
    heads: int = 1
    name = "projection"
    symbol = "Wx"
    summary = "multiplies every place of a sequence by its part of the weights"
    operands = ("x", "weight", "bias")
    optional = 1
    formula = r"@y = @x \, {@weight}_{(@k)}^{\top} + @bias_{(@k)}"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \, {@weight}_{(@k)}"),
        "weight": Rule(r"{@g}^{\top} @x"),
        "bias": Rule(r"\sum_{\text{places}} @g"),
    }
    says = "Every place of the sequence is multiplied by the same weights."
    says_back = (
        "The weights get a contribution from every place; queries, keys and values each fill "
        "their own third of them."
    )
    numpy = "q = x @ W[k * E:(k + 1) * E].T + b[k * E:(k + 1) * E]"
    numpy_back = (
        "s = slice(k * E, (k + 1) * E); dx = g @ W[s]; dW = np.zeros_like(W); "
        "dW[s] = np.einsum('nte,nti->ei', g, x); db = np.zeros_like(b); db[s] = g.sum((0, 1))"
    )
    pytorch = "q = F.linear(x, W.chunk(parts)[k], b.chunk(parts)[k])"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"k": (str(self.part + 1), float(self.part + 1))}

    def width(self, weight: Shape) -> int:
        return weight[0] // self.parts

    def own(self, array: Array) -> Array:
        size = len(array) // self.parts
        return array[self.part * size : (self.part + 1) * size]

    def shape(self, *shapes: Shape) -> Shape:
        x, weight = shapes[:2]
        if len(x) != 3 or len(weight) != 2 or x[2] != weight[1]:
            raise self.fail("the input must be (N, T, in), the weight (…, in)", x, weight)
        if weight[0] % self.parts or not 0 <= self.part < self.parts:
            raise self.fail(f"there is no part {self.part} of {self.parts}", weight)
        if len(shapes) > 2 and shapes[2] != weight[:1]:
            raise self.fail("the bias must have one entry for each row", shapes[2], weight)
        width = self.width(weight)
        if width % self.heads:
            raise self.fail(f"{self.heads} heads do not share {width} features evenly", weight)
        if self.heads == 1:
            return (*x[:2], width)
        return (x[0], self.heads, x[1], width // self.heads)

    def flat(self, x: Array) -> Array:
        """The view (N, T, heads, d) of an output, or itself with one head."""
        return x if self.heads == 1 else x.swapaxes(1, 2)

    def forward(self, k: Kernel, y: Array, x: Array, weight: Array, *bias: Array) -> None:
        x2, out = (
            x.reshape(-1, x.shape[2]),
            k.scratch((x.shape[0] * x.shape[1], self.width(weight.shape))),
        )
        k(np.dot, x2, self.own(weight).T, out)
        shown = out.reshape(self.flat(y).shape)
        if bias:
            row = self.own(bias[0])
            k(np.add, shown, row.reshape(shown.shape[2:]), self.flat(y))
        else:
            k(np.positive, shown, self.flat(y))

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, weight: Array, *rest: Any) -> None:
        dx, dweight, *dbias = rest[1:] if len(rest) > 2 else rest
        rows = g.reshape(-1, g.shape[-1])
        x2 = x.reshape(-1, x.shape[2])
        if self.heads > 1:
            rows = k.scratch((len(x2), self.width(weight.shape)))
            k(np.positive, self.flat(g), rows.reshape(self.flat(g).shape))
        k(np.dot, rows, self.own(weight), None if dx is None else dx.reshape(x2.shape))
        for grad in (dweight, *dbias):
            if grad is not None and self.parts > 1 and not k.partial(grad):
                k(np.positive, const(0.0), grad)
        k(np.dot, rows.T, x2, None if dweight is None else self.own(dweight))
        if dbias and dbias[0] is not None:
            k(np.dot, ones(len(rows)), rows, self.own(dbias[0]))

    def touched(self, operand: int, grad: Array) -> Array:
        return grad if operand == 0 else self.own(grad)

    def place(self, index: Index, width: int) -> tuple[int, int, int]:
        """(n, t, row of the weight) of an output's index."""
        n, *h, t, d = index
        size = width // self.heads
        return n, t, self.part * width + (h[0] if h else 0) * size + d

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        n, t, row = self.place(index, self.width(shapes[1]))
        terms = [Term((("x", (n, t, i)), ("weight", (row, i)))) for i in range(shapes[0][2])]
        return [*terms, Term((("bias", (row,)),))] if len(shapes) > 2 else terms

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        width = self.width(shapes[1])
        spots = [(i, self.place(i, width)) for i in np.ndindex(*self.shape(*shapes))]
        if operand == "x":
            n, t, i = index
            return [
                Term((("g", spot), ("weight", (row, i))))
                for spot, (m, u, row) in spots
                if (m, u) == (n, t)
            ]
        mine = [(spot, m, u) for spot, (m, u, row) in spots if row == index[0]]
        if operand == "bias":
            return [Term((("g", spot),)) for spot, _, _ in mine]
        return [Term((("g", spot), ("x", (m, u, index[1])))) for spot, m, u in mine]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 3, 2), (6, 2), (6,)), {"part": 1, "parts": 3}),
            Sample(draw((1, 3, 4), (12, 4), (12,)), {"part": 2, "parts": 3, "heads": 2}),
            Sample(draw((1, 2, 3), (4, 3)), {"heads": 2}),
        ]


@dataclass(frozen=True)
class Scores(Op):
    """q·kᵀ over the last two axes: how well every query fits every key."""

    name = "scores"
    symbol = "q·kᵀ"
    summary = "compares every query with every key"
    operands = ("q", "k")
    formula = r"@y = @q \, {@k}^{\top}"
    rules: ClassVar[dict[str, Rule]] = {
        "q": Rule(r"@g \, @k"),
        "k": Rule(r"{@g}^{\top} @q"),
    }
    says = "Every query is multiplied with every key: the larger the score, the better they fit."
    says_back = (
        "Each query gets the keys, each key the queries, weighted by the gradients of the scores."
    )
    numpy = "s = q @ k.swapaxes(-1, -2)"
    numpy_back = "dq = g @ k; dk = g.swapaxes(-1, -2) @ q"
    pytorch = "s = q @ k.transpose(-1, -2)"

    def shape(self, *shapes: Shape) -> Shape:
        q, keys = shapes
        if len(q) < 2 or len(q) != len(keys) or q[:-2] != keys[:-2] or q[-1] != keys[-1]:
            raise self.fail("queries and keys do not fit", q, keys)
        return (*q[:-1], keys[-2])

    def forward(self, k: Kernel, y: Array, q: Array, keys: Array) -> None:
        k(np.matmul, q, keys.swapaxes(-1, -2), y)

    def vjp(self, k: Kernel, g: Array, y: Array, q: Array, keys: Array, dq: Any, dk: Any) -> None:
        k(np.matmul, g, keys, dq)
        k(np.matmul, g.swapaxes(-1, -2), q, dk)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        *head, i, j = index
        return [Term((("q", (*head, i, d)), ("k", (*head, j, d)))) for d in range(shapes[0][-1])]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        *head, i, d = index
        if operand == "q":
            return [
                Term((("g", (*head, i, j)), ("k", (*head, j, d)))) for j in range(shapes[1][-2])
            ]
        return [Term((("g", (*head, j, i)), ("q", (*head, j, d)))) for j in range(shapes[0][-2])]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3), (4, 3)), {}), Sample(draw((2, 2, 3, 2), (2, 2, 3, 2)), {})]


@dataclass(frozen=True)
class Scaled(Elementwise):
    """x / √d."""

    d: int = 1
    name = "scaled"
    symbol = "/√d"
    summary = "divides by the root of the width, so that scores do not grow with it"
    formula = r"@y = \frac{@x}{\sqrt{@d}}"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \frac{1}{\sqrt{@d}}", r"\frac{1}{\sqrt{@d}}", r"\frac{1}{\sqrt{@d}}")
    }
    says = "The scores are divided by √d: a sum of d products would otherwise grow with d."
    says_back = "The gradient is divided by √d as well."
    numpy = "y = x / np.sqrt(d)"
    numpy_back = "dx = g / np.sqrt(d)"
    pytorch = "y = x / d ** 0.5"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"d": ("d", float(self.d))}

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.multiply, x, const(1.0 / math.sqrt(self.d)), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.multiply, g, const(1.0 / math.sqrt(self.d)), dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3)), {"d": 3}), Sample(draw((2, 2, 2)), {"d": 4})]


@dataclass(frozen=True)
class CausalMask(Op):
    """Scores (…, T, T) of which every row keeps what is not later than itself; the rest is −∞."""

    fill: float = -math.inf
    name = "causal_mask"
    symbol = "◣"
    summary = "hides the future: later places get the score −∞"
    formula = r"@y = \operatorname{causal}(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\operatorname{lower}(@g)")}
    says = "No place may look at later ones: their scores become −∞, so their share will be 0."
    says_back = "Hidden scores get no gradient."
    numpy = "y = np.where(np.tri(*x.shape[-2:], dtype=bool), x, fill)"
    numpy_back = "dx = np.tril(g)"
    pytorch = "y = x.masked_fill(~torch.ones(x.shape[-2:]).tril().bool(), fill)"

    def shape(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        if len(x) < 2 or x[-1] != x[-2]:
            raise self.fail("scores must be square", x)
        return x

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x, y)
        for i in range(x.shape[-1] - 1):
            k(np.positive, const(self.fill), y[..., i, i + 1 :])

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            k(np.positive, g, dx)
            for i in range(x.shape[-1] - 1):
                k(np.positive, const(0.0), dx[..., i, i + 1 :])

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((3, 3)), {"fill": -5.0}), Sample(draw((2, 2, 2)), {"fill": -1.5})]


@dataclass(frozen=True)
class MergeHeads(Op):
    """(N, heads, T, d) as (N, T, heads·d)."""

    name = "merge_heads"
    symbol = "▭▭"
    summary = "lays what the heads found side by side"
    formula = r"@y = \operatorname{concat}(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\operatorname{split}(@g)")}
    says = "What the heads found is laid side by side."
    says_back = "Every head gets its own part of the gradient."
    numpy = "y = x.swapaxes(1, 2).reshape(N, T, -1)"
    numpy_back = "dx = g.reshape(N, T, heads, -1).swapaxes(1, 2)"
    pytorch = "y = x.transpose(1, 2).flatten(2)"

    def shape(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        if len(x) != 4:
            raise self.fail("the operand must be (N, heads, T, d)", x)
        return (x[0], x[2], x[1] * x[3])

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        apart = x.swapaxes(1, 2)
        k(np.positive, apart, y.reshape(apart.shape))

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            apart = dx.swapaxes(1, 2)
            k(np.positive, g.reshape(apart.shape), apart)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        n, t, e = index
        return [Term((("x", (n, e // shapes[0][3], t, e % shapes[0][3])),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        n, h, t, d = index
        return [Term((("g", (n, t, h * shapes[0][3] + d)),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 2, 3, 2)), {})]
