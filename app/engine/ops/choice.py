"""Ops that choose: the larger, the smaller, one of two by a condition; and the comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Elementwise, Rule, Sample, draw
from app.engine.types import Array


@dataclass(frozen=True)
class Extremum(Elementwise):
    """What maximum and minimum share: the winner gets the gradient, a tie gives half to each, as in
    PyTorch.
    """

    operands = ("a", "b")
    says_back = "Only the winner gets the gradient; at a tie each gets half."

    def _route(self, k: Kernel, g: Array, a: Array, b: Array, wins: Any, da: Any, db: Any) -> None:
        for mine, other, grad in ((a, b, da), (b, a, db)):
            if grad is not None:
                k(_share, wins, mine, other, grad)
                k(np.multiply, grad, g, grad)


def _share(wins: Any, mine: Array, other: Array, out: Array) -> None:
    """1 where mine wins, a half at a tie, 0 elsewhere."""
    np.multiply(wins(mine, other), 1.0, out)
    np.copyto(out, 0.5, where=mine == other)


@dataclass(frozen=True)
class Maximum(Extremum):
    name = "maximum"
    symbol = "max"
    summary = "keeps the larger of two values"
    formula = r"@y = \max(@a, @b)"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot [@a > @b]", "[@a > @b]", ""),
        "b": Rule(r"@g \cdot [@b > @a]", "[@b > @a]", ""),
    }
    says = "The larger of the two goes on."
    numpy = "y = np.maximum(a, b)"
    numpy_back = "da = g * (a > b); db = g * (b > a)  # half each at a tie"
    pytorch = "y = torch.maximum(a, b)"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.maximum, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        self._route(k, g, a, b, np.greater, da, db)


@dataclass(frozen=True)
class Minimum(Extremum):
    name = "minimum"
    symbol = "min"
    summary = "keeps the smaller of two values"
    formula = r"@y = \min(@a, @b)"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot [@a < @b]", "[@a < @b]", ""),
        "b": Rule(r"@g \cdot [@b < @a]", "[@b < @a]", ""),
    }
    says = "The smaller of the two goes on."
    numpy = "y = np.minimum(a, b)"
    numpy_back = "da = g * (a < b); db = g * (b < a)  # half each at a tie"
    pytorch = "y = torch.minimum(a, b)"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.minimum, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        self._route(k, g, a, b, np.less, da, db)


@dataclass(frozen=True)
class Where(Elementwise):
    name = "where"
    symbol = "?:"
    summary = "keeps a where the condition is not 0, else b"
    operands = ("condition", "a", "b")
    formula = r"@y = @a \text{ if } @condition \text{ else } @b"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot [@condition \neq 0]", r"[@condition \neq 0]", ""),
        "b": Rule(r"@g \cdot [@condition = 0]", "[@condition = 0]", ""),
    }
    says = "A choice: the condition says which value goes on."
    says_back = "Only the chosen branch gets the gradient; the condition itself gets none."
    numpy = "y = np.where(c, a, b)"
    numpy_back = "da = np.where(c, g, 0); db = np.where(c, 0, g)"
    pytorch = "y = torch.where(c != 0, a, b)"

    def forward(self, k: Kernel, y: Array, condition: Array, a: Array, b: Array) -> None:
        k(_choose, condition, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, condition: Array, *rest: Any) -> None:
        *_, da, db = rest
        k(_choose, condition, g, const(0.0), da)
        k(_choose, condition, const(0.0), g, db)

    @classmethod
    def samples(cls) -> list[Sample]:
        flags = np.array([1.0, 0.0, 1.0])
        return [Sample((flags, *draw((3,), (3,))), {})]


def _choose(condition: Array, a: Array, b: Array, out: Array) -> None:
    np.copyto(out, np.where(condition != 0, a, b))


@dataclass(frozen=True)
class Compare(Elementwise):
    """Comparisons give 1 or 0 and pass on no gradient: a step has slope 0 wherever it has one."""

    operands = ("a", "b")
    says = "A comparison: 1 where it holds, 0 where not."
    says_back = "A comparison is flat: no gradient flows through it."

    def vjp(self, k: Kernel, g: Array, y: Array, *rest: Any) -> None:
        """No operand is differentiable."""


@dataclass(frozen=True)
class Greater(Compare):
    name = "greater"
    symbol = ">"
    summary = "1 where a > b, else 0"
    formula = r"@y = [@a > @b]"
    numpy = "y = (a > b).astype(float)"
    pytorch = "y = (a > b).to(a.dtype)"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.greater, a, b, y)


@dataclass(frozen=True)
class Less(Compare):
    name = "less"
    symbol = "<"
    summary = "1 where a < b, else 0"
    formula = r"@y = [@a < @b]"
    numpy = "y = (a < b).astype(float)"
    pytorch = "y = (a < b).to(a.dtype)"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.less, a, b, y)
