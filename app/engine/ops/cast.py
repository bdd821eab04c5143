"""A change of precision as a node of the graph: `cast` rounds to float16, or widens again.

NumPy's float16 has 11 significant bits: 65504 is the largest number, 6·10⁻⁸ the smallest. What is
larger becomes infinite, what is smaller becomes 0. On the way back the gradient is rounded as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import BackstepError
from app.engine.kernel import Kernel
from app.engine.op import Elementwise, Rule, Sample, draw
from app.engine.types import FLOAT, HALF, Array

PRECISIONS = {"float16": HALF, "float64": FLOAT}


@dataclass(frozen=True)
class Cast(Elementwise):
    to: str = "float16"
    name = "cast"
    symbol = "fp"
    summary = "stores the value in another precision"
    formula = r"@y = \operatorname{round}(@x)"
    rules: ClassVar[dict[str, Rule]] = {"x": Rule(r"@g \cdot 1", "1", "1")}
    says = "The value is stored in another precision: float16 keeps about three digits."
    says_back = (
        "The gradient passes unchanged, but is stored in the operand's precision: "
        "in float16, what is below 6·10⁻⁸ becomes 0."
    )
    numpy = "y = x.astype(np.float16)"
    numpy_back = "dx = g.astype(x.dtype)"
    pytorch = "y = x.half()"

    def __post_init__(self) -> None:
        if self.to not in PRECISIONS:
            raise BackstepError(f"cast: to must be one of {', '.join(PRECISIONS)}: {self.to!r}")

    @property
    def dtype(self) -> Any:
        return PRECISIONS[self.to]

    def forward(self, k: Kernel, y: Array, x: Array) -> None:
        k(np.positive, x, y)

    def vjp(self, k: Kernel, g: Array, y: Array, x: Array, dx: Any) -> None:
        k(np.positive, g, dx)

    @classmethod
    def samples(cls) -> list[Sample]:
        """Exact in either precision; what rounding does is tried by itself."""
        eighths = np.round(draw((2, 3))[0] * 8) / 8
        return [Sample((eighths,), {"to": "float64"})]
