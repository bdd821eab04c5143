"""The gates and states of LSTM and GRU. A gate works on its own part of the sums that were computed
for all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Elementwise, Op, Rule, Sample, draw
from app.engine.ops.activation import sigmoid
from app.engine.types import Array, Shape

Index = tuple[int, ...]


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
    s = k.scratch(y.shape)  # in one piece, which `out` is not
    k(np.subtract, const(1.0), y, s)
    k(np.multiply, s, y, s)
    k(np.multiply, s, g, out)


def _tanh_slope(k: Kernel, g: Array, y: Array, out: Array) -> None:
    s = k.scratch(y.shape)
    k(np.multiply, y, y, s)
    k(np.subtract, const(1.0), s, s)
    k(np.multiply, s, g, out)


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
