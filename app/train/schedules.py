"""How the learning rate changes while training: a base rate, bent as iterations or epochs go by.

A schedule is a pure function of the base and of t, the iterations or epochs done before: it keeps
nothing, so any iteration's rate is known at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.errors import BackstepError
from app.engine.fields import pick
from app.train.arguments import Recipe, option

SCHEDULES: dict[str, type[Schedule]] = {}


@dataclass(frozen=True)
class Schedule(Recipe):
    """The base. `per` says whether t counts iterations or epochs."""

    per: str = option("iteration", "what is counted", choices=("iteration", "epoch"), kw_only=True)

    kind: ClassVar[str] = "schedule"
    formula: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.name:
            SCHEDULES[cls.name] = cls

    def lr(self, base: float, t: int) -> float:
        raise NotImplementedError

    def curve(self, base: float, n: int) -> list[float]:
        """The first n learning rates, for drawing."""
        return [self.lr(base, t) for t in range(n)]


def power(base: float, exponent: int) -> float:
    """base**exponent, infinite where it overflows."""
    try:
        return base**exponent
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class Constant(Schedule):
    name = "constant"
    summary = "the learning rate stays as it is"
    formula = r"\eta_t = \eta"

    def lr(self, base: float, t: int) -> float:
        return base


@dataclass(frozen=True)
class StepDecay(Schedule):
    """PyTorch's StepLR."""

    step_size: int = option(summary="how long the rate stays before it drops", integer=True, low=1)
    gamma: float = option(0.1, "factor of each drop", low=0)

    name = "step"
    summary = "drops by a factor after every so many"
    formula = r"\eta_t = \eta \cdot \gamma^{\lfloor t/s \rfloor}"

    def lr(self, base: float, t: int) -> float:
        return base * power(self.gamma, t // self.step_size)


@dataclass(frozen=True)
class Exponential(Schedule):
    """PyTorch's ExponentialLR by `gamma`; the guides' form by `decay_rate`."""

    gamma: float | None = option(None, "factor each time: lr·γᵗ", low=0, optional=True)
    decay_rate: float | None = option(None, "or the rate k of lr·e^(−kt)", low=0, optional=True)

    name = "exponential"
    summary = "shrinks by the same factor every time"
    formula = r"\eta_t = \eta \cdot \gamma^t"

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.gamma is None) == (self.decay_rate is None):
            raise BackstepError(
                "exponential: needs either gamma or decay_rate, and not both", where="schedule"
            )

    def lr(self, base: float, t: int) -> float:
        if self.gamma is not None:
            return base * power(self.gamma, t)
        assert self.decay_rate is not None
        return base * math.exp(-self.decay_rate * t)


@dataclass(frozen=True)
class Cosine(Schedule):
    """PyTorch's CosineAnnealingLR (Loshchilov and Hutter 2017), without its way back up."""

    T_max: int = option(summary="how long the way down takes", integer=True, low=1)
    eta_min: float = option(0.0, "where the way down ends", low=0)

    name = "cosine"
    summary = "half a wave from the base down to eta_min, then level"
    differs = "stays at eta_min after T_max, where PyTorch's comes up again"
    formula = (
        r"\eta_t = \eta_{\min} + \frac{1}{2} (\eta - \eta_{\min}) "
        r"\left(1 + \cos\frac{\pi t}{T}\right)"
    )

    def lr(self, base: float, t: int) -> float:
        if t >= self.T_max:
            return self.eta_min
        wave = 1 + math.cos(math.pi * t / self.T_max)
        return self.eta_min + 0.5 * (base - self.eta_min) * wave


@dataclass(frozen=True)
class Warmup(Schedule):
    """A straight way up, as in Goyal et al. 2017."""

    warmup_steps: int = option(summary="how long the way up takes", integer=True, low=1)

    name = "warmup"
    summary = "rises evenly to the base, then stays"
    formula = r"\eta_t = \eta \cdot \min\left(1, \frac{t+1}{n}\right)"

    def lr(self, base: float, t: int) -> float:
        return base * min(1.0, (t + 1) / self.warmup_steps)


def parse_schedule(given: Any) -> Schedule | None:
    """`{"type": "cosine", "T_max": 100}`; null for none."""
    return None if given is None else pick(SCHEDULES, given, "schedule", "the schedule")
