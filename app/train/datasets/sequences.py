"""Sequences of two tokens, 0 and 1, for recurrent nets: what came some steps ago, and whether there
were evenly many ones. Both can only be told by who remembers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from app.engine.types import Array, Shape
from app.train.arguments import option
from app.train.datasets.dataset import Dataset

LONGEST = 64


@dataclass(frozen=True)
class Sequence(Dataset):
    """The base: one token a step."""

    noise: float = option(0.0, "how far tokens are moved at random", low=0, high=5)
    length: int = option(8, "tokens in a sequence", integer=True, low=1, high=LONGEST)
    flat: bool = option(False, "tokens in a row, for an embedding, instead of length × 1")

    task = "sequence"

    @property
    def shape(self) -> Shape:
        return (self.length,) if self.flat else (self.length, 1)

    def make(self, rng: Generator) -> tuple[Array, Array]:
        inputs, targets = super().make(rng)
        return inputs.reshape(self.samples, *self.shape), targets

    def tokens(self, rng: Generator) -> Array:
        return rng.integers(0, 2, size=(self.samples, self.length, 1)).astype(np.float64)


@dataclass(frozen=True)
class Copy(Sequence):
    delay: int = option(2, "so many steps later a token is to be said", integer=True, low=0)

    name = "copy"
    summary = "two tokens; each is to be said again some steps later, 0 before the first"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delay >= self.length:
            raise self.fail("delay", f"must be less than the length {self.length}", self.delay)

    @property
    def target_shape(self) -> Shape:
        return (self.length, 1)

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        tokens = self.tokens(rng)
        said = np.zeros_like(tokens)
        said[:, self.delay :] = tokens[:, : self.length - self.delay]
        return tokens, said


@dataclass(frozen=True)
class Parity(Sequence):
    """The last token is chosen so that odd and even take turns."""

    length: int = option(6, "tokens in a sequence", integer=True, low=1, high=LONGEST)
    running: bool = option(False, "the answer after every token, not only after the last")

    name = "parity"
    summary = "two tokens; 1 if the ones among them are odd in number"

    @property
    def target_shape(self) -> Shape:
        return (self.length, 1) if self.running else (1,)

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        tokens = self.tokens(rng)
        before = tokens[:, :-1, 0].sum(axis=1)
        tokens[:, -1, 0] = (before + self.turns_of) % 2
        odd = np.cumsum(tokens, axis=1) % 2
        return tokens, odd if self.running else odd[:, -1]
