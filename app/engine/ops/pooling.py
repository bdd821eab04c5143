"""Pooling: of every window only the largest entry, or the average, goes on."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.ops.windows import (
    Index,
    around,
    at,
    copy,
    gather_taps,
    last,
    padded,
    per_axis,
    seeing,
    seen_from,
    spread,
    taps,
    window_shape,
    windows,
)
from app.engine.types import Array, Shape


@dataclass(frozen=True)
class Pooling(Op):
    """x (N, C, …): each channel for itself. Without a stride the windows lie side by side."""

    kernel_size: int | Shape = 2
    stride: int | Shape | None = None
    padding: int | Shape = 0
    rank: ClassVar[int] = 0
    takes_any_layout = True
    batch_last = True

    @property
    def size(self) -> Shape:
        return per_axis(self.kernel_size, self.rank)

    @property
    def steps(self) -> Shape:
        return self.size if self.stride is None else per_axis(self.stride, self.rank)

    @property
    def border(self) -> Shape:
        return per_axis(self.padding, self.rank)

    def shape(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        if len(x) != self.rank + 2:
            axes = "(N, C, H, W)" if self.rank == 2 else "(N, C, L)"
            raise self.fail(f"the operand must be {axes}", x)
        places = window_shape(self, x, self.size, self.steps, self.border)
        if any(2 * p > n for p, n in zip(self.border, self.size, strict=True)):
            raise self.fail("the padding may be at most half the window", self.size)
        return (*x[:2], *places)

    def workspace(self, *shapes: Shape) -> int:
        return prod(self.size) * prod(self.shape(*shapes)) + around(shapes[0], self.border)

    def views(self, k: Kernel, x: Array, border: float) -> list[Array]:
        """One view (C, *places, N) for each tap."""
        view = windows(padded(k, x, self.border, border), self.size, self.steps)
        return [at(view, tap) for tap in taps(self.size)]

    def apart(self, places: Shape, dx: Array) -> bool:
        """Whether the windows neither overlap nor reach over the border."""
        wide = all(step >= n for step, n in zip(self.steps, self.size, strict=True))
        return wide and not any(self.border)

    def clear(self, k: Kernel, dx: Array, places: Shape) -> None:
        """What no window sees gets 0."""
        if self.steps != self.size:
            k(np.positive, const(0.0), dx)
            return
        for axis, (count, step) in enumerate(zip(places, self.steps, strict=True)):
            rest = [slice(None)] * dx.ndim
            rest[axis + 1] = slice(count * step, None)
            if count * step < dx.shape[axis + 1]:
                k(np.positive, const(0.0), dx[tuple(rest)])


@dataclass(frozen=True)
class MaxPool(Pooling):
    """Of equal entries the first in the window, row by row, gets the gradient, as in PyTorch."""

    symbol = "max"
    formula = r"@y = \max_{\text{window}} @x"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot [@x = @y]"),
    }
    says = "Of every window only the largest value goes on."
    says_back = (
        "Only the entry that was the largest of its window gets the gradient, all others get 0; "
        "of equal ones the first gets it."
    )

    def window(self, index: Index, *shapes: Shape) -> list[Index] | None:
        n, c, *place = index
        found = seen_from(tuple(place), shapes[0][2:], self.size, self.steps, self.border)
        return [(n, c, *there) for _, there in found]

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        out, (first, *rest) = last(y), self.views(k, x, -np.inf)
        if not rest:
            k(copy, first, out)
        for view in rest:
            k(np.maximum, first, view, out)
            first = out

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        out, into, places = last(y), last(dx), y.shape[2:]
        left = k.scratch(out.shape)  # the gradient of the windows whose entry is not found yet
        views = self.views(k, x, -np.inf)
        apart = self.apart(places, into)
        if apart:
            self.clear(k, into, places)
        found = k.scratch(out.shape, np.dtype(bool))
        parts = []
        for number, (tap, view) in enumerate(zip(taps(self.size), views, strict=True)):
            if apart:
                there, _ = spread(into.shape[1:-1], places, tap, self.steps, self.border)
                part = at(into, there)
            else:
                part = k.scratch(out.shape)
                parts.append((tap, part))
            before = last(g) if number == 0 else left
            if number == len(views) - 1:
                k(copy, before, part)
                break
            k(np.equal, view, out, found)
            k(np.multiply, before, found, part)
            k(np.subtract, before, part, left)
        if parts:
            gather_taps(k, parts, into, self.steps, self.border)


@dataclass(frozen=True)
class AvgPool(Pooling):
    """A border of zeros counts in the average, as PyTorch's `count_include_pad`."""

    symbol = "avg"
    formula = r"@y = \frac{1}{@n}\sum_{\text{window}} @x"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"\frac{1}{@n}\sum_{\text{windows}} @g"),
    }
    says = "Of every window the average goes on."
    says_back = "Every entry of a window gets the same share of its gradient."

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", float(prod(self.size)))}

    @property
    def share(self) -> float:
        return 1.0 / prod(self.size)

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        out, (first, *rest) = last(y), self.views(k, x, 0.0)
        for view in rest:
            k(np.add, first, view, out)
            first = out
        k(np.multiply, first, const(self.share), out)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        part = k.scratch(last(g).shape)
        k(np.multiply, last(g), const(self.share), part)
        parts = [(tap, part) for tap in taps(self.size)]
        gather_taps(k, parts, last(dx), self.steps, self.border)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        n, c, *place = index
        found = seen_from(tuple(place), shapes[0][2:], self.size, self.steps, self.border)
        return [Term((("x", (n, c, *there)),), self.share) for _, there in found]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        n, c, *there = index
        places = self.shape(*shapes)[2:]
        found = seeing(tuple(there), places, self.size, self.steps, self.border)
        return [Term((("g", (n, c, *place)),), self.share) for _, place in found]


def _samples(rank: int) -> list[Sample]:
    """Entries well apart, so that no small move changes which is the largest."""
    shapes: list[Shape] = [(2, 2, 4, 4), (1, 2, 5, 4), (1, 1, 4, 5)]
    attrs: list[dict[str, Any]] = [{}, {"kernel_size": 3, "stride": 1, "padding": 1}, {}]
    if rank == 2:
        shapes.append((1, 2, 5, 6))
        attrs.append({"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 0)})
    found = []
    for shape, more in zip(shapes, attrs, strict=True):
        shape = shape[: rank + 2]
        order = draw(shape)[0].reshape(-1).argsort().argsort()
        found.append(Sample(((order * 0.25 - 1.5).reshape(shape),), more))
    return found


@dataclass(frozen=True)
class MaxPool1d(MaxPool):
    name = "max_pool1d"
    rank = 1
    summary = "keeps the largest value of every window of a sequence"
    numpy = "y = x.reshape(N, C, L // k, k).max(3)"
    numpy_back = (
        "dx = (g[..., None] * (x.reshape(N, C, L // k, k) == y[..., None])).reshape(x.shape)"
    )
    pytorch = "y = F.max_pool1d(x, k)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return _samples(1)


@dataclass(frozen=True)
class AvgPool1d(AvgPool):
    name = "avg_pool1d"
    rank = 1
    summary = "averages every window of a sequence"
    numpy = "y = x.reshape(N, C, L // k, k).mean(3)"
    numpy_back = "dx = np.repeat(g, k, 2) / k"
    pytorch = "y = F.avg_pool1d(x, k)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return _samples(1)


@dataclass(frozen=True)
class MaxPool2d(MaxPool):
    name = "max_pool2d"
    rank = 2
    summary = "keeps the largest value of every window"
    numpy = "v = x.reshape(N, C, H // k, k, W // k, k); y = v.max((3, 5))"
    numpy_back = (
        "dx = (g[:, :, :, None, :, None] * (v == y[:, :, :, None, :, None])).reshape(x.shape)"
    )
    pytorch = "y = F.max_pool2d(x, k)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return _samples(2)


@dataclass(frozen=True)
class AvgPool2d(AvgPool):
    name = "avg_pool2d"
    rank = 2
    summary = "averages every window"
    numpy = "v = x.reshape(N, C, H // k, k, W // k, k); y = v.mean((3, 5))"
    numpy_back = "dx = np.repeat(np.repeat(g, k, 2), k, 3) / k**2"
    pytorch = "y = F.avg_pool2d(x, k)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return _samples(2)
