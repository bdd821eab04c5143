"""Losses over classes: scores with the classes on the last axis against a class number, or against
a probability for every class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import ShapeError
from app.engine.kernel import Kernel, const
from app.engine.op import Rule, Sample, draw
from app.engine.ops.activation import log_softmax
from app.engine.ops.loss import Loss, entries
from app.engine.types import INT, Array, Shape


class ClassLoss(Loss):
    """Scores with the classes on the last axis; the target is a class number, or a probability for
    every class.
    """

    differs = "always the mean; the classes are the last axis; no class weights, no ignore_index"

    def shape(self, *shapes: Shape) -> Shape:
        p, t = shapes
        if not p or t not in (p, p[:-1]):
            raise ShapeError(
                f"{self.name}: the target must be class numbers {p[:-1]} or probabilities {p}: {t}",
                where=self.name,
            )
        return ()

    def choices(self, operand: int, *shapes: Shape) -> int | None:
        return shapes[0][-1] if operand == 1 else None

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        return {"n": ("n", entries(shapes[0][:-1]))}

    @classmethod
    def samples(cls) -> list[Sample]:
        logits, sequence = draw((4, 3), (2, 3, 4))
        return [
            Sample((logits, np.array([0, 2, 1, 1], INT)), {}),
            Sample((logits, np.full((4, 3), [0.2, 0.5, 0.3])), {}),
            Sample((sequence, np.array([[0, 1, 3], [2, 2, 0]], INT)), {}),
        ]


@lru_cache(maxsize=64)
def _starts(rows: int, classes: int) -> Array:
    """Where each row begins among all entries."""
    return np.arange(0, rows * classes, classes)


def _places(t: Array, classes: int) -> Array:
    """Where each target's entry stands among all entries."""
    found: Array = np.add(_starts(t.size, classes), t.reshape(-1))
    return found


def _pick_classes(logs: Array, t: Array, out: Array) -> None:
    """Minus the mean of the target's log-probability."""
    if t.shape == logs.shape:
        rows = logs.reshape(-1, logs.shape[-1])
        np.copyto(out, -np.sum(rows * t.reshape(rows.shape)) / rows.shape[0])
    else:
        picked = logs.reshape(-1)[_places(t, logs.shape[-1])]
        np.copyto(out, -(np.add.reduce(picked) / picked.size))


def _less_target(shares: Array, t: Array, out: Array) -> None:
    """shares − target, the target as one-hot rows when it is given as class numbers."""
    if t.shape == shares.shape:
        np.subtract(shares, t, out)
    else:
        np.copyto(out, shares)
        out.reshape(-1)[_places(t, out.shape[-1])] -= 1.0


def _samples(p: Array) -> int:
    return max(1, int(p.size) // int(p.shape[-1]))


@dataclass(frozen=True)
class CrossEntropy(ClassLoss):
    """Softmax and cross-entropy in one, from logits, mean over samples:
    `torch.nn.CrossEntropyLoss`.
    """

    name = "cross_entropy"
    summary = "cross-entropy from logits: −ln of the true class's share"
    formula = r"@y = -\frac{1}{@n}\sum @t \, \ln \, \operatorname{softmax}(@p)"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(r"@g \cdot \frac{1}{@n}(\operatorname{softmax}(@p) - @t)")
    }
    says = "Cross-entropy: how surprised the shares are by the true class."
    says_back = "Softmax and cross-entropy together leave just: probabilities − target."
    numpy = "L = -log_softmax(z)[range(n), t].mean()"
    numpy_back = "dz = g * (softmax(z) - onehot(t)) / n"
    pytorch = "L = F.cross_entropy(z, t)"

    def forward(self, k: Kernel, y: Array, p: Array, t: Array) -> None:
        logs = k.save("logs", p.shape)
        log_softmax(k, p, -1, logs)
        k(_pick_classes, logs, t, y)

    def vjp(self, k: Kernel, g: Array, y: Array, p: Array, t: Array, dp: Any, dt: Any) -> None:
        if dp is not None:
            shares = k.scratch(p.shape)
            k(np.exp, k.saved("logs"), shares)
            if t.shape == p.shape:
                total = k.scratch((*p.shape[:-1], 1))
                k(_total_last, t, total)
                k(np.multiply, shares, total, shares)
            k(_less_target, shares, t, dp)
            share = k.scratch(())
            k(np.multiply, g, const(1.0 / _samples(p)), share)
            k(np.multiply, dp, share, dp)


def _total_last(x: Array, out: Array) -> None:
    np.add.reduce(x, axis=-1, keepdims=True, out=out)


def _minus_target(g: Array, t: Array, out: Array) -> None:
    """−g/n at the target, 0 elsewhere."""
    scale = -g / _samples(out)
    if t.shape == out.shape:
        np.multiply(t, scale, out)
    else:
        out.fill(0.0)
        out.reshape(-1)[_places(t, out.shape[-1])] = scale


@dataclass(frozen=True)
class Nll(ClassLoss):
    """Negative log-likelihood of log-probabilities: `torch.nn.NLLLoss`."""

    name = "nll"
    summary = "minus the log-probability of the true class"
    formula = r"@y = -\frac{1}{@n}\sum @t \, @p"
    rules: ClassVar[dict[str, Rule]] = {
        "p": Rule(r"-@g \cdot \frac{1}{@n} @t", r"-\frac{1}{@n} @t")
    }
    says = "The negative log-likelihood of the true class."
    says_back = "Only the true class's log-probability gets a gradient: −1/n."
    numpy = "L = -logp[range(n), t].mean()"
    numpy_back = "dlogp = -g * onehot(t) / n"
    pytorch = "L = F.nll_loss(logp, t)"

    def forward(self, k: Kernel, y: Array, p: Array, t: Array) -> None:
        k(_pick_classes, p, t, y)

    def vjp(self, k: Kernel, g: Array, y: Array, p: Array, t: Array, dp: Any, dt: Any) -> None:
        k(_minus_target, g, t, dp)
