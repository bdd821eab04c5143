"""One entry an iteration: its loss before the update, the rate used, the gradient's norm before
clipping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    train_loss: list[float] = field(default_factory=list)
    lr: list[float | None] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)
    validation_loss: dict[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.train_loss)

    def add(
        self, losses: list[float], squared_norms: list[float], rates: list[float | None]
    ) -> None:
        """The next iterations, in order."""
        self.train_loss += losses
        self.grad_norm += map(math.sqrt, squared_norms)
        self.lr += rates

    def cut(self, length: int) -> None:
        """Forget the iterations from `length` on."""
        for column in (self.train_loss, self.lr, self.grad_norm):
            del column[length:]
        self.validation_loss = {i: v for i, v in self.validation_loss.items() if i < length}

    def table(self, start: int = 0, stop: int | None = None) -> dict[str, list[Any]]:
        stop = len(self) if stop is None else min(stop, len(self))
        rows = range(start, stop)
        return {
            "iteration": list(rows),
            "train_loss": self.train_loss[start:stop],
            "validation_loss": [self.validation_loss.get(i) for i in rows],
            "lr": self.lr[start:stop],
            "grad_norm": self.grad_norm[start:stop],
        }
