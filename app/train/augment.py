"""Augmentation: the samples of a batch a little different every time. The draw belongs to the
iteration, like a dropout mask: it is made from the seed before the iteration begins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.engine.errors import BackstepError
from app.engine.fields import build
from app.engine.types import FLOAT, Array, Shape

FARTHEST = 16


@dataclass(frozen=True)
class Augment:
    jitter: float = field(
        default=0.0,
        metadata={
            "summary": "spread of noise added to every input, in the units that the network sees"
        },
    )
    shift: int = field(
        default=0,
        metadata={"summary": "how many pixels a picture may move up, down, left and right"},
    )

    def __post_init__(self) -> None:
        if self.jitter < 0:
            raise BackstepError(f"must be at least 0: {self.jitter!r}", where="data.augment.jitter")
        if not 0 <= self.shift <= FARTHEST:
            raise BackstepError(
                f"must be from 0 to {FARTHEST} pixels: {self.shift!r}", where="data.augment.shift"
            )

    @property
    def works(self) -> bool:
        return self.jitter > 0 or self.shift > 0

    def check(self, shape: Shape, dtype: Any) -> None:
        """Refuse what these samples cannot undergo."""
        if self.shift and len(shape) != 3:
            raise BackstepError(
                "only pictures can be shifted: a sample would have the shape (channels, height, "
                f"width), not {list(shape)}",
                where="data.augment.shift",
            )
        if self.jitter and dtype != FLOAT:
            raise BackstepError(
                "whole numbers (an embedding looks them up) cannot be jittered",
                where="data.augment.jitter",
            )

    def drawn(self, inputs: Array, paper: Array, rng: np.random.Generator) -> Array:
        """Other inputs of the same shape; `paper` (channels, 1, 1) comes in where pixels went."""
        if self.shift:
            inputs = self._shifted(inputs, paper, rng)
        if self.jitter:
            with np.errstate(all="ignore"):  # an absurd jitter may be infinite
                inputs = inputs + self.jitter * rng.normal(size=inputs.shape)
        return inputs

    def _shifted(self, inputs: Array, paper: Array, rng: np.random.Generator) -> Array:
        n, c, h, w = inputs.shape
        s = self.shift
        wide = np.broadcast_to(paper, (n, c, h + 2 * s, w + 2 * s)).astype(inputs.dtype)
        wide[:, :, s : s + h, s : s + w] = inputs
        down, right = rng.integers(-s, s + 1, size=(2, n))
        rows = s - down[:, None] + np.arange(h)
        columns = s - right[:, None] + np.arange(w)
        moved: Array = wide[
            np.arange(n)[:, None, None, None],
            np.arange(c)[:, None, None],
            rows[:, None, :, None],
            columns[:, None, None, :],
        ]
        return moved


def parse_augment(given: Any) -> Augment | None:
    """`{"jitter": 0.1, "shift": 1}`, or nothing."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BackstepError(
            f'must be an object such as {{"jitter": 0.1, "shift": 1}}: {given!r}',
            where="data.augment",
        )
    augment = build(Augment, given, "data.augment")
    return augment if augment.works else None
