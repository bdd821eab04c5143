"""Standardisation: inputs less their mean, divided by their spread. Both are measured on the part
that is trained on, since what is held back must not be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.engine.types import Array

ROUNDING = 1e-12  # a spread of so little of the mean is rounding: the feature is constant


@dataclass(frozen=True)
class Scaling:
    """One mean and spread for each feature, the last axis of a sample; for pictures (C, H, W) one
    for each channel. A constant feature is only centred.
    """

    mean: Array
    std: Array
    channels: bool

    @classmethod
    def measured(cls, inputs: Array) -> Scaling:
        channels = inputs.ndim == 4
        axes = (0, 2, 3) if channels else tuple(range(inputs.ndim - 1))
        with np.errstate(all="ignore"):
            mean, std = np.mean(inputs, axis=axes), np.std(inputs, axis=axes)
        constant = std <= ROUNDING * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, std), channels)

    def _shaped(self, numbers: Array) -> Array:
        return numbers[:, None, None] if self.channels else numbers

    def apply(self, inputs: Array) -> Array:
        with np.errstate(all="ignore"):
            scaled: Array = (inputs - self._shaped(self.mean)) / self._shaped(self.std)
        return scaled

    def undo(self, inputs: Array) -> Array:
        """In the units that the data came in."""
        with np.errstate(all="ignore"):
            original: Array = inputs * self._shaped(self.std) + self._shaped(self.mean)
        return original

    def as_json(self) -> dict[str, Any]:
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}
