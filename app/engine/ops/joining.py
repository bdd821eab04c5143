"""Arrays laid end to end along their last axis: where branches of a network meet again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.errors import LimitError
from app.engine.kernel import Kernel
from app.engine.op import Op, Rule, Sample, Term, draw
from app.engine.types import Array, Shape

Index = tuple[int, ...]
LETTERS = tuple("abcdefhk")


@dataclass(frozen=True)
class Concat(Op):
    """Arrays (…, n), (…, m) … as one array (…, n + m + …)."""

    name = "concat"
    symbol = "[a b]"
    summary = "lays arrays end to end"
    operands = LETTERS
    optional = len(LETTERS) - 1
    formula = r"@y = [@a, \ldots]"
    rules: ClassVar[dict[str, Rule]] = dict.fromkeys(LETTERS, Rule(r"\operatorname{part}(@g)"))
    says = "What the branches have made is laid end to end."
    says_back = "Every branch gets its own part of the gradient, and nothing of the others'."
    numpy = "y = np.concatenate((a, b), -1)"
    numpy_back = "da = g[..., :a.shape[-1]]; db = g[..., a.shape[-1]:]"
    pytorch = "y = torch.cat((a, b), -1)"

    def shape(self, *shapes: Shape) -> Shape:
        if len(shapes) > len(LETTERS):
            raise LimitError(f"at most {len(LETTERS)} arrays can be laid end to end: {len(shapes)}")
        for shape in shapes:
            if not shape or shape[:-1] != shapes[0][:-1]:
                raise self.fail("all axes but the last must agree", shapes[0], shape)
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    def forward(self, k: Kernel, y: Array, *parts: Array) -> None:
        for part, (start, stop) in zip(parts, _spans(parts), strict=True):
            k(np.positive, part, y[..., start:stop])

    def vjp(self, k: Kernel, g: Array, y: Array, *parts_and_grads: Any) -> None:
        half = len(parts_and_grads) // 2
        parts, grads = parts_and_grads[:half], parts_and_grads[half:]
        for grad, (start, stop) in zip(grads, _spans(parts), strict=True):
            if grad is not None:
                k(np.positive, g[..., start:stop], grad)

    def element(self, index: Index, *shapes: Shape) -> list[Term]:
        *lead, at = index
        for letter, (start, stop) in zip(LETTERS, _ends(shapes), strict=False):
            if at < stop:
                return [Term(((letter, (*lead, at - start)),))]
        raise IndexError(index)

    def element_back(self, operand: str, index: Index, *shapes: Shape) -> list[Term]:
        *lead, at = index
        start, _ = _ends(shapes)[LETTERS.index(operand)]
        return [Term((("g", (*lead, start + at)),))]

    @classmethod
    def samples(cls) -> list[Sample]:
        return [
            Sample(draw((2, 2), (2, 3)), {}),
            Sample(draw((1, 2, 1), (1, 2, 2), (1, 2, 1)), {}),
        ]


def _ends(shapes: Sequence[Shape]) -> list[tuple[int, int]]:
    """Where each part starts and stops along the last axis."""
    found, start = [], 0
    for shape in shapes:
        found.append((start, start + shape[-1]))
        start += shape[-1]
    return found


def _spans(parts: Sequence[Array]) -> list[tuple[int, int]]:
    return _ends([part.shape for part in parts])
