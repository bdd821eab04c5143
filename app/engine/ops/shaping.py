"""Ops that move numbers without changing them: transpose, reshape, broadcast and its reverse,
unbroadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape

Index = tuple[int, ...]


@dataclass(frozen=True)
class Transpose(Op):
    """Reverses the axes, or orders them as `axes` says."""

    axes: tuple[int, ...] | None = None
    name = "transpose"
    symbol = "ᵀ"
    summary = "exchanges rows and columns"
    formula = r"@y = @x^{\top}"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"{@g}^{\top}")}
    says = "Rows become columns."
    says_back = "The gradient is turned back the same way."
    numpy = "y = x.T"
    numpy_back = "dx = g.T"
    pytorch = "y = x.T"

    def order(self, shape: Shape) -> tuple[int, ...]:
        return self.axes or tuple(reversed(range(len(shape))))

    def shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if sorted(self.order(shape)) != list(range(len(shape))):
            raise self.fail(f"the axes {self.axes} are no order of the operand's axes", shape)
        return tuple(shape[axis] for axis in self.order(shape))

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x.transpose(self.order(x.shape)), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.positive, g.transpose(np.argsort(self.order(x.shape))), dx)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        order = self.order(shapes[0])
        return [Term((("x", tuple(index[order.index(i)] for i in range(len(order)))),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("g", tuple(index[axis] for axis in self.order(shapes[0]))),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3)), {}), Sample(draw((2, 3, 4)), {"axes": (1, 2, 0)})]


@dataclass(frozen=True)
class Reshape(Op):
    """The same entries in row-major order under another shape."""

    to: Shape = ()
    name = "reshape"
    symbol = "▭"
    summary = "gives the same entries another shape"
    formula = r"@y = \operatorname{reshape}(@x)"
    takes_any_layout = True
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\operatorname{reshape}(@g)")}
    says = "The same numbers in another shape."
    says_back = "The gradient gets the old shape back."
    numpy = "y = x.reshape(shape)"
    numpy_back = "dx = g.reshape(x.shape)"
    pytorch = "y = x.reshape(shape)"

    def shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if int(np.prod(shape)) != int(np.prod(self.to)):
            raise self.fail("the number of entries differs", shape, self.to)
        return self.to

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_copy, x, y.reshape(x.shape))

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(_copy, g.reshape(x.shape), dx)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("x", _move(index, self.to, shapes[0])),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("g", _move(index, shapes[0], self.to)),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3)), {"to": (6,)}), Sample(draw((4,)), {"to": (2, 2)})]


def _copy(x: Array, out: Array) -> None:
    np.copyto(out, x)


def _move(index: Index, old: Shape, new: Shape) -> Index:
    flat = int(np.ravel_multi_index(index, old)) if old else 0
    return tuple(int(i) for i in np.unravel_index(flat, new)) if new else ()


def fits(small: Shape, large: Shape) -> bool:
    """Whether NumPy's broadcasting stretches `small` to `large`."""
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def stretched(small: Shape, large: Shape) -> tuple[int, ...]:
    """The axes of `large` along which `small` is repeated."""
    lead = len(large) - len(small)
    return tuple(
        axis
        for axis, size in enumerate(large)
        if axis < lead or (small[axis - lead] == 1 and size != 1)
    )


def _collapse(x: Array, axes: tuple[int, ...], out: Array) -> None:
    """Sum over the axes into `out`, which may keep axes of length 1."""
    total = np.add.reduce(x, axis=axes) if axes else x
    np.copyto(out, total.reshape(out.shape))


@dataclass(frozen=True)
class Broadcast(Op):
    """Repeats entries to fill a larger shape, by NumPy's rules."""

    to: Shape = ()
    name = "broadcast"
    symbol = "⇉"
    summary = "repeats the value to fill a larger shape"
    formula = r"@y = \operatorname{broadcast}(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\sum @g")}
    says = "The value is used in several places, so it is repeated."
    says_back = "Used in several places, the value collects the sum of all their gradients."
    numpy = "y = np.broadcast_to(x, shape)"
    numpy_back = "dx = g.sum(axis=repeated_axes)"
    pytorch = "y = x.broadcast_to(shape)"

    def shape(self, *shapes: Shape) -> Shape:
        if not fits(shapes[0], self.to):
            raise self.fail("the shape cannot be stretched", shapes[0], self.to)
        return self.to

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(_collapse, g, stretched(x.shape, self.to), dx)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("x", _shrink(index, shapes[0])),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("g", i),)) for i in np.ndindex(*self.to) if _shrink(i, shapes[0]) == index]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw(()), {"to": (2, 3)}),
            Sample(draw((3,)), {"to": (2, 3)}),
            Sample(draw((2, 1)), {"to": (2, 3)}),
        ]


def _shrink(index: Index, small: Shape) -> Index:
    tail = index[len(index) - len(small) :]
    return tuple(0 if size == 1 else i for i, size in zip(tail, small, strict=True))


@dataclass(frozen=True)
class Unbroadcast(Op):
    """Sums over the axes that a broadcast from `to` would have repeated."""

    to: Shape = ()
    name = "unbroadcast"
    symbol = "⇇"
    summary = "adds up what a broadcast had repeated"
    formula = r"@y = \sum @x"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\operatorname{broadcast}(@g)")}
    says = "The entries that stand for one and the same value are added up."
    says_back = "Each entry of the sum gets the gradient unchanged."
    numpy = "y = x.sum(axis=repeated_axes)"
    numpy_back = "dx = np.broadcast_to(g, x.shape)"
    pytorch = "y = x.sum_to_size(shape)"

    def shape(self, *shapes: Shape) -> Shape:
        if not fits(self.to, shapes[0]):
            raise self.fail("the shape cannot be collapsed", shapes[0], self.to)
        return self.to

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_collapse, x, stretched(self.to, x.shape), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.positive, g, dx)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("x", i),)) for i in np.ndindex(*shapes[0]) if _shrink(i, self.to) == index]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("g", _shrink(index, self.to)),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3)), {"to": shape}) for shape in ((3,), (2, 1), ())]
