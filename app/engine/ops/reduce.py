"""Many entries become one: sum, mean, max. Their vjps spread the gradient out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape


@dataclass(frozen=True)
class Reduction(Op):
    """`axis` None reduces all; `keepdims` leaves axes of length 1."""

    axis: int | None = None
    keepdims: bool = False

    def shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if self.axis is None:
            return (1,) * len(shape) if self.keepdims else ()
        if not -len(shape) <= self.axis < len(shape):
            raise self.fail(f"there is no axis {self.axis}", shape)
        axis = self.axis % len(shape)
        return shape[:axis] + ((1,) if self.keepdims else ()) + shape[axis + 1 :]

    def spread(self, array: Array, shape: Shape) -> Array:
        """A view of the reduced array that broadcasts against the operand."""
        if self.keepdims:
            return array
        if self.axis is None:
            return array.reshape((1,) * len(shape))
        return np.expand_dims(array, self.axis)

    def covered(self, index: tuple[int, ...], shape: Shape) -> list[tuple[int, ...]]:
        """The operand's indices that go into this element of the output."""
        if self.axis is None:
            return list(np.ndindex(*shape))
        axis = self.axis % len(shape)
        head = index[:axis]
        tail = index[axis + 1 :] if self.keepdims else index[axis:]
        return [(*head, i, *tail) for i in range(shape[axis])]

    def source(self, index: tuple[int, ...], shape: Shape) -> tuple[int, ...]:
        """The output's index to which this operand index goes."""
        if self.axis is None:
            return (0,) * len(shape) if self.keepdims else ()
        axis = self.axis % len(shape)
        return index[:axis] + ((0,) if self.keepdims else ()) + index[axis + 1 :]

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", float(self.count(shapes[0])))}

    def count(self, shape: Shape) -> int:
        return int(np.prod(shape)) if self.axis is None else shape[self.axis]

    @classmethod
    def samples(cls) -> list[Sample]:
        (x,) = draw((2, 3))
        return [
            Sample((x,), {}),
            Sample((x,), {"axis": 0}),
            Sample((x,), {"axis": -1, "keepdims": True}),
            Sample(draw(()), {}),
        ]


def _sum(x: Array, axis: Any, keepdims: bool, out: Array) -> None:
    np.add.reduce(x, axis=axis, keepdims=keepdims, out=out)


@dataclass(frozen=True)
class Sum(Reduction):
    name = "sum"
    symbol = "Σ"
    summary = "adds up the entries"
    formula = r"@y = \sum @x"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot 1", "1", "1")}
    says = "All entries are added up."
    says_back = "A sum passes its gradient on unchanged to every entry."
    numpy = "y = x.sum(axis)"
    numpy_back = "dx = np.broadcast_to(g, x.shape)"
    pytorch = "y = x.sum(axis)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_sum, x, self.axis, self.keepdims, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.positive, self.spread(g, x.shape), dx)

    def element(self, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        return [Term((("x", i),)) for i in self.covered(index, shapes[0])]

    def element_back(self, operand: str, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        return [Term((("g", self.source(index, shapes[0])),))]


@dataclass(frozen=True)
class Mean(Reduction):
    name = "mean"
    symbol = "mean"
    summary = "averages the entries"
    formula = r"@y = \frac{1}{@n}\sum @x"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot \frac{1}{@n}", r"\frac{1}{@n}", "")}
    says = "The average of the entries."
    says_back = "A mean gives each of its n entries 1/n of the gradient."
    numpy = "y = x.mean(axis)"
    numpy_back = "dx = np.broadcast_to(g / n, x.shape)"
    pytorch = "y = x.mean(axis)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_sum, x, self.axis, self.keepdims, y)
        k(np.divide, y, const(float(self.count(x.shape))), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.divide, self.spread(g, x.shape), const(float(self.count(x.shape))), dx)

    def element(self, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        share = 1.0 / self.count(shapes[0])
        return [Term((("x", i),), share) for i in self.covered(index, shapes[0])]

    def element_back(self, operand: str, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        return [Term((("g", self.source(index, shapes[0])),), 1.0 / self.count(shapes[0]))]


@dataclass(frozen=True)
class Max(Reduction):
    """The largest entry; ties share the gradient evenly, as PyTorch's `amax`."""

    name = "max"
    symbol = "max"
    summary = "keeps the largest entry"
    formula = r"@y = \max @x"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot [@x = \max @x]", r"[@x = \max @x]", "")
    }
    says = "Only the largest entry goes on."
    says_back = "Only the largest entry gets the gradient; ties share it evenly."
    numpy = "y = x.max(axis)"
    numpy_back = "m = x == y; dx = g * m / m.sum(axis)"
    pytorch = "y = x.amax(axis)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_max, x, self.axis, self.keepdims, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(_winners, x, self.spread(y, x.shape), self.axis, dx)
        k(np.multiply, dx, self.spread(g, x.shape), dx)


def _max(x: Array, axis: Any, keepdims: bool, out: Array) -> None:
    np.maximum.reduce(x, axis=axis, keepdims=keepdims, out=out)


def _winners(x: Array, y: Array, axis: int | None, out: Array) -> None:
    """1 over the number of ties where x is the maximum, 0 elsewhere."""
    np.equal(x, y, out)
    np.divide(out, np.sum(out, axis=axis, keepdims=True), out)
