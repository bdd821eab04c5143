"""Initialisers: how a parameter's first numbers are drawn. Names and defaults as in
`torch.nn.init`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.engine.fields import pick
from app.engine.types import Array, Shape

INITS: dict[str, type[Init]] = {}


@dataclass(frozen=True)
class Init:
    """Draws an array; fan_in and fan_out count a unit's inputs and outputs."""

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        INITS[cls.name] = cls

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        raise NotImplementedError


@dataclass(frozen=True)
class Zeros(Init):
    name = "zeros"
    summary = "all 0: units of a layer stay equal for ever"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Constant(Init):
    value: float = 0.5
    name = "constant"
    summary = "all the same value"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.full(shape, self.value)


@dataclass(frozen=True)
class Normal(Init):
    mean: float = 0.0
    std: float = 1.0
    name = "normal"
    summary = "normal draws with a mean and a standard deviation"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.asarray(self.mean + self.std * rng.standard_normal(shape))


@dataclass(frozen=True)
class Uniform(Init):
    a: float = 0.0
    b: float = 1.0
    name = "uniform"
    summary = "evenly between a and b"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.asarray(self.a + (self.b - self.a) * rng.random(shape))


@dataclass(frozen=True)
class XavierUniform(Init):
    """Glorot & Bengio 2010: bound gain·√(6 / (fan_in + fan_out))."""

    gain: float = 1.0
    name = "xavier_uniform"
    summary = "evenly within √(6 / (fan_in + fan_out)): for tanh and sigmoid"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        bound = self.gain * math.sqrt(6.0 / (fan_in + fan_out))
        return np.asarray(bound * (2.0 * rng.random(shape) - 1.0))


@dataclass(frozen=True)
class XavierNormal(Init):
    """Glorot & Bengio 2010: standard deviation gain·√(2 / (fan_in + fan_out))."""

    gain: float = 1.0
    name = "xavier_normal"
    summary = "normal with deviation √(2 / (fan_in + fan_out)): for tanh and sigmoid"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.asarray(
            self.gain * math.sqrt(2.0 / (fan_in + fan_out)) * rng.standard_normal(shape)
        )


@dataclass(frozen=True)
class KaimingUniform(Init):
    """He et al. 2015: bound √(6 / ((1 + a²) fan_in)); a is the slope left below 0, 0 for ReLU."""

    a: float = 0.0
    name = "kaiming_uniform"
    summary = "evenly within √(6 / fan_in): for ReLU"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        bound = math.sqrt(6.0 / ((1.0 + self.a**2) * fan_in))
        return np.asarray(bound * (2.0 * rng.random(shape) - 1.0))


@dataclass(frozen=True)
class KaimingNormal(Init):
    """He et al. 2015: standard deviation √(2 / ((1 + a²) fan_in))."""

    a: float = 0.0
    name = "kaiming_normal"
    summary = "normal with deviation √(2 / fan_in): for ReLU"

    def draw(self, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.asarray(
            math.sqrt(2.0 / ((1.0 + self.a**2) * fan_in)) * rng.standard_normal(shape)
        )


DEFAULT = KaimingUniform(a=math.sqrt(5.0))
"""PyTorch's own default for linear layers: evenly within 1/√fan_in, for the bias as well."""


def parse_init(given: Any, where: str) -> Init:
    """{"type": "xavier_uniform", "gain": 2} or just "xavier_uniform"."""
    return pick(INITS, given, where, "the initialiser")
