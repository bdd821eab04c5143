"""The base of all data sets, and the table in which they stand.

A data set draws clean samples first and the noise after them, always as many numbers: with another
`noise` and the same seed the same samples move. Classes take turns, so that every batch has all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.random import Generator

from app.engine.types import Array, Shape
from app.train.arguments import Recipe, option

DATASETS: dict[str, type[Dataset]] = {}
MOST = 20_000


@dataclass(frozen=True)
class Dataset(Recipe):
    """Targets are what the loss in `loss` compares with: 0 or 1, a class number, a value."""

    samples: int = option(200, "how many samples", integer=True, low=1, high=MOST)
    noise: float = option(0.1, "how far inputs are moved at random", low=0, high=5)

    kind: ClassVar[str] = "data"
    task: ClassVar[str] = "binary"
    """binary, multiclass, regression or sequence."""
    classes: ClassVar[int | None] = 2
    loss: ClassVar[str] = "bce_with_logits"
    """A loss that fits, with `outputs` numbers from the network for each target."""
    outputs: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        if cls.name:
            DATASETS[cls.name] = cls

    @property
    def shape(self) -> Shape:
        """Of one sample's input."""
        return (2,)

    @property
    def target_shape(self) -> Shape:
        return (1,)

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        """Inputs (samples, *shape) and targets, without noise."""
        raise NotImplementedError

    def make(self, rng: Generator) -> tuple[Array, Array]:
        """Inputs and targets in float64; noise moves the inputs, or a regression's targets."""
        inputs, targets = self.clean(rng)
        targets = targets.astype(np.float64).reshape(self.samples, *self.target_shape)
        moved = targets if self.task == "regression" else inputs
        moved += self.noise * rng.normal(size=moved.shape)
        return inputs, targets

    @property
    def turns_of(self) -> Array:
        """The class of each sample: 0, 1, …, 0, 1, …"""
        return np.arange(self.samples) % (self.classes or 1)

    @classmethod
    def about(cls) -> dict[str, Any]:
        """What a person who chooses wants to know; shapes are those of the default arguments."""
        usual = cls()
        return {
            "name": cls.name,
            "summary": cls.summary,
            "task": cls.task,
            "classes": cls.classes,
            "loss": cls.loss,
            "outputs": cls.outputs,
            "shape": list(usual.shape),
            "target_shape": list(usual.target_shape),
        }
