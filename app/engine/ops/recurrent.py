"""The parts of which recurrent layers are unrolled: one step of a sequence taken out, the two
products of a cell, the gates of LSTM and GRU, and the states laid side by side again.
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
from app.engine.ops.activation import sigmoid
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
        if dx is not None:
            k(np.positive, const(0.0), dx)
            k(np.positive, g, dx[:, self.index])

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
        if not biases:
            k(np.add, now, past, y)
            return
        bias = biases[0]
        if len(biases) > 1:
            bias = k.scratch(bias.shape)
            k(np.add, *biases, bias)
        k(np.add, now, past, now)
        k(np.add, now, bias, y)

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


@dataclass(frozen=True)
class Gate(Op):
    """Works on part `part` of `parts` equal parts of the operands' last axis."""

    part: int = 0
    parts: int = 1

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"k": (str(self.part + 1), float(self.part + 1))}

    def shape(self, *shapes: Shape) -> Shape:
        x = shapes[0]
        if not x or x[-1] % self.parts or not 0 <= self.part < self.parts:
            raise self.fail(f"there is no part {self.part} of {self.parts}", x)
        return (*x[:-1], x[-1] // self.parts)

    def cut(self, x: Array) -> Array:
        size = x.shape[-1] // self.parts
        return x[..., self.part * size : (self.part + 1) * size]

    def places(self, index: Index, *shapes: Shape) -> dict[str, Index] | None:
        size = shapes[0][-1] // self.parts
        inside = (*index[:-1], self.part * size + index[-1])
        return dict.fromkeys("xab", inside) | {"r": index}

    def clear(self, k: Kernel, dx: Array | None) -> None:
        """The other parts get nothing from this gate."""
        if dx is not None and self.parts > 1:
            k(np.positive, const(0.0), dx)


def _sigmoid_slope(k: Kernel, g: Array, y: Array, out: Array) -> None:
    k(np.subtract, const(1.0), y, out)
    k(np.multiply, out, y, out)
    k(np.multiply, out, g, out)


def _tanh_slope(k: Kernel, g: Array, y: Array, out: Array) -> None:
    k(np.multiply, y, y, out)
    k(np.subtract, const(1.0), out, out)
    k(np.multiply, out, g, out)


@dataclass(frozen=True)
class LstmGate(Gate):
    name = "lstm_gate"
    symbol = "σ"
    summary = "a gate of an LSTM: the sigmoid of its part of the sums"
    formula = r"@y = \sigma({@x}^{(@k)})"
    worked = r"\sigma(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \odot @y \odot (1 - @y)")}
    says = "A gate between 0 and 1 says how much goes through."
    says_back = "A gate that is nearly open or nearly shut hardly learns: σ′ is close to 0 there."
    numpy = "i = 1 / (1 + np.exp(-z[:, k * H:(k + 1) * H]))"
    numpy_back = "dz = np.zeros_like(z); dz[:, k * H:(k + 1) * H] = g * i * (1 - i)"
    pytorch = "i = torch.sigmoid(z.chunk(parts, -1)[k])"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        sigmoid(k, self.cut(x), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            self.clear(k, dx)
            _sigmoid_slope(k, g, y, self.cut(dx))

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 8)), {"part": 1, "parts": 4}),
            Sample(draw((1, 2, 6)), {"part": 2, "parts": 3}),
        ]


@dataclass(frozen=True)
class LstmCandidate(Gate):
    name = "lstm_candidate"
    symbol = "tanh"
    summary = "what an LSTM would write into its cell: the tanh of its part of the sums"
    formula = r"@y = \tanh({@x}^{(@k)})"
    worked = r"\tanh(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \odot (1 - @y^2)")}
    says = "This is what could be written into the cell."
    says_back = "tanh passes on 1 − tanh² of the gradient."
    numpy = "u = np.tanh(z[:, k * H:(k + 1) * H])"
    numpy_back = "dz = np.zeros_like(z); dz[:, k * H:(k + 1) * H] = g * (1 - u ** 2)"
    pytorch = "u = torch.tanh(z.chunk(parts, -1)[k])"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.tanh, self.cut(x), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            self.clear(k, dx)
            _tanh_slope(k, g, y, self.cut(dx))

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 8)), {"part": 2, "parts": 4})]


@dataclass(frozen=True)
class LstmCell(Elementwise):
    name = "lstm_cell"
    symbol = "f·c+i·u"
    summary = "the cell keeps a share of its old content and takes a share of the new"
    operands = ("f", "c", "i", "u")
    formula = r"@y = @f \odot @c + @i \odot @u"
    rules: ClassVar[dict[str, Rule]] = {
        "f": Rule(r"@g \cdot @c", "@c", "@c"),
        "c": Rule(r"@g \cdot @f", "@f", "@f"),
        "i": Rule(r"@g \cdot @u", "@u", "@u"),
        "u": Rule(r"@g \cdot @i", "@i", "@i"),
    }
    says = "The cell forgets a share of what it held and takes in a share of what is new."
    says_back = (
        "Back in time the cell's gradient is only multiplied by the forget gate: near 1 it passes "
        "almost whole, which is why an LSTM remembers longer."
    )
    numpy = "c2 = f * c + i * u"
    numpy_back = "df = g * c; dc = g * f; di = g * u; du = g * i"
    pytorch = "c2 = f * c + i * u"

    def forward(self, k: Kernel, y: Array, f: Array, c: Array, i: Array, u: Array) -> None:
        new = k.scratch(y.shape)
        k(np.multiply, f, c, y)
        k(np.multiply, i, u, new)
        k(np.add, y, new, y)

    def vjp(self, k: Kernel, g: Array, y: Array, *rest: Any) -> None:
        f, c, i, u, df, dc, di, du = rest
        for other, grad in ((c, df), (f, dc), (u, di), (i, du)):
            k(np.multiply, g, other, grad)


@dataclass(frozen=True)
class LstmHidden(Elementwise):
    name = "lstm_hidden"
    symbol = "o·tanh"
    summary = "what the cell shows of its content"
    operands = ("o", "c")
    formula = r"@y = @o \odot \tanh(@c)"
    rules: ClassVar[dict[str, Rule]] = {
        "o": Rule(r"@g \cdot \tanh(@c)", r"\tanh(@c)"),
        "c": Rule(r"@g \cdot @o \, \tanh'(@c)", r"@o \, \tanh'(@c)"),
    }
    says = "The output gate says how much of the cell is shown."
    says_back = "The gate gets what the cell shows, the cell gets the share that the gate lets out."
    numpy = "h = o * np.tanh(c)"
    numpy_back = "do = g * np.tanh(c); dc = g * o * (1 - np.tanh(c) ** 2)"
    pytorch = "h = o * torch.tanh(c)"

    def forward(self, k: Kernel, y: Array, o: Array, c: Array) -> None:
        bent = k.save("tanh", c.shape)
        k(np.tanh, c, bent)
        k(np.multiply, o, bent, y)

    def vjp(self, k: Kernel, g: Array, y: Array, o: Array, c: Array, do: Any, dc: Any) -> None:
        bent = k.saved("tanh")
        k(np.multiply, g, bent, do)
        if dc is not None:
            _tanh_slope(k, g, bent, dc)
            k(np.multiply, dc, o, dc)


class GruSums(Gate):
    """Operands a (from the input) and b (from the state), of one shape, each in three parts."""

    operands: ClassVar[tuple[str, ...]] = ("a", "b")

    def shape(self, *shapes: Shape) -> Shape:
        out = super().shape(shapes[0])
        if shapes[1] != shapes[0] or any(shape != out for shape in shapes[2:]):
            raise self.fail("the sums differ in shape", *shapes)
        return out


@dataclass(frozen=True)
class GruGate(GruSums):
    name = "gru_gate"
    symbol = "σ"
    summary = "a gate of a GRU: the sigmoid of its part of both sums"
    formula = r"@y = \sigma({@a}^{(@k)} + {@b}^{(@k)})"
    worked = r"\sigma(@a + @b)"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \odot @y \odot (1 - @y)"),
        "b": Rule(r"@g \odot @y \odot (1 - @y)"),
    }
    says = "A gate between 0 and 1, from this step's input and from the state before."
    says_back = "A gate that is nearly open or nearly shut hardly learns: σ′ is close to 0 there."
    numpy = "r = 1 / (1 + np.exp(-(a + b)[:, k * H:(k + 1) * H]))"
    numpy_back = "da = np.zeros_like(a); da[:, k * H:(k + 1) * H] = g * r * (1 - r); db = da"
    pytorch = "r = torch.sigmoid((a + b).chunk(parts, -1)[k])"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        both = k.scratch(y.shape)
        k(np.add, self.cut(a), self.cut(b), both)
        sigmoid(k, both, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        slope = k.scratch(y.shape)
        _sigmoid_slope(k, g, y, slope)
        for grad in (da, db):
            self.clear(k, grad)
            k(np.positive, slope, None if grad is None else self.cut(grad))

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 6), (2, 6)), {"part": 1, "parts": 3})]


@dataclass(frozen=True)
class GruCandidate(GruSums):
    name = "gru_candidate"
    symbol = "tanh"
    summary = "what a GRU would remember: the state enters as far as the reset gate lets it"
    operands = ("a", "b", "r")
    formula = r"@y = \tanh({@a}^{(@k)} + @r \odot {@b}^{(@k)})"
    worked = r"\tanh(@a + @r \cdot @b)"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \odot (1 - @y^2)"),
        "b": Rule(r"@g \odot (1 - @y^2) \odot @r"),
        "r": Rule(r"@g \odot (1 - @y^2) \odot {@b}^{(@k)}"),
    }
    says = "This could be remembered; the reset gate says how much of the past goes into it."
    says_back = "The past gets its gradient only as far as the reset gate is open."
    numpy = "n = np.tanh(a[:, k * H:(k + 1) * H] + r * b[:, k * H:(k + 1) * H])"
    numpy_back = (
        "s = slice(k * H, (k + 1) * H); da = np.zeros_like(a); da[:, s] = g * (1 - n ** 2); "
        "db = np.zeros_like(b); db[:, s] = da[:, s] * r; dr = da[:, s] * b[:, s]"
    )
    pytorch = "n = torch.tanh(a.chunk(parts, -1)[k] + r * b.chunk(parts, -1)[k])"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array, r: Array) -> None:
        both = k.scratch(y.shape)
        k(np.multiply, r, self.cut(b), both)
        k(np.add, both, self.cut(a), both)
        k(np.tanh, both, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, r: Array, *grads: Any) -> None:
        da, db, dr = grads
        slope = k.scratch(y.shape)
        _tanh_slope(k, g, y, slope)
        self.clear(k, da)
        self.clear(k, db)
        k(np.positive, slope, None if da is None else self.cut(da))
        k(np.multiply, slope, r, None if db is None else self.cut(db))
        k(np.multiply, slope, self.cut(b), dr)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((2, 6), (2, 6), (2, 2)), {"part": 2, "parts": 3})]


@dataclass(frozen=True)
class GruState(Elementwise):
    name = "gru_state"
    symbol = "(1−z)n+zh"
    summary = "mixes the new and the old state"
    operands = ("z", "n", "h")
    formula = r"@y = (1 - @z) \odot @n + @z \odot @h"
    rules: ClassVar[dict[str, Rule]] = {
        "z": Rule(r"@g \cdot (@h - @n)", r"(@h - @n)", r"@h - @n"),
        "n": Rule(r"@g \cdot (1 - @z)", r"(1 - @z)", r"1 - @z"),
        "h": Rule(r"@g \cdot @z", "@z", "@z"),
    }
    says = "The update gate mixes: what it does not keep of the old state comes from the new."
    says_back = (
        "Back in time the gradient is multiplied by the update gate: near 1 it passes whole."
    )
    numpy = "y = (1 - z) * n + z * h"
    numpy_back = "dz = g * (h - n); dn = g * (1 - z); dh = g * z"
    pytorch = "y = (1 - z) * n + z * h"

    def forward(self, k: Kernel, y: Array, z: Array, n: Array, h: Array) -> None:
        s = k.scratch(y.shape)
        k(np.subtract, const(1.0), z, s)
        k(np.multiply, s, n, s)
        k(np.multiply, z, h, y)
        k(np.add, s, y, y)

    def vjp(self, k: Kernel, g: Array, y: Array, *rest: Any) -> None:
        z, n, h, dz, dn, dh = rest
        if dz is not None:
            k(np.subtract, h, n, dz)
            k(np.multiply, dz, g, dz)
        if dn is not None:
            k(np.subtract, const(1.0), z, dn)
            k(np.multiply, dn, g, dn)
        k(np.multiply, g, z, dh)
