"""The base of all optimizers, and the pieces that their rules share.

The contract of all rules, stated once:

- `update(k, w, g, w_new, state, new)` does its arithmetic through the kernel k, element by element,
  so that it may be given one parameter or all of them as one vector: the numbers are the same.
- It never writes into g. `w_new` may be w and `new[slot]` may be `state[slot]`, so a former number
  is read before its place is written.
- What changes from iteration to iteration (the learning rate) comes from `k.scalar`, and
  `scalars(t, lr)` gives its worth. `lines` tell the same arithmetic in symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from app.engine.kernel import Kernel, const
from app.engine.types import Array, Shape
from app.train.arguments import Recipe, option
from app.train.lines import Letter, Line

State = Mapping[str, Array]

OPTIMIZERS: dict[str, type[Optimizer]] = {}

W = {
    "old": Letter("{p}", "value", "old"),
    "new": Letter("{p}", "value", "new"),
    "grad": Letter(r"\frac{\partial L}{\partial {p}}", "grad", "old"),
    "lr": Letter(r"\eta", "lr", "scalar"),
}


def slots(**symbols: tuple[str, str]) -> dict[str, Letter]:
    """Two letters for each state slot: `m=("m", "exp_avg")` gives @mold and @mnew."""
    return {
        word + when: Letter(symbol, slot, when)
        for word, (symbol, slot) in symbols.items()
        for when in ("old", "new")
    }


@dataclass(frozen=True)
class Optimizer(Recipe):
    """The base: fields are PyTorch's arguments; `shown` are scalars that only the lines need."""

    lr: float = option(1e-3, "learning rate: how far one update goes", low=0)

    kind: ClassVar[str] = "optimizer"
    says: ClassVar[str] = ""
    torch: ClassVar[str] = ""
    shown: ClassVar[tuple[str, ...]] = ()
    timed: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if cls.name:
            OPTIMIZERS[cls.name] = cls

    @property
    def state(self) -> tuple[str, ...]:
        """The slots that this configuration keeps for each parameter; they start at 0."""
        return ()

    def start(self, shape: Shape) -> dict[str, Array]:
        """Each state slot as it stands before the first update."""
        return {slot: np.zeros(shape) for slot in self.state}

    def scalars(self, t: int, lr: float) -> dict[str, float]:
        """The numbers of one iteration; t counts the updates before (it matters if `timed`)."""
        return {"lr": lr}

    def update(self, k: Kernel, w: Array, g: Array, w_new: Array, state: State, new: State) -> None:
        raise NotImplementedError

    @property
    def lines(self) -> list[Line]:
        """What an update step computes, in order."""
        raise NotImplementedError

    @property
    def numpy(self) -> str:
        """The update in NumPy, one statement a line; t counts the updates from 1."""
        raise NotImplementedError

    @property
    def pytorch(self) -> str:
        """The line that makes the same optimizer in PyTorch."""
        changed = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name == "lr" or getattr(self, f.name) != f.default
        ]
        return f"torch.optim.{self.torch}(model.parameters(), {', '.join(changed)})"


def decayed(k: Kernel, w: Array, g: Array, weight_decay: float) -> Array:
    """The gradient of the loss plus ½·λ·w²: a new array, or g itself without decay."""
    if not weight_decay:
        return g
    d = k.scratch(w.shape)
    k(np.multiply, w, const(weight_decay), d)
    k(np.add, g, d, d)
    return d


def mixed(k: Kernel, old: Array, rate: float, g: Array, new: Array, *, squared: bool) -> None:
    """A running average: rate·old + (1 − rate)·g, or of g²."""
    s = k.scratch(g.shape)
    if squared:
        k(np.multiply, g, g, s)
        k(np.multiply, s, const(1 - rate), s)
    else:
        k(np.multiply, g, const(1 - rate), s)
    k(np.multiply, old, const(rate), new)
    k(np.add, new, s, new)


def descend(k: Kernel, w: Array, d: Array, lr: Array, s: Array, w_new: Array) -> None:
    """w − lr·d, by way of s (which may be d when d is a scratch)."""
    k(np.multiply, d, lr, s)
    k(np.subtract, w, s, w_new)


def told_decay(weight_decay: float) -> tuple[str, str, dict[str, Letter]]:
    """The gradient with its decay: in LaTeX, in NumPy, and the letter λ."""
    if not weight_decay:
        return "@grad", "g", {}
    letter = Letter(r"\lambda", "weight_decay", "constant", weight_decay)
    latex = r"\left(@grad + @lambda \cdot @old\right)"
    return latex, f"(g + {weight_decay!r} * w)", {"lambda": letter}


def squared(latex: str) -> str:
    """The gradient is a fraction: its square needs parentheses, unless it has them."""
    return f"{latex}^2" if latex.startswith(r"\left(") else rf"\left({latex}\right)^2"
