"""Activations: the bends between linear maps, and softmax, which turns scores into shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const, zeros
from app.engine.op import Elementwise, Op, Rule, Sample, draw
from app.engine.types import Array, Shape

_erf = np.frompyfunc(math.erf, 1, 1)


class Activation(Elementwise):
    """One operand x; the page draws its curve with the tangent at the current point."""


@dataclass(frozen=True)
class Relu(Activation):
    """At 0 the derivative is taken to be 0."""

    name = "relu"
    symbol = "ReLU"
    summary = "keeps what is positive, makes the rest 0"
    formula = r"@y = \max(0, @x)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \operatorname{ReLU}'(@x)", r"\operatorname{ReLU}'(@x)", "")
    }
    says = "ReLU lets positive values through and turns the rest into 0."
    says_back = (
        "ReLU passes the gradient on whole where its input was positive, and nothing elsewhere. "
        "At 0 the derivative is taken to be 0."
    )
    numpy = "a = np.maximum(0, z)"
    numpy_back = "dz = g * (z > 0)"
    pytorch = "a = F.relu(z)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.maximum, x, zeros(x), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.greater, x, const(0.0), dx)
        k(np.multiply, dx, g, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [*super().samples(), Sample((np.array([-1.0, 0.0, 2.0]),), {}, smooth=False)]


@dataclass(frozen=True)
class LeakyRelu(Activation):
    negative_slope: float = 0.01
    name = "leaky_relu"
    symbol = "LReLU"
    summary = "like ReLU, but a small slope is left for negative values"
    formula = r"@y = \max(0, @x) + @alpha \min(0, @x)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \operatorname{LReLU}'(@x)", r"\operatorname{LReLU}'(@x)", "")
    }
    says = "Leaky ReLU: positive values pass, negative ones are only made small."
    says_back = (
        "Leaky ReLU never blocks the gradient: for negative inputs a small share gets through."
    )
    numpy = "a = np.where(z > 0, z, alpha * z)"
    numpy_back = "dz = g * np.where(z > 0, 1, alpha)"
    pytorch = "a = F.leaky_relu(z, alpha)"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"alpha": (r"\alpha", self.negative_slope)}

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        low = k.scratch(x.shape)
        k(np.minimum, x, const(0.0), low)
        k(np.multiply, low, const(self.negative_slope), low)
        k(np.maximum, x, const(0.0), y)
        k(np.add, y, low, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.greater, x, const(0.0), dx)
        k(np.multiply, dx, const(1.0 - self.negative_slope), dx)
        k(np.add, dx, const(self.negative_slope), dx)
        k(np.multiply, dx, g, dx)


@dataclass(frozen=True)
class Elu(Activation):
    alpha: float = 1.0
    name = "elu"
    symbol = "ELU"
    summary = "like ReLU, but bends smoothly to −alpha for negative values"
    formula = r"@y = \max(0, @x) + @alpha \, (e^{\min(0, @x)} - 1)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \operatorname{ELU}'(@x)", r"\operatorname{ELU}'(@x)", "")
    }
    says = "ELU: positive values pass, negative ones bend smoothly towards −α."
    says_back = "ELU keeps a gradient for negative inputs too: α·eᶻ."
    numpy = "a = np.where(z > 0, z, alpha * np.expm1(z))"
    numpy_back = "dz = g * np.where(z > 0, 1, alpha * np.exp(z))"
    pytorch = "a = F.elu(z, alpha)"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"alpha": (r"\alpha", self.alpha)}

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        low = k.scratch(x.shape)
        k(np.minimum, x, const(0.0), low)
        k(np.expm1, low, low)
        k(np.multiply, low, const(self.alpha), low)
        k(np.maximum, x, const(0.0), y)
        k(np.add, y, low, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        slope = k.scratch(x.shape)
        k(np.minimum, x, const(0.0), slope)
        k(np.exp, slope, slope)
        k(np.multiply, slope, const(self.alpha), slope)
        k(np.greater, x, const(0.0), dx)
        k(_pick, dx, slope, dx)
        k(np.multiply, dx, g, dx)


def _pick(positive: Array, slope: Array, out: Array) -> None:
    """1 where the flag is 1, else the slope."""
    np.copyto(out, np.where(positive > 0, 1.0, slope))


@dataclass(frozen=True)
class Softplus(Activation):
    name = "softplus"
    symbol = "sp"
    summary = "a smooth ReLU: ln(1 + eˣ)"
    formula = r"@y = \ln(1 + e^{@x})"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot \sigma(@x)", r"\sigma(@x)", "")}
    says = "Softplus is a ReLU with a round corner."
    says_back = "Softplus has the sigmoid as its local derivative."
    numpy = "a = np.logaddexp(0, z)"
    numpy_back = "dz = g / (1 + np.exp(-z))"
    pytorch = "a = F.softplus(z)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.logaddexp, x, const(0.0), y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        sigmoid(k, x, dx)
        k(np.multiply, dx, g, dx)


def sigmoid(k: Kernel, x: Array, y: Any) -> None:
    """1 / (1 + e⁻ˣ); for very negative x the exponential is infinite and the result 0, as it should
    be.
    """
    if y is None:
        return
    s = k.scratch(x.shape)
    k(np.negative, x, s)
    k(np.exp, s, y)
    k(np.add, y, const(1.0), s)
    k(np.reciprocal, s, y)


@dataclass(frozen=True)
class Sigmoid(Activation):
    name = "sigmoid"
    symbol = "σ"
    summary = "squeezes any value between 0 and 1"
    formula = r"@y = \sigma(@x)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \sigma'(@x)", r"\sigma'(@x)", r"@y \, (1 - @y)")
    }
    says = "The sigmoid squeezes its input to a value between 0 and 1."
    says_back = "The sigmoid passes on only σ(z)(1 − σ(z)) of the gradient: at most a quarter."
    numpy = "a = 1 / (1 + np.exp(-z))"
    numpy_back = "dz = g * a * (1 - a)"
    pytorch = "a = torch.sigmoid(z)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        sigmoid(k, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            s = k.scratch(x.shape)
            k(np.subtract, const(1.0), y, dx)
            k(np.multiply, dx, y, s)
            k(np.multiply, s, g, dx)


@dataclass(frozen=True)
class Tanh(Activation):
    name = "tanh"
    symbol = "tanh"
    summary = "squeezes any value between −1 and 1"
    formula = r"@y = \tanh(@x)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \tanh'(@x)", r"\tanh'(@x)", "1 - @y^2")
    }
    says = "tanh squeezes its input to a value between −1 and 1."
    says_back = "tanh passes on 1 − tanh² of the gradient: all of it at 0, almost nothing far out."
    numpy = "a = np.tanh(z)"
    numpy_back = "dz = g * (1 - a ** 2)"
    pytorch = "a = torch.tanh(z)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.tanh, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            s = k.scratch(x.shape)
            k(np.multiply, y, y, dx)
            k(np.subtract, const(1.0), dx, s)
            k(np.multiply, s, g, dx)


@dataclass(frozen=True)
class Gelu(Activation):
    """x·Φ(x), Φ the normal distribution (Hendrycks & Gimpel 2016), or its tanh form as PyTorch's
    `approximate="tanh"`.
    """

    approximate: str = "none"
    name = "gelu"
    symbol = "GELU"
    summary = "weights the value by how likely a normal draw lies below it"
    formula = r"@y = @x \, \Phi(@x)"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \operatorname{GELU}'(@x)", r"\operatorname{GELU}'(@x)", "")
    }
    says = "GELU: a smooth gate, nearly ReLU far out, with a dip below 0."
    says_back = "GELU's local derivative is Φ(z) + z·φ(z): the gate, and how the gate itself moves."
    numpy = "a = z * 0.5 * (1 + erf(z / np.sqrt(2)))"
    numpy_back = "dz = g * (Phi(z) + z * phi(z))"
    pytorch = "a = F.gelu(z)"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(_gelu_tanh if self.approximate == "tanh" else _gelu, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(_gelu_tanh_slope if self.approximate == "tanh" else _gelu_slope, x, dx)
        k(np.multiply, dx, g, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [*super().samples(), Sample(draw((2, 3)), {"approximate": "tanh"})]


def _phi_total(x: Array) -> Array:
    """The normal distribution function."""
    return np.asarray(0.5 * (1.0 + np.asarray(_erf(x / math.sqrt(2.0)), np.float64)))


def _gelu(x: Array, out: Array) -> None:
    np.multiply(x, _phi_total(x), out)


def _gelu_slope(x: Array, out: Array) -> None:
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    np.add(_phi_total(x), x * density, out)


_ROOT = math.sqrt(2.0 / math.pi)


def _gelu_tanh(x: Array, out: Array) -> None:
    np.multiply(0.5 * x, 1.0 + np.tanh(_ROOT * (x + 0.044715 * x**3)), out)


def _gelu_tanh_slope(x: Array, out: Array) -> None:
    t = np.tanh(_ROOT * (x + 0.044715 * x**3))
    np.add(0.5 * (1.0 + t), 0.5 * x * (1.0 - t * t) * _ROOT * (1.0 + 3 * 0.044715 * x * x), out)


@dataclass(frozen=True)
class Softmax(Op):
    """Along one axis: eˣ over the sum of eˣ, shifted by the maximum so that nothing overflows."""

    dim: int = -1
    name = "softmax"
    symbol = "softmax"
    summary = "turns scores into shares that add up to 1"
    formula = r"@y = \operatorname{softmax}(@x)"
    worked_at = r"\frac{e^{@x}}{@s}"
    worked_back = r"@y (@g - @t)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@y \odot (@g - \textstyle\sum @g \odot @y)")}
    says = "Softmax turns scores into shares that add up to 1."
    says_back = (
        "What one share gains the others lose: "
        "each score gets its share times (its gradient − the average)."
    )
    numpy = "e = np.exp(z - z.max(-1, keepdims=True)); p = e / e.sum(-1, keepdims=True)"
    numpy_back = "dz = p * (g - (g * p).sum(-1, keepdims=True))"
    pytorch = "p = F.softmax(z, dim=-1)"

    def measured(self, x: Array, y: Array, g: Array | None) -> dict[str, Array]:
        """s = Σ eˣ along the axis, t = Σ g · y."""
        with np.errstate(all="ignore"):
            found = {"s": np.exp(x).sum(self.dim, keepdims=True)}
        if g is not None:
            found["t"] = self._pulled(g, y).sum(self.dim, keepdims=True)
        return {letter: np.broadcast_to(worth, x.shape) for letter, worth in found.items()}

    @staticmethod
    def _pulled(g: Array, y: Array) -> Array:
        return np.asarray(g * y)

    def shape(self, *shapes: Shape) -> Shape:
        (shape,) = shapes
        if not -len(shape) <= self.dim < len(shape):
            raise self.fail(f"there is no axis {self.dim}", shape)
        return shape

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        peak = k.scratch(_kept(x.shape, self.dim))
        k(peak_of, x, self.dim, peak)
        k(np.subtract, x, peak, y)
        k(np.exp, y, y)
        k(total_of, y, self.dim, peak)
        k(np.divide, y, peak, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        total = k.scratch(_kept(x.shape, self.dim))
        k(np.multiply, g, y, dx)
        k(total_of, dx, self.dim, total)
        k(np.subtract, g, total, dx)
        k(np.multiply, dx, y, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw((3,)), {}), Sample(draw((2, 3)), {}), Sample(draw((2, 3)), {"dim": 0})]


@dataclass(frozen=True)
class LogSoftmax(Softmax):
    """x − max − ln Σ e^(x − max): the logarithm of softmax; no vanishing share is ever formed."""

    name = "log_softmax"
    symbol = "log softmax"
    summary = "the logarithm of softmax, computed safely"
    formula = r"@y = @x - \ln \textstyle\sum e^{@x}"
    worked_at = r"@x - \ln @s"
    worked_back = r"@g - e^{@y} \cdot @t"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g - e^{@y} \textstyle\sum @g")}
    says = "The logarithm of the shares, computed without over- or underflow."
    says_back = "Each score gets its gradient minus its share of the sum of all gradients."
    numpy = "y = z - z.max() - np.log(np.exp(z - z.max()).sum(-1, keepdims=True))"
    numpy_back = "dz = g - np.exp(y) * g.sum(-1, keepdims=True)"
    pytorch = "y = F.log_softmax(z, dim=-1)"

    @staticmethod
    def _pulled(g: Array, y: Array) -> Array:
        """t = Σ g."""
        return g

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        log_softmax(k, x, self.dim, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is None:
            return
        total = k.scratch(_kept(x.shape, self.dim))
        k(total_of, g, self.dim, total)
        k(np.exp, y, dx)
        k(np.multiply, dx, total, dx)
        k(np.subtract, g, dx, dx)


def log_softmax(k: Kernel, x: Array, dim: int, y: Array) -> None:
    """The kernel that log_softmax and cross_entropy share."""
    peak, shares = k.scratch(_kept(x.shape, dim)), k.scratch(x.shape)
    k(peak_of, x, dim, peak)
    k(np.subtract, x, peak, y)
    k(np.exp, y, shares)
    k(total_of, shares, dim, peak)
    k(np.log, peak, peak)
    k(np.subtract, y, peak, y)


def _kept(shape: Shape, dim: int) -> Shape:
    axis = dim % len(shape)
    return (*shape[:axis], 1, *shape[axis + 1 :])


def peak_of(x: Array, axis: int, out: Array) -> None:
    np.maximum.reduce(x, axis=axis, keepdims=True, out=out)


def total_of(x: Array, axis: int, out: Array) -> None:
    np.add.reduce(x, axis=axis, keepdims=True, out=out)
