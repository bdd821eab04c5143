"""The parts of which recurrent layers are unrolled: one step of a sequence taken out, the two
products of a cell, the cut of truncated backpropagation, and the states laid side by side again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import LimitError
from app.engine.kernel import Kernel, const, ones
from app.engine.op import Elementwise, Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape

Index = tuple[int, ...]
MOST_STEPS = 512
LETTERS = tuple(
    "".join(letters)
    for length in (1, 2)
    for letters in product(ascii_lowercase, repeat=length)
    if letters not in (("g",), ("y",))
)[:MOST_STEPS]


@dataclass(frozen=True)
class Select(Op):
    """Step `index` of a sequence (N, T, …)."""

    index: int = 0
    name = "select"
    symbol = "x[t]"
    summary = "takes one step out of a sequence"
    formula = r"@y = @x[@t]"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"\operatorname{at}_{@t}(@g)")}
    says = "One step of the sequence is taken out."
    says_back = "The gradient goes back to its own step; the others get nothing from here."
    numpy = "y = x[:, t]"
    numpy_back = "dx = np.zeros_like(x); dx[:, t] = g"
    pytorch = "y = x[:, t]"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"t": (str(self.index), float(self.index))}

    def shape(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        if len(x) < 2 or not 0 <= self.index < x[1]:
            raise self.fail(f"there is no step {self.index}", x)
        return (x[0], *x[2:])

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x[:, self.index], y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        if not k.partial(dx):
            k(np.positive, const(0.0), dx)
        k(np.add, g, const(0.0), self.touched(0, dx))  # 0, not −0, as the rest that others add

    def touched(self, operand: int, grad: Array) -> Array:
        return grad[:, self.index]

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        return [Term((("x", (index[0], self.index, *index[1:])),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        n, t, *rest = index
        return [Term((("g", (n, *rest)),))] if t == self.index else []

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3, 2)), {}), Sample(draw((1, 3, 2)), {"index": 2})]


@dataclass(frozen=True)
class Stack(Op):
    """Arrays of one shape (N, …) as the steps of a sequence (N, T, …)."""

    name = "stack"
    symbol = "[h]"
    summary = "lays steps side by side as a sequence"
    operands = LETTERS
    optional = MOST_STEPS - 1
    formula = r"@y = [@a, \ldots]"
    rules: ClassVar[dict[str, Rule]] = dict.fromkeys(LETTERS, Rule(r"\operatorname{step}(@g)"))
    says = "The steps are laid side by side as a sequence."
    says_back = "Every step gets its own part of the gradient."
    numpy = "y = np.stack((a, b), 1)"
    numpy_back = "da = g[:, 0]; db = g[:, 1]"
    pytorch = "y = torch.stack((a, b), 1)"

    def shape(self, *shapes: Shape) -> Shape:
        if len(shapes) > MOST_STEPS:
            raise LimitError(f"a sequence may have at most {MOST_STEPS} steps: {len(shapes)}")
        if not shapes[0] or any(shape != shapes[0] for shape in shapes):
            raise self.fail("the steps differ in shape", *shapes[:2])
        return (shapes[0][0], len(shapes), *shapes[0][1:])

    def forward(self, k: Kernel, y: Array, *steps: Array) -> None:
        for t, step in enumerate(steps):
            k(np.positive, step, y[:, t])

    def vjp(self, k: Kernel, g: Array, y: Array, *steps_and_grads: Any) -> None:
        grads = steps_and_grads[len(steps_and_grads) // 2 :]
        for t, grad in enumerate(grads):
            k(np.positive, g[:, t], grad)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        n, t, *rest = index
        return [Term(((LETTERS[t], (n, *rest)),))]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        n, *rest = index
        return [Term((("g", (n, LETTERS.index(operand), *rest)),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((1, 2, 2), (1, 2, 2)), {}),
            Sample(draw((2, 1, 2), (2, 1, 2), (2, 1, 2)), {}),
        ]


@dataclass(frozen=True)
class InitialState(Op):
    """Zeros (N, width) for a batch like the operand's."""

    width: int = 1
    name = "initial_state"
    symbol = "0"
    summary = "the state before the first step: zeros"
    formula = r"@y = 0"
    says = "Before the first step the state is 0."
    says_back = "Nothing comes before the first step, so no gradient goes on from here."
    numpy = "y = np.zeros((len(x), width))"
    pytorch = "y = x.new_zeros(len(x), width)"

    def shape(self, *shapes: Shape) -> Shape:
        if not shapes[0] or self.width < 1:
            raise self.fail("the operand needs a batch axis, the state a width", *shapes)
        return (shapes[0][0], self.width)

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, const(0.0), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        """Nothing: no gradient flows."""

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 3)), {"width": 2}), Sample(draw((1, 3, 2)), {})]


@dataclass(frozen=True)
class Detach(Elementwise):
    """The same value, through which no gradient flows: the cut of truncated backpropagation."""

    name = "detach"
    symbol = "✂"
    summary = "passes the value on and lets no gradient back"
    formula = r"@y = @x"
    says = "The value goes on, but for the gradient the past ends here."
    says_back = "No gradient flows back through a cut."
    numpy = "y = x.copy()"
    pytorch = "y = x.detach()"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        """Nothing: no gradient flows."""


@dataclass(frozen=True)
class Recurrent(Op):
    """x·Wᵀ + h·Uᵀ + b + c: what a cell makes of the step's input and of the state before."""

    name = "recurrent"
    symbol = "Wx+Uh"
    summary = "weighs this step's input and the state before, and adds both"
    operands = ("x", "h", "W", "U", "b", "c")
    optional = 2
    formula = r"@y = @x \, {@W}^{\top} + {@h} \, {@U}^{\top} + @b + @c"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \, @W"),
        "h": Rule(r"@g \, @U"),
        "W": Rule(r"{@g}^{\top} @x"),
        "U": Rule(r"{@g}^{\top} @h"),
        "b": Rule(r"\sum_{\text{batch}} @g"),
        "c": Rule(r"\sum_{\text{batch}} @g"),
    }
    says = "The cell weighs what comes in now, weighs what it remembers, and adds both."
    says_back = (
        "The gradient goes back in time through the weights of the state; the same weights serve "
        "every step, so each step adds its contribution to them."
    )
    numpy = "z = x @ W.T + b + h @ U.T + c"
    numpy_back = "dx = g @ W; dh = g @ U; dW = g.T @ x; dU = g.T @ h; db = g.sum(0); dc = g.sum(0)"
    pytorch = "z = F.linear(x, W, b) + F.linear(h, U, c)"

    def shape(self, *shapes: Shape) -> Shape:
        x, h, w, u, *biases = shapes
        if len(x) != 2 or len(w) != 2 or x[1] != w[1]:
            raise self.fail("the input (N, F) and its weight (out, F) do not fit", x, w)
        if len(h) != 2 or len(u) != 2 or h[1] != u[1] or h[0] != x[0] or u[0] != w[0]:
            raise self.fail("the state (N, H) and its weight (out, H) do not fit", h, u)
        if any(bias != (w[0],) for bias in biases):
            raise self.fail("a bias must have one entry for each output", biases[0], w)
        return (x[0], w[0])

    def forward(
        self, k: Kernel, y: Array, x: Array, h: Array, w: Array, u: Array, *biases: Array
    ) -> None:
        now, past = k.scratch(y.shape), k.scratch(y.shape)
        k(np.dot, x, w.T, now)
        k(np.dot, h, u.T, past)
        if len(biases) > 1:
            both = k.scratch(biases[0].shape)
            k(np.add, *biases, both)
            biases = (both,)
        for bias in biases:  # what does not wait for the step before comes first
            k(np.add, now, bias, now)
        k(np.add, past, now, y)

    def vjp(self, k: Kernel, g: Array, y: Array, *rest: Any) -> None:
        half = len(rest) // 2
        x, h, w, u = rest[:4]
        dx, dh, dw, du, *biases = rest[half:]
        k(np.dot, g, w, dx)
        k(np.dot, g, u, dh)
        k(np.dot, g.T, x, dw)
        k(np.dot, g.T, h, du)
        wanted = [bias for bias in biases if bias is not None]
        for bias in wanted[:1]:
            k(np.dot, ones(len(g)), g, bias)
        for bias in wanted[1:]:
            k(np.positive, wanted[0], bias)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        n, o = index
        terms = [Term((("W", (o, i)), ("x", (n, i)))) for i in range(shapes[0][1])]
        terms += [Term((("U", (o, i)), ("h", (n, i)))) for i in range(shapes[1][1])]
        return terms + [Term(((letter, (o,)),)) for letter in "bc"[: len(shapes) - 4]]

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        batch, out = shapes[0][0], shapes[2][0]
        if operand in "xh":
            n, i = index
            weight = "W" if operand == "x" else "U"
            return [Term((("g", (n, o)), (weight, (o, i)))) for o in range(out)]
        if operand in "bc":
            return [Term((("g", (n, index[0])),)) for n in range(batch)]
        o, i = index
        source = "x" if operand == "W" else "h"
        return [Term((("g", (n, o)), (source, (n, i)))) for n in range(batch)]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 3), (2, 2), (4, 3), (4, 2), (4,), (4,)), {}),
            Sample(draw((1, 2), (1, 2), (2, 2), (2, 2)), {}),
        ]
