"""The checks themselves: ops broken on purpose must not pass them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from app.engine.kernel import Kernel, const
from app.engine.op import OPS, Op, Term
from app.engine.ops.arithmetic import Mul
from app.engine.ops.matrix import Linear, Matmul
from app.engine.ops.reduce import Max, Mean, Sum
from app.engine.types import Array, Shape
from tests.engine import checks

A, B = (
    np.array([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]]),
    np.array([[0.5, 2.0, -1.0], [1.0, 4.0, 3.0]]),
)


@dataclass(frozen=True)
class Swapped(Mul):
    """Gives each factor its own value instead of the other's."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.multiply, g, a, da)
        k(np.multiply, g, b, db)


@dataclass(frozen=True)
class Half(Mul):
    """Forgets the second operand."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.multiply, g, b, da)


@dataclass(frozen=True)
class InPlace(Mul):
    """Scales g itself."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.multiply, g, b, g)
        k(np.positive, g, da)


@dataclass(frozen=True)
class Greedy(Mul):
    """Works only when both gradients are wanted."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        np.multiply(g, b, da)
        np.multiply(g, a, db)
        da *= 1.0 if db is not None else 2.0


@dataclass(frozen=True)
class Adding(Mul):
    """Adds to what stands in the buffer."""

    name = ""

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.multiply, a, b, k.scratch(a.shape))
        k(np.add, y, a, y)


@dataclass(frozen=True)
class Immediate(Mul):
    """Computes past the kernel, so that a replay repeats the first numbers."""

    name = ""

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.positive, a * b, y)


@dataclass(frozen=True)
class Rounded(Mul):
    """One bit off: the replayed sum is not in the order of the eager one."""

    name = ""

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.multiply, a, b, y)
        if type(k).__name__ == "Recorder":
            k(np.multiply, y, const(1.0 + 2**-52), y)


@dataclass(frozen=True)
class WrongShape(Sum):
    name = ""

    def shape(self, *shapes: Shape) -> Shape:
        return (1,)


@dataclass(frozen=True)
class WrongMean(Mean):
    """n − 1 instead of n, backward only."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.divide, self.spread(g, x.shape), const(self.count(x.shape) - 1.0), dx)


@dataclass(frozen=True)
class EveryMax(Max):
    """Everybody gets the gradient."""

    name = ""

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.positive, self.spread(g, x.shape), dx)


@dataclass(frozen=True)
class Untransposed(Matmul):
    """Writes out the rows of b where its columns belong."""

    name = ""

    def element(self, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        row, column = index
        return [Term((("a", (row, i)), ("b", (column, i)))) for i in range(3)]


@dataclass(frozen=True)
class NoBias(Linear):
    """Writes the elements out without their bias."""

    name = ""

    def element(self, index: tuple[int, ...], *shapes: Shape) -> list[Term]:
        return super().element(index, *shapes)[:-1]


BROKEN: list[tuple[type[Op], Callable[..., object], tuple[Array, ...]]] = [
    (Swapped, checks.check_vjp, (A, B)),
    (Half, checks.check_vjp, (A, B)),
    (Half, checks.check_writes, (A, B)),
    (InPlace, checks.check_writes, (A, B)),
    (Greedy, checks.check_wanted, (A, B)),
    (Adding, checks.check_writes, (A, B)),
    (Immediate, checks.check_replay, (A, B)),
    (Rounded, checks.check_replay, (A, B)),
    (WrongShape, checks.check_shape, (A,)),
    (WrongMean, checks.check_vjp, (A,)),
    (EveryMax, checks.check_vjp, (A,)),
    (Untransposed, checks.check_elements, (A[:, :], B.T @ A[:, :] + np.eye(3))),
    (NoBias, checks.check_elements, (A, B, np.array([0.5, -1.0]))),
]


@pytest.mark.parametrize(
    ("op_class", "check", "operands"),
    BROKEN,
    ids=[f"{b[0].__name__}-{b[1].__name__}" for b in BROKEN],
)
def test_broken_op_does_not_pass(
    op_class: type[Op], check: Callable[..., object], operands: tuple[Array, ...]
) -> None:
    with pytest.raises((AssertionError, ValueError, TypeError)):
        check(op_class(), operands)


@pytest.mark.parametrize("check", [b[1] for b in BROKEN[:-2]])
def test_whole_op_passes_the_same_check(check: Callable[..., object]) -> None:
    check(Mul(), (A, B))


def test_broken_ops_do_not_enter_the_table() -> None:
    assert all(op.name and op.__module__.startswith("app.") for op in OPS.values())
