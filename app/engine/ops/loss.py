"""Losses: from a prediction and a target to one number. The guides use three squared errors; each
has its own name here.

The gradient flows into the prediction only. `n` is the number of entries that a mean divides by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Op, Rule, Sample, draw
from app.engine.ops.activation import sigmoid
from app.engine.types import Array, Shape


@dataclass(frozen=True)
class Loss(Op):
    """Prediction p and target t of one shape give a number."""

    operands = ("p", "t")
    symbol = "L"
    differs = "no weights, and no other reduction than its name says"
    is_loss = True
    each_term: ClassVar[str] = ""
    """One entry's share of the sum in `formula`, for writing the sum out."""

    def shape(self, *shapes: Shape) -> Shape:
        p, t = shapes
        if p != t:
            raise self.fail("the prediction's shape is not the target's", p, t)
        return ()

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw(s, s), {}) for s in ((1,), (2, 3), (4, 1))]


@dataclass(frozen=True)
class SquaredErrorBase(Loss):
    """factor · Σ (p − t)²; the difference is kept for the backward pass."""

    says = "The loss: how far the prediction is from the target, squared."
    says_back = "The gradient is proportional to the error: prediction minus target."

    each_term = "(@p - @t)^2"

    def factor(self, shape: Shape) -> float:
        raise NotImplementedError

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", entries(shapes[0]))}

    def forward(self, k: Kernel, y: Array, p: Array, t: Array) -> None:
        d = k.save("difference", p.shape)
        k(np.subtract, p, t, d)
        if self.factor(p.shape) == 1.0:
            k(np.dot, d.reshape(-1), d.reshape(-1), y)
        else:
            s = k.scratch(())
            k(np.dot, d.reshape(-1), d.reshape(-1), s)
            k(np.multiply, s, const(self.factor(p.shape)), y)

    def vjp(self, k: Kernel, g: Array, y: Array, p: Array, t: Array, dp: Any, dt: Any) -> None:
        if dp is not None:
            share = k.scratch(())
            k(np.multiply, g, const(2.0 * self.factor(p.shape)), share)
            k(np.multiply, k.saved("difference"), share, dp)


@dataclass(frozen=True)
class Mse(SquaredErrorBase):
    """Mean over all entries, as `torch.nn.MSELoss` (guides 001 and 003)."""

    name = "mse"
    summary = "mean squared error: the mean of (prediction − target)² over all entries"
    formula = r"@y = \frac{1}{@n}\sum (@p - @t)^2"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(
            r"@g \cdot \frac{2}{@n}(@p - @t)", r"\frac{2}{@n}(@p - @t)", r"\frac{2}{@n}(@p - @t)"
        )
    }
    numpy = "L = np.mean((p - t) ** 2)"
    numpy_back = "dp = g * 2 * (p - t) / p.size"
    pytorch = "L = F.mse_loss(p, t)"

    def factor(self, shape: Shape) -> float:
        return 1.0 / entries(shape)


@dataclass(frozen=True)
class HalfSquaredError(SquaredErrorBase):
    """½ Σ over a sample's entries, mean over the batch (guides 000 and 002)."""

    name = "half_squared_error"
    summary = "½ (prediction − target)², summed over a sample, averaged over the batch"
    formula = r"@y = \frac{1}{2 \cdot @n}\sum (@p - @t)^2"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(
            r"@g \cdot \frac{1}{@n}(@p - @t)", r"\frac{1}{@n}(@p - @t)", r"\frac{1}{@n}(@p - @t)"
        )
    }
    numpy = "L = 0.5 * np.sum((p - t) ** 2) / batch"
    numpy_back = "dp = g * (p - t) / batch"
    pytorch = "L = 0.5 * ((p - t) ** 2).sum() / batch"

    def factor(self, shape: Shape) -> float:
        return 0.5 / self.letters(shape)["n"][1]

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", float(max(1, shapes[0][0] if shapes[0] else 1)))}


@dataclass(frozen=True)
class SquaredError(SquaredErrorBase):
    """Σ over all entries, no factor (guide 004)."""

    name = "squared_error"
    summary = "(prediction − target)², summed over all entries"
    formula = r"@y = \sum (@p - @t)^2"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(r"@g \cdot 2(@p - @t)", "2(@p - @t)", "2(@p - @t)")
    }
    numpy = "L = np.sum((p - t) ** 2)"
    numpy_back = "dp = g * 2 * (p - t)"
    pytorch = 'L = F.mse_loss(p, t, reduction="sum")'

    def factor(self, shape: Shape) -> float:
        return 1.0


def entries(shape: Shape) -> float:
    return float(max(1, int(np.prod(shape))))


def _average(x: Array, out: Array) -> None:
    """What `np.mean` computes, without its preparations, which take three times as long."""
    np.add.reduce(x, None, None, out)  # type: ignore[call-overload]  # the stubs know no array here
    np.divide(out, x.size, out)


@dataclass(frozen=True)
class MeanLoss(Loss):
    """The mean over all entries of a loss given entry by entry (`each`) with its derivative
    (`slope`).
    """

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", entries(shapes[0]))}

    def each(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        raise NotImplementedError

    def slope(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        raise NotImplementedError

    def forward(self, k: Kernel, y: Array, p: Array, t: Array) -> None:
        entries = k.scratch(p.shape)
        self.each(k, p, t, entries)
        k(_average, entries, y)

    def vjp(self, k: Kernel, g: Array, y: Array, p: Array, t: Array, dp: Any, dt: Any) -> None:
        if dp is not None:
            share = k.scratch(())
            k(np.multiply, g, const(1.0 / max(1, p.size)), share)
            self.slope(k, p, t, dp)
            k(np.multiply, dp, share, dp)


@dataclass(frozen=True)
class Mae(MeanLoss):
    """`torch.nn.L1Loss`; at 0 the derivative is taken to be 0."""

    name = "mae"
    each_term = "|@p - @t|"
    summary = "mean absolute error: the mean of |prediction − target|"
    formula = r"@y = \frac{1}{@n}\sum |@p - @t|"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(
            r"@g \cdot \frac{1}{@n}\operatorname{sign}(@p - @t)",
            r"\frac{1}{@n}\operatorname{sign}(@p - @t)",
        )
    }
    says = "The loss: how far the prediction is from the target."
    says_back = "The gradient only says the direction of the error, not its size."
    numpy = "L = np.mean(np.abs(p - t))"
    numpy_back = "dp = g * np.sign(p - t) / p.size"
    pytorch = "L = F.l1_loss(p, t)"

    def each(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        k(np.subtract, p, t, out)
        k(np.absolute, out, out)

    def slope(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        k(np.subtract, p, t, out)
        k(np.sign, out, out)


@dataclass(frozen=True)
class Huber(MeanLoss):
    """Squared near 0, straight beyond `delta` (Huber 1964; `torch.nn.HuberLoss`)."""

    delta: float = 1.0
    name = "huber"
    each_term = r"\operatorname{huber}(@p - @t)"
    summary = "squared error near 0, absolute error beyond delta"
    formula = r"@y = \frac{1}{@n}\sum \operatorname{huber}(@p - @t)"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(
            r"@g \cdot \frac{1}{@n}\operatorname{clip}(@p - @t, -@delta, @delta)",
            r"\frac{1}{@n}\operatorname{clip}(@p - @t, -@delta, @delta)",
        )
    }
    says = "The Huber loss: squared for small errors, straight for large ones."
    says_back = "The gradient is the error, held between −δ and δ."
    numpy = (
        "d = np.abs(p - t); L = np.mean(np.where(d <= delta, d**2 / 2, delta * (d - delta / 2)))"
    )
    numpy_back = "dp = g * np.clip(p - t, -delta, delta) / p.size"
    pytorch = "L = F.huber_loss(p, t, delta=delta)"

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {**super().letters(*shapes), "delta": (r"\delta", self.delta)}

    def each(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        near = k.scratch(p.shape)
        k(np.subtract, p, t, out)
        k(np.absolute, out, out)
        k(np.minimum, out, const(self.delta), near)
        k(np.subtract, out, near, out)
        k(np.multiply, out, const(self.delta), out)
        k(np.multiply, near, near, near)
        k(np.multiply, near, const(0.5), near)
        k(np.add, out, near, out)

    def slope(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        k(np.subtract, p, t, out)
        k(np.minimum, out, const(self.delta), out)
        k(np.maximum, out, const(-self.delta), out)


def _clamped_log(x: Array, out: Array) -> None:
    """ln x, but not below −100: `torch.nn.BCELoss` does so to stay finite."""
    np.log(x, out)
    np.maximum(out, -100.0, out=out)


def _clamped_log1p(x: Array, out: Array) -> None:
    """ln(1 + x), exact for tiny x, held at −100 as well."""
    np.log1p(x, out)
    np.maximum(out, -100.0, out=out)


_LEAST_SPREAD = float(np.float32(1e-12))
"""PyTorch's EPSILON in the backward of BCELoss, kept there as a 32-bit number."""


@dataclass(frozen=True)
class Bce(MeanLoss):
    """Binary cross-entropy from probabilities, `torch.nn.BCELoss`: logarithms are held at −100."""

    name = "bce"
    each_term = r"-\left[ @t \ln @p + (1 - @t) \ln (1 - @p) \right]"
    summary = "binary cross-entropy from probabilities"
    formula = r"@y = -\frac{1}{@n}\sum \left[ @t \ln @p + (1 - @t) \ln (1 - @p) \right]"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(
            r"@g \cdot \frac{1}{@n} \frac{@p - @t}{@p (1 - @p)}",
            r"\frac{1}{@n} \frac{@p - @t}{@p (1 - @p)}",
            r"\frac{1}{@n} \frac{@p - @t}{@p (1 - @p)}",
        )
    }
    says = "Binary cross-entropy: the surprise at the true answer, given this probability."
    says_back = "The gradient is (p − t) / (p (1 − p)): steep when a confident answer is wrong."
    numpy = "L = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))"
    numpy_back = "dp = g * (p - t) / (p * (1 - p)) / p.size"
    pytorch = "L = F.binary_cross_entropy(p, t)"

    def each(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        rest, part = k.scratch(p.shape), k.scratch(p.shape)
        k(_clamped_log, p, out)
        k(np.multiply, out, t, out)
        k(np.negative, p, rest)
        k(_clamped_log1p, rest, rest)
        k(np.subtract, const(1.0), t, part)
        k(np.multiply, rest, part, rest)
        k(np.add, out, rest, out)
        k(np.negative, out, out)

    def slope(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        spread = k.scratch(p.shape)
        k(np.subtract, const(1.0), p, spread)
        k(np.multiply, spread, p, spread)
        k(np.maximum, spread, const(_LEAST_SPREAD), spread)
        k(np.subtract, p, t, out)
        k(np.divide, out, spread, out)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample((draw(s, low=0.1, high=0.9)[0], draw(s, low=0, seed=3)[0].round()), {})
            for s in ((1,), (2, 3), (4, 1))
        ]


@dataclass(frozen=True)
class BceWithLogits(MeanLoss):
    """Binary cross-entropy from a logit: max(z, 0) − z·t + ln(1 + e^−|z|) never overflows."""

    name = "bce_with_logits"
    each_term = r"\left[ \ln(1 + e^{@p}) - @t \, @p \right]"
    summary = "binary cross-entropy from logits, numerically safe"
    formula = r"@y = \frac{1}{@n}\sum \left[ \ln(1 + e^{@p}) - @t \, @p \right]"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(r"@g \cdot \frac{1}{@n}(\sigma(@p) - @t)", r"\frac{1}{@n}(\sigma(@p) - @t)")
    }
    says = "Sigmoid and binary cross-entropy in one, in a form that cannot overflow."
    says_back = "Sigmoid and cross-entropy together leave just: probability − target."
    numpy = "L = np.mean(np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))))"
    numpy_back = "dz = g * (1 / (1 + np.exp(-z)) - t) / z.size"
    pytorch = "L = F.binary_cross_entropy_with_logits(z, t)"

    def each(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        rest, part = k.scratch(p.shape), k.scratch(p.shape)
        k(np.absolute, p, out)
        k(np.negative, out, out)
        k(np.exp, out, out)
        k(np.log1p, out, out)
        k(np.maximum, p, const(0.0), rest)
        k(np.multiply, p, t, part)
        k(
            np.subtract, rest, part, rest
        )  # first what is large, so that a tiny loss is not lost in it
        k(np.add, out, rest, out)

    def slope(self, k: Kernel, p: Array, t: Array, out: Array) -> None:
        sigmoid(k, p, out)
        k(np.subtract, out, t, out)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample((draw(s)[0], draw(s, low=0, seed=3)[0].round()), {})
            for s in ((1,), (2, 3), (4, 1))
        ]
