"""Convolution as neural networks mean it: the kernel slides over the input and is not flipped
(a cross-correlation).

The windows are laid out as the columns of one matrix, so that the whole is a single matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, ones
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.ops.windows import (
    Index,
    around,
    at,
    contiguous,
    copy,
    gather_taps,
    last,
    padded,
    per_axis,
    seeing,
    seen_from,
    taps,
    window_shape,
    windows,
)
from app.engine.types import Array, Shape


@dataclass(frozen=True)
class Convolution(Op):
    """x (N, C, …) and weight (O, C, …) give (N, O, …); the bias (O) may be left out."""

    stride: int | Shape = 1
    padding: int | Shape = 0
    rank: ClassVar[int] = 0
    symbol = "⋆"
    operands = ("x", "weight", "bias")
    optional = 1
    takes_any_layout = True
    batch_last = True
    formula = r"@y = @weight \star @x + @bias"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \ast @weight"),
        "weight": Rule(r"@g \star @x"),
        "bias": Rule(r"\sum_{\text{places}} @g"),
    }
    says = (
        "The kernel slides over the input; at every place its weights are multiplied with what "
        "lies under them, and all is added up."
    )
    says_back = (
        "The same weight worked at every place, so its gradient adds up upstream gradient times "
        "input over all of them; an input gets its gradient through every kernel that saw it: "
        "a convolution with the flipped kernel."
    )

    @property
    def steps(self) -> Shape:
        return per_axis(self.stride, self.rank)

    @property
    def border(self) -> Shape:
        return per_axis(self.padding, self.rank)

    def shape(self, *shapes: Shape) -> Shape:
        x, weight = shapes[:2]
        axes = "(N, C, H, W)" if self.rank == 2 else "(N, C, L)"
        if len(x) != self.rank + 2 or len(weight) != self.rank + 2:
            raise self.fail(f"the input must be {axes}, the weight (O, …) likewise", x, weight)
        if x[1] != weight[1]:
            raise self.fail("the weight's second axis must be the input's channels", x, weight)
        if len(shapes) > 2 and shapes[2] != weight[:1]:
            raise self.fail(
                "the bias must have one entry for each output channel", shapes[2], weight
            )
        return (x[0], weight[0], *window_shape(self, x, weight[2:], self.steps, self.border))

    def workspace(self, *shapes: Shape) -> int:
        x, weight = shapes[:2]
        places = window_shape(self, x, weight[2:], self.steps, self.border)
        return prod(weight[1:]) * x[0] * prod(places) + around(x, self.border)

    def forward(self, k: Kernel, y: Array, x: Array, weight: Array, *bias: Array) -> None:
        out, size = last(y), weight.shape[2:]
        spots = out[0].size
        columns = k.save("columns", (weight[0].size, spots))
        view = windows(padded(k, x, self.border, 0.0), size, self.steps)
        k(copy, view, columns.reshape(view.shape))
        direct = out.flags.c_contiguous
        flat = out.reshape(-1, spots) if direct else k.scratch((len(weight), spots))
        k(np.dot, weight.reshape(len(weight), -1), columns, flat)
        if bias:
            k(np.add, flat, bias[0][:, None], flat)
        if not direct:
            k(copy, flat.reshape(out.shape), out)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, weight: Array, *rest: Any) -> None:
        dx, dweight, *dbias = rest[1:] if len(rest) > 2 else rest
        if dx is None and dweight is None and not any(d is not None for d in dbias):
            return
        flat = contiguous(k, g).reshape(len(weight), -1)
        if dweight is not None:
            columns = k.saved("columns")
            k(np.dot, flat, columns.T, dweight.reshape(len(weight), -1))
        if dbias:
            k(np.dot, flat, ones(flat.shape[1]), dbias[0])
        if dx is None:
            return
        inside = k.scratch((weight[0].size, flat.shape[1]))
        k(np.dot, weight.reshape(len(weight), -1).T, flat, inside)
        parts = inside.reshape(*weight.shape[1:], *last(g).shape[1:])
        every = [(tap, at(parts, tap)) for tap in taps(weight.shape[2:])]
        gather_taps(k, every, last(dx), self.steps, self.border)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        x, weight = shapes[:2]
        n, out, *place = index
        found = seen_from(tuple(place), x[2:], weight[2:], self.steps, self.border)
        terms = [
            Term((("weight", (out, c, *tap)), ("x", (n, c, *there))))
            for tap, there in found
            for c in range(x[1])
        ]
        return [*terms, Term((("bias", (out,)),))] if len(shapes) > 2 else terms

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        x, weight = shapes[:2]
        places = window_shape(self, x, weight[2:], self.steps, self.border)
        every = [(n, *place) for n in range(x[0]) for place in np.ndindex(*places)]
        if operand == "bias":
            return [Term((("g", (n, index[0], *place)),)) for n, *place in every]
        if operand == "x":
            n, c, *there = index
            found = seeing(tuple(there), places, weight[2:], self.steps, self.border)
            return [
                Term((("g", (n, o, *place)), ("weight", (o, c, *tap))))
                for tap, place in found
                for o in range(weight[0])
            ]
        o, c, *wanted = index
        terms = []
        for n, *place in every:
            found = seen_from(tuple(place), x[2:], weight[2:], self.steps, self.border)
            terms += [
                Term((("g", (n, o, *place)), ("x", (n, c, *there))))
                for tap, there in found
                if list(tap) == wanted
            ]
        return terms


@dataclass(frozen=True)
class Conv1d(Convolution):
    name = "conv1d"
    rank = 1
    summary = "slides a kernel along a sequence"
    numpy = "v = windows(x, W); y = np.einsum('nclk,ock->nol', v, W) + b[:, None]"
    numpy_back = (
        "dx = np.einsum('nolk,ock->ncl', windows(pad(g), W), W[..., ::-1]); "
        "dW = np.einsum('nol,nclk->ock', g, v); db = g.sum((0, 2))"
    )
    pytorch = "y = F.conv1d(x, W, b)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 2, 5), (3, 2, 3), (3,)), {}),
            Sample(draw((1, 2, 6), (1, 2, 2)), {"stride": 2, "padding": 1}),
        ]


@dataclass(frozen=True)
class Conv2d(Convolution):
    name = "conv2d"
    rank = 2
    summary = "slides a kernel over an image"
    numpy = "v = windows(x, W); y = np.einsum('nchwij,ocij->nohw', v, W) + b[:, None, None]"
    numpy_back = (
        "dx = np.einsum('nohwij,ocij->nchw', windows(pad(g), W), W[..., ::-1, ::-1]); "
        "dW = np.einsum('nohw,nchwij->ocij', g, v); db = g.sum((0, 2, 3))"
    )
    pytorch = "y = F.conv2d(x, W, b)"

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 2, 4, 4), (3, 2, 3, 3), (3,)), {}),
            Sample(draw((1, 1, 4, 3), (2, 1, 2, 2)), {"padding": 1}),
            Sample(draw((2, 1, 5, 4), (2, 1, 3, 2), (2,)), {"stride": 2, "padding": 1}),
            Sample(draw((1, 2, 4, 5), (2, 2, 2, 3)), {"stride": (1, 2), "padding": (1, 0)}),
        ]
