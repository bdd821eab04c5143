"""Elementwise arithmetic: operands of one shape, each element by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.op import Elementwise, Rule, Sample, draw
from app.engine.types import Array


@dataclass(frozen=True)
class Add(Elementwise):
    name = "add"
    symbol = "+"
    summary = "adds two values"
    operands = ("a", "b")
    formula = r"@y = @a + @b"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot 1", "1", "1"),
        "b": Rule(r"@g \cdot 1", "1", "1"),
    }
    says = "Addition: both terms count in full."
    says_back = (
        "A sum passes the gradient on unchanged to both terms: each has the local derivative 1."
    )
    numpy = "y = a + b"
    numpy_back = "da = g; db = g"
    pytorch = "y = a + b"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.add, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.positive, g, da)
        k(np.positive, g, db)


@dataclass(frozen=True)
class Sub(Elementwise):
    name = "sub"
    symbol = "−"
    summary = "subtracts the second value from the first"
    operands = ("a", "b")
    formula = r"@y = @a - @b"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot 1", "1", "1"),
        "b": Rule(r"@g \cdot (-1)", "-1", "-1"),
    }
    says = "Subtraction: the second term counts against the first."
    says_back = (
        "A difference passes the gradient on to its first term, and turns its sign for the second."
    )
    numpy = "y = a - b"
    numpy_back = "da = g; db = -g"
    pytorch = "y = a - b"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.subtract, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.positive, g, da)
        k(np.negative, g, db)


@dataclass(frozen=True)
class Mul(Elementwise):
    name = "mul"
    symbol = "×"
    summary = "multiplies two values"
    operands = ("a", "b")
    formula = r"@y = @a \cdot @b"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot @b", "@b", "@b"),
        "b": Rule(r"@g \cdot @a", "@a", "@a"),
    }
    says = "Multiplication: each factor scales the other."
    says_back = "In a product, the local derivative of one factor is the other factor."
    numpy = "y = a * b"
    numpy_back = "da = g * b; db = g * a"
    pytorch = "y = a * b"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.multiply, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.multiply, g, b, da)
        k(np.multiply, g, a, db)


@dataclass(frozen=True)
class Div(Elementwise):
    name = "div"
    symbol = "÷"
    summary = "divides the first value by the second"
    operands = ("a", "b")
    formula = r"@y = \frac{@a}{@b}"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot \frac{1}{@b}", r"\frac{1}{@b}", r"\frac{1}{@b}"),
        "b": Rule(r"@g \cdot \frac{-@a}{@b^2}", r"\frac{-@a}{@b^2}", r"\frac{-@y}{@b}"),
    }
    says = "Division of the first value by the second."
    says_back = (
        "In a quotient, the numerator's local derivative is 1/b, the denominator's is −a/b²."
    )
    numpy = "y = a / b"
    numpy_back = "da = g / b; db = -g * y / b"
    pytorch = "y = a / b"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.divide, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        k(np.divide, g, b, da)
        if db is not None:
            k(np.multiply, g, y, db)
            k(np.divide, db, b, db)
            k(np.negative, db, db)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample((a, b + 2.0), {}) for a, b in (draw(s, s, low=0) for s in ((), (3,), (2, 3)))
        ]


@dataclass(frozen=True)
class Neg(Elementwise):
    name = "neg"
    symbol = "−x"
    summary = "turns the sign"
    formula = r"@y = -@x"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot (-1)", "-1", "-1")}
    says = "The sign is turned."
    says_back = "Turning the sign turns the gradient's sign too."
    numpy = "y = -x"
    numpy_back = "dx = -g"
    pytorch = "y = -x"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.negative, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.negative, g, dx)


@dataclass(frozen=True)
class Pow(Elementwise):
    name = "pow"
    symbol = "xⁿ"
    summary = "raises the first value to the power of the second"
    operands = ("a", "b")
    formula = r"@y = @a^{@b}"
    rules: ClassVar[dict[str, Rule]] = {
        "a": Rule(r"@g \cdot @b \cdot @a^{@b-1}", r"@b \cdot @a^{@b-1}", r"@b \cdot @a^{@b-1}"),
        "b": Rule(r"@g \cdot @y \ln @a", r"@y \ln @a", r"@y \cdot \ln @a"),
    }
    says = "A power: the base is raised to the exponent."
    says_back = "Power rule: the exponent comes down in front, and the power falls by one."
    numpy = "y = a ** b"
    numpy_back = "da = g * b * a ** (b - 1); db = g * y * np.log(a)"
    pytorch = "y = a ** b"

    def forward(self, k: Kernel, y: Array, a: Array, b: Array) -> None:
        k(np.power, a, b, y)

    def vjp(self, k: Kernel, g: Array, y: Array, a: Array, b: Array, da: Any, db: Any) -> None:
        if da is not None:
            k(np.subtract, b, const(1.0), da)
            k(np.power, a, da, da)
            k(np.multiply, da, b, da)
            k(np.multiply, da, g, da)
            k(_zero_where_zero, b, da)  # a**0 is constant: its derivative is 0 even at a = 0
        if db is not None:
            k(np.log, a, db)
            k(np.multiply, db, y, db)
            k(np.multiply, db, g, db)
            k(_zero_where_both_zero, a, b, db)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample((a + 0.5, b), {}) for a, b in (draw(s, s, low=0) for s in ((), (3,), (2, 3)))
        ]


def _zero_where_zero(test: Array, out: Array) -> None:
    np.copyto(out, 0.0, where=test == 0)


def _zero_where_both_zero(a: Array, b: Array, out: Array) -> None:
    """As PyTorch: 0**b counts as constant in b for b >= 0."""
    np.copyto(out, 0.0, where=(a == 0) & (b >= 0))


@dataclass(frozen=True)
class Square(Elementwise):
    name = "square"
    symbol = "x²"
    summary = "multiplies the value by itself"
    formula = r"@y = @x^2"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot 2@x", "2@x", r"2 \cdot @x")}
    says = "The square: never negative, and it grows faster the farther from 0."
    says_back = "The square's local derivative is 2x: the farther from 0, the steeper."
    numpy = "y = x ** 2"
    numpy_back = "dx = g * 2 * x"
    pytorch = "y = x ** 2"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.multiply, x, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.multiply, x, const(2.0), dx)
        k(np.multiply, dx, g, dx)


@dataclass(frozen=True)
class Sqrt(Elementwise):
    name = "sqrt"
    symbol = "√"
    summary = "takes the square root"
    formula = r"@y = \sqrt{@x}"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(
            r"@g \cdot \frac{1}{2\sqrt{@x}}", r"\frac{1}{2\sqrt{@x}}", r"\frac{1}{2 \cdot @y}"
        )
    }
    says = "The square root."
    says_back = "The root's local derivative is 1/(2√x): steep near 0, flat far out."
    numpy = "y = np.sqrt(x)"
    numpy_back = "dx = g / (2 * y)"
    pytorch = "y = x.sqrt()"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.sqrt, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.multiply, y, const(2.0), dx)
        k(np.divide, g, dx, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw(s, low=0.2, high=4.0), {}) for s in ((), (3,), (2, 3))]


@dataclass(frozen=True)
class Exp(Elementwise):
    name = "exp"
    symbol = "eˣ"
    summary = "raises e to the value"
    formula = r"@y = e^{@x}"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot e^{@x}", "e^{@x}", "@y")}
    says = "The exponential: always positive."
    says_back = "The exponential is its own derivative: the output is the local derivative."
    numpy = "y = np.exp(x)"
    numpy_back = "dx = g * y"
    pytorch = "y = x.exp()"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.exp, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.multiply, g, y, dx)


@dataclass(frozen=True)
class Log(Elementwise):
    name = "log"
    symbol = "ln"
    summary = "takes the natural logarithm"
    formula = r"@y = \ln @x"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \frac{1}{@x}", r"\frac{1}{@x}", r"\frac{1}{@x}")
    }
    says = "The natural logarithm."
    says_back = "The logarithm's local derivative is 1/x: huge near 0."
    numpy = "y = np.log(x)"
    numpy_back = "dx = g / x"
    pytorch = "y = x.log()"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.log, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.divide, g, x, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [Sample(draw(s, low=0.2, high=4.0), {}) for s in ((), (3,), (2, 3))]


@dataclass(frozen=True)
class Abs(Elementwise):
    name = "abs"
    symbol = "|x|"
    summary = "drops the sign"
    formula = r"@y = |@x|"
    rules: ClassVar[dict[str, Rule]] = {
        "x": Rule(r"@g \cdot \operatorname{sign}(@x)", r"\operatorname{sign}(@x)", "")
    }
    says = "The absolute value."
    says_back = "The local derivative is the sign: 1 above 0, −1 below. At 0 itself we take 0."
    numpy = "y = np.abs(x)"
    numpy_back = "dx = g * np.sign(x)"
    pytorch = "y = x.abs()"

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.absolute, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        if dx is not None:
            k(np.sign, x, dx)
            k(np.multiply, dx, g, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        return [*super().samples(), Sample((np.array([-1.5, 0.0, 2.0]),), {}, smooth=False)]
