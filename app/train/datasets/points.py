"""Points in a plane to be told apart, and curves to be followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from app.engine.types import Array, Shape
from app.train.arguments import option
from app.train.datasets.dataset import Dataset


def polar(radius: Array, angle: Array) -> Array:
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


@dataclass(frozen=True)
class Gaussians(Dataset):
    noise: float = option(0.2, "spread of each cloud", low=0, high=5)

    name = "gaussians"
    summary = "two round clouds; a straight line tells them apart"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        side = np.where(self.turns_of == 1, 0.5, -0.5)
        return np.column_stack([side, side]), self.turns_of


@dataclass(frozen=True)
class Xor(Dataset):
    """Four samples without noise are the truth table."""

    name = "xor"
    summary = "four corners, equal ones opposite; no straight line tells them apart"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        first, second = np.divmod(np.arange(self.samples) % 4, 2)
        return np.column_stack([first, second]).astype(np.float64), first ^ second


@dataclass(frozen=True)
class Circle(Dataset):
    name = "circle"
    summary = "a disc within a ring"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        inside = self.turns_of == 1
        low, high = np.where(inside, 0.0, 0.7), np.where(inside, 0.5, 1.0)
        spread = rng.uniform(size=(2, self.samples))
        radius = np.sqrt(low**2 + (high**2 - low**2) * spread[0])  # even over the area
        return polar(radius, 2 * np.pi * spread[1]), self.turns_of


@dataclass(frozen=True)
class Moons(Dataset):
    name = "moons"
    summary = "two half-moons that reach into each other"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        arc = polar(np.ones(self.samples), np.pi * rng.uniform(size=self.samples))
        lower = self.turns_of == 1
        arc[lower] = [1.0, 0.5] - arc[lower]
        return arc - [0.5, 0.25], self.turns_of


@dataclass(frozen=True)
class Spiral(Dataset):
    noise: float = option(0.02, "how far points are moved at random", low=0, high=5)
    turns: float = option(1.25, "how often each arm goes round", above=0, high=5)

    name = "spiral"
    summary = "two arms wound into each other; needs a deep or wide network"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        radius = 0.1 + 0.9 * np.sqrt(rng.uniform(size=self.samples))
        angle = 2 * np.pi * self.turns * radius + np.pi * self.turns_of
        return polar(radius, angle), self.turns_of


@dataclass(frozen=True)
class Plane(Dataset):
    name = "plane"
    summary = "a slope over two features; a single linear neuron follows it"
    task = "regression"
    classes = None
    loss = "mse"

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        inputs = rng.uniform(-1, 1, size=(self.samples, 2))
        return inputs, inputs.sum(axis=1) / 2


@dataclass(frozen=True)
class Sine(Dataset):
    name = "sine"
    summary = "one wave over one feature; needs a bend in the network"
    task = "regression"
    classes = None
    loss = "mse"

    @property
    def shape(self) -> Shape:
        return (1,)

    def clean(self, rng: Generator) -> tuple[Array, Array]:
        inputs = rng.uniform(-1, 1, size=(self.samples, 1))
        return inputs, np.sin(np.pi * inputs[:, 0])
