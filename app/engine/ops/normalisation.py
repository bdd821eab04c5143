"""Normalisation: subtract the mean, divide by the deviation; then a scale and a shift that are
learned. Batch norm takes them over the batch, layer norm over a sample's last axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const, ones
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.ops.windows import Index, last
from app.engine.types import Array, Shape


def total(k: Kernel, x: Array, axes: tuple[int, ...], out: Array | None) -> None:
    """Sum over these axes (counted from 0); `out` keeps them with length 1."""
    if out is None:
        return
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    size = x.size // max(1, out.size)
    if x.ndim == 2 and axes == (0,):
        k(np.dot, ones(size), x, out.reshape(-1))
    elif rest == list(range(len(rest))) and x.flags.c_contiguous:
        k(np.dot, x.reshape(out.size, size), ones(size), out.reshape(-1))
    elif rest == [1] and last(x).flags.c_contiguous:
        k(np.dot, last(x).reshape(out.size, size), ones(size), out.reshape(-1))
    else:
        k(_reduce, x, axes, out)


def _reduce(x: Array, axes: tuple[int, ...], out: Array) -> None:
    np.add.reduce(x, axis=axes, keepdims=True, out=out)


def like(k: Kernel, x: Array) -> Array:
    """A scratch array that lies in memory as x does."""
    inner = last(x) if x.ndim > 2 else x
    if inner.flags.c_contiguous and x.ndim > 2:
        return np.moveaxis(k.scratch(inner.shape), -1, 0)
    return k.scratch(x.shape)


@dataclass(frozen=True)
class Normalise(Op):
    """x̂ = (x − μ) / √(σ² + ε), mean μ and variance σ² over `axes`; the deviation counts n, not
    n − 1.
    """

    axes: tuple[int, ...] = (-1,)
    eps: float = 1e-5
    name = "normalise"
    symbol = "x̂"
    summary = "shifts and stretches to mean 0 and variance 1"
    takes_any_layout = True
    keeps_layout = True
    formula = r"@y = \frac{@x - \mu}{\sqrt{\sigma^2 + @eps}}"
    worked_at = r"\frac{@x - @m}{\sqrt{@v + @eps}}"
    worked_back = r"\frac{@g - @s - @y \cdot @t}{\sqrt{@v + @eps}}"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(
            r"\frac{1}{\sqrt{\sigma^2 + @eps}} \left(@g - \operatorname{mean}(@g) "
            r"- @y \operatorname{mean}(@g \odot @y)\right)"
        )
    }
    says = "The mean is subtracted and the result divided by the standard deviation."
    says_back = (
        "Mean and deviation depend on every entry, so each gradient loses the average of all "
        "gradients and what only stretches; the rest is divided by the deviation."
    )
    numpy = "y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)"
    numpy_back = (
        "dx = (g - g.mean(axes, keepdims=True) - y * (g * y).mean(axes, keepdims=True))"
        " / np.sqrt(x.var(axes, keepdims=True) + eps)"
    )
    pytorch = (
        "y = (x - x.mean(axes, keepdim=True)) "
        "/ (x.var(axes, unbiased=False, keepdim=True) + eps).sqrt()"
    )

    def over(self, shape: Shape) -> tuple[int, ...]:
        return tuple(sorted(axis % len(shape) for axis in self.axes))

    def count(self, shape: Shape) -> int:
        return int(np.prod([shape[axis] for axis in self.over(shape)]))

    def shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if not self.axes or any(not -len(shape) <= axis < len(shape) for axis in self.axes):
            raise self.fail(f"there are no such axes: {self.axes}", shape)
        return shape

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"eps": (r"\epsilon", self.eps)}

    def measured(self, x: Array, y: Array, g: Array | None) -> dict[str, Array]:
        """m and v: mean and variance; s = mean of g, t = mean of g · y."""
        axes = self.over(x.shape)
        found = {"m": x.mean(axes, keepdims=True), "v": x.var(axes, keepdims=True)}
        if g is not None:
            found |= {"s": g.mean(axes, keepdims=True), "t": (g * y).mean(axes, keepdims=True)}
        return {letter: np.broadcast_to(worth, x.shape) for letter, worth in found.items()}

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        axes, share = self.over(x.shape), const(1.0 / self.count(x.shape))
        kept = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
        sums, shifted = k.scratch(kept), k.scratch(kept)
        mean, var = k.save("mean", kept), k.save("var", kept)
        inverse, squares = k.save("inverse", kept), like(k, x)
        total(k, x, axes, sums)
        k(np.multiply, sums, share, mean)
        k(np.subtract, x, mean, y)
        k(np.multiply, y, y, squares)
        total(k, squares, axes, sums)
        k(np.multiply, sums, share, var)
        k(np.add, var, const(self.eps), sums)
        k(np.sqrt, sums, shifted)
        k(np.reciprocal, shifted, inverse)
        k(np.multiply, y, inverse, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        axes, share, inverse = (
            self.over(x.shape),
            const(1.0 / self.count(x.shape)),
            k.saved("inverse"),
        )
        sums, mean, products = k.scratch(inverse.shape), k.scratch(inverse.shape), like(k, x)
        k(np.multiply, g, y, products)
        total(k, products, axes, sums)
        k(np.multiply, sums, share, mean)
        k(np.multiply, y, mean, products)
        k(np.subtract, g, products, products)
        total(k, g, axes, sums)
        k(np.multiply, sums, share, mean)
        k(np.subtract, products, mean, products)
        k(np.multiply, products, inverse, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 4)), {}),
            Sample(draw((4, 3)), {"axes": (0,)}),
            Sample(draw((2, 3, 2)), {"axes": (0, 2), "eps": 0.1}),
            Sample(draw((2, 3, 2)), {"axes": (-2, -1)}),
        ]


@dataclass(frozen=True)
class BatchNormalise(Normalise):
    """Over the batch. The mean and variance that it saves also move the running ones, by
    `momentum`, in a step of their own; None keeps none.
    """

    axes: tuple[int, ...] = (0,)
    momentum: float | None = None
    name = "batch_normalise"
    summary = "shifts and stretches every channel to mean 0 and variance 1 over the batch"
    says = "Over the batch, the mean is subtracted and the result divided by the deviation."

    def shape(self, *shapes: Shape) -> Shape:
        shape = super().shape(*shapes)
        if self.count(shape) < 2:
            raise self.fail("there must be more than one value for each channel", shape)
        return shape

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((4, 3)), {}),
            Sample(draw((2, 3, 2)), {"axes": (0, 2), "eps": 0.1}),
            Sample(draw((2, 2, 2, 2)), {"axes": (0, 2, 3)}),
        ]


@dataclass(frozen=True)
class NormaliseRunning(Op):
    """(x − mean) / √(var + ε) with numbers that were collected while training; `axis` is theirs."""

    axis: int = 1
    eps: float = 1e-5
    name = "normalise_running"
    symbol = "x̂"
    summary = "normalises with the mean and variance collected while training"
    operands = ("x", "mean", "var")
    takes_any_layout = True
    keeps_layout = True
    formula = r"@y = \frac{@x - @mean}{\sqrt{@var + @eps}}"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\frac{@g}{\sqrt{@var + @eps}}")}
    says = "Outside training the mean and variance collected while training are used."
    says_back = "Mean and variance are fixed numbers here, so the gradient is only divided."
    numpy = "y = (x - mean) / np.sqrt(var + eps)"
    numpy_back = "dx = g / np.sqrt(var + eps)"
    pytorch = "y = F.batch_norm(x, mean, var, eps=eps)"

    def shape(self, *shapes: Shape) -> Shape:
        x, mean, var = shapes
        if not -len(x) <= self.axis < len(x) or mean != (x[self.axis],) or var != mean:
            raise self.fail("mean and var must have one entry for each channel", *shapes)
        return x

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"eps": (r"\epsilon", self.eps)}

    def along(self, x: Array, values: Array) -> Array:
        axis = self.axis % x.ndim
        return values.reshape((-1, *[1] * (x.ndim - axis - 1)))

    def inverse(self, k: Kernel, var: Array) -> Array:
        out = k.scratch(var.shape)
        k(np.add, var, const(self.eps), out)
        k(np.sqrt, out, out)
        k(np.reciprocal, out, out)
        return out

    def forward(self, k: Kernel, y: Array, x: Array, mean: Array, var: Array) -> None:
        k(np.subtract, x, self.along(x, mean), y)
        k(np.multiply, y, self.along(x, self.inverse(k, var)), y)

    def vjp(
        self, k: Kernel, g: Array, y: Array, x: Array, mean: Array, var: Array, *d: Any
    ) -> None:
        if d[0] is not None:
            k(np.multiply, g, self.along(x, self.inverse(k, var)), d[0])

    @classmethod
    def samples(cls) -> list[Sample]:
        (x, mean), (var,) = draw((2, 3), (3,)), draw((3,), low=0.5)
        (image,) = draw((2, 3, 2))
        return [Sample((x, mean, var), {}), Sample((image, mean, var), {"eps": 0.1})]


@dataclass(frozen=True)
class ScaleShift(Op):
    """y = x · weight + bias, weight and bias lying along the axes of x from `axis` on."""

    axis: int = -1
    name = "scale_shift"
    symbol = "γx+β"
    summary = "multiplies every channel by its weight and adds its bias"
    operands = ("x", "weight", "bias")
    optional = 1
    takes_any_layout = True
    keeps_layout = True
    formula = r"@y = @x \odot @weight + @bias"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \odot @weight"),
        "weight": Rule(r"\sum_{\text{batch}} @g \odot @x"),
        "bias": Rule(r"\sum_{\text{batch}} @g"),
    }
    says = "Every channel gets a scale and a shift of its own, which are learned."
    says_back = (
        "The scale gets the sum of upstream gradient times normalised value, the shift the sum "
        "of the gradients, the value the gradient times the scale."
    )
    numpy = "y = x * weight + bias"
    numpy_back = "dx = g * weight; dweight = (g * x).sum(0); dbias = g.sum(0)"
    pytorch = "y = x * weight + bias"

    def shape(self, *shapes: Shape) -> Shape:
        x, weight = shapes[:2]
        axis = self.axis % len(x) if x else 0
        if not x or not weight or x[axis : axis + len(weight)] != weight:
            raise self.fail("the weight must lie along the operand's axes", x, weight)
        if len(shapes) > 2 and shapes[2] != weight:
            raise self.fail("the bias must be like the weight", shapes[2], weight)
        return x

    def along(self, x: Array, values: Array) -> Array:
        """A view that stretches over x."""
        rest = x.ndim - self.axis % x.ndim - values.ndim
        return values.reshape((*values.shape, *[1] * rest))

    def summed(self, x: Shape, weight: Shape) -> tuple[int, ...]:
        axis = self.axis % len(x)
        return tuple(i for i in range(len(x)) if not axis <= i < axis + len(weight))

    def forward(self, k: Kernel, y: Array, x: Array, weight: Array, *bias: Array) -> None:
        k(np.multiply, x, self.along(x, weight), y)
        if bias:
            k(np.add, y, self.along(x, bias[0]), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, weight: Array, *rest: Any) -> None:
        dx, dweight, *dbias = rest[1:] if len(rest) > 2 else rest
        axes = self.summed(x.shape, weight.shape)
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        if dweight is not None:
            products = like(k, x)
            k(np.multiply, g, x, products)
            total(k, products, axes, dweight.reshape(kept))
        if dbias and dbias[0] is not None:
            total(k, g, axes, dbias[0].reshape(kept))
        k(np.multiply, g, self.along(x, weight), dx)

    def own(self, index: Index, x: Shape, weight: Shape) -> Index:
        axis = self.axis % len(x)
        return index[axis : axis + len(weight)]

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        own = self.own(index, *shapes[:2])
        terms = [Term((("x", index), ("weight", own)))]
        return [*terms, Term((("bias", own),))] if len(shapes) > 2 else terms

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        x, weight = shapes[:2]
        if operand == "x":
            return [Term((("g", index), ("weight", self.own(index, x, weight))))]
        mine = [i for i in np.ndindex(*x) if self.own(i, x, weight) == index]
        if operand == "bias":
            return [Term((("g", i),)) for i in mine]
        return [Term((("g", i), ("x", i))) for i in mine]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 3), (3,), (3,)), {}),
            Sample(draw((2, 3), (3,)), {}),
            Sample(draw((2, 3, 2), (3,), (3,)), {"axis": 1}),
            Sample(draw((2, 3, 2), (3, 2), (3, 2)), {"axis": -2}),
        ]
