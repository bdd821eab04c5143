"""The base of all ops. One op, one class: shape rule, forward, vjp, formulas of both, samples,
NumPy and PyTorch line.

The contract of all rules, stated once:

- `shape(*shapes)` gives the output's shape or raises ShapeError.
- `forward(k, y, *operands)` writes the output into y.
- `vjp(k, g, y, *operands, *grads)` writes, for operand i, the vector-Jacobian product of g into
  grads[i], or nothing where grads[i] is None. It must not write into g, y or an operand.
- Both do all their arithmetic through the kernel k, whose last operand is where the call writes.
  Views may be taken freely.

Formulas are LaTeX with `@y`, `@g` and the operands' names as `@a`, `@b`: symbols and numbers are
both put in there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import ShapeError
from app.engine.kernel import Kernel
from app.engine.types import FLOAT, Array, Shape

OPS: dict[str, type[Op]] = {}


@dataclass(frozen=True)
class Rule:
    """The formula of one operand's contribution: in full (`full`), and its local factor alone.

    `local` is the local derivative as a symbol, `worth` the same written with values already
    computed. An empty `local` means that the contribution is no plain product (a matrix product, a
    sum).
    """

    full: str
    local: str = ""
    worth: str = ""


@dataclass(frozen=True)
class Term:
    """One product in a sum: numbers of operands or of g at an index, and a constant factor."""

    factors: tuple[tuple[str, tuple[int, ...]], ...]
    scale: float = 1.0


@dataclass(frozen=True)
class Sample:
    """Operands to try an op on; away from kinks unless `smooth` is False."""

    operands: tuple[Array, ...]
    attrs: dict[str, Any]
    smooth: bool = True


@dataclass(frozen=True)
class Op:
    """A kind of operation; its dataclass fields are its attributes, with their defaults."""

    name: ClassVar[str] = ""
    symbol: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    operands: ClassVar[tuple[str, ...]] = ("x",)
    formula: ClassVar[str] = ""
    rules: ClassVar[dict[str, Rule]] = {}
    worked: ClassVar[str] = ""
    """One entry of the right side, for `places`; the formula itself if empty."""
    worked_at: ClassVar[str] = ""
    """One entry of the right side where means or sums of many entries take part (`measured`)."""
    worked_back: ClassVar[str] = ""
    """The same for the contribution to the first operand."""
    says: ClassVar[str] = ""
    says_back: ClassVar[str] = ""
    numpy: ClassVar[str] = ""
    numpy_back: ClassVar[str] = ""
    pytorch: ClassVar[str] = ""
    elementwise: ClassVar[bool] = False
    dtype: ClassVar[Any] = FLOAT
    is_loss: ClassVar[bool] = False
    optional: ClassVar[int] = 0
    """How many of the last operands may be left out, such as a bias."""
    takes_any_layout: ClassVar[bool] = False
    """Whether operands and grads may lie in memory in any order; else all are row-major."""
    keeps_layout: ClassVar[bool] = False
    """Whether the output lies in memory as the operands do."""
    batch_last: ClassVar[bool] = False
    """Whether the output lies with its batch innermost in memory."""

    def __init_subclass__(cls) -> None:
        if cls.name:
            OPS[cls.name] = cls

    def shape(self, *shapes: Shape) -> Shape:
        raise NotImplementedError

    def workspace(self, *shapes: Shape) -> int:
        """About how many numbers it needs beside operands, output and gradients, where these are
        many: a limit counts them.
        """
        return 0

    def forward(self, k: Kernel, y: Array, *operands: Any, **_: Any) -> None:
        raise NotImplementedError

    def vjp(self, k: Kernel, g: Array, y: Array, *operands_and_grads: Any, **_: Any) -> None:
        raise NotImplementedError

    def differentiable(self, operand: int) -> bool:
        """Whether a gradient flows into this operand."""
        return self.operands[min(operand, len(self.operands) - 1)] in self.rules

    def touched(self, operand: int, grad: Array) -> Array:
        """The view of an operand's gradient outside of which the contribution is 0. An op that has
        one leaves the rest as it is where `k.partial` says so.
        """
        return grad

    def choices(self, operand: int, *shapes: Shape) -> int | None:
        """For an operand of whole numbers: from how many it chooses, counted from 0."""
        return None

    def letters(self, *shapes: Shape) -> dict[str, tuple[str, float]]:
        """Further letters of the formulas, such as @n: how each is written, and its worth."""
        return {}

    def places(self, index: tuple[int, ...], *shapes: Shape) -> dict[str, tuple[int, ...]] | None:
        """For an output made of one entry of each operand: where these entries stand."""
        return None

    def window(self, index: tuple[int, ...], *shapes: Shape) -> list[tuple[int, ...]] | None:
        """For an output that is one of several entries of the operand: where these stand."""
        return None

    def measured(self, x: Array, y: Array, g: Array | None) -> dict[str, Array]:
        """For `worked_at` and `worked_back`: letters whose worth comes from many entries, as arrays
        of the operand's shape.
        """
        return {}

    def element(self, index: tuple[int, ...], *shapes: Shape) -> list[Term] | None:
        """The output's element as a sum of products of operand elements; None where it is no such
        sum.
        """
        return None

    def element_back(
        self, operand: str, index: tuple[int, ...], *shapes: Shape
    ) -> list[Term] | None:
        """The same for a contribution to an operand's element, from elements of g and operands."""
        return None

    @property
    def attrs(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def samples(cls) -> list[Sample]:
        """Default: three shapes of seeded normal draws for every operand."""
        return [Sample(draw(*[shape] * len(cls.operands)), {}) for shape in ((), (3,), (2, 3))]

    def fail(self, why: str, *shapes: Shape) -> ShapeError:
        told = " and ".join(str(shape) for shape in shapes)
        return ShapeError(f"{self.name}: {why}: {told}", where=self.name)


def draw(
    *shapes: Shape, low: float | None = None, high: float = 1.0, seed: int = 7
) -> tuple[Array, ...]:
    """Seeded sample operands: normal draws, or uniform ones from [low, high) when low is given."""
    rng = np.random.default_rng(seed)
    if low is None:
        return tuple(np.asarray(rng.normal(size=shape)) for shape in shapes)
    return tuple(np.asarray(rng.uniform(low, high, size=shape)) for shape in shapes)


class Elementwise(Op):
    """All operands and the output have one shape; each element is computed by itself."""

    elementwise: ClassVar[bool] = True
    takes_any_layout: ClassVar[bool] = True
    keeps_layout: ClassVar[bool] = True

    def shape(self, *shapes: Shape) -> Shape:
        if any(shape != shapes[0] for shape in shapes[1:]):
            raise self.fail("operands differ in shape", *shapes)
        return shapes[0]


def make(name: str, attrs: dict[str, Any] | None = None) -> Op:
    """The op of that name with those attributes."""
    return OPS[name](**(attrs or {}))


def same(shapes: Sequence[Shape]) -> bool:
    return all(shape == shapes[0] for shape in shapes)
