"""One entry an iteration: its loss before the update, the rate used, the gradient's norm before
clipping. 8 bytes a number: a million iterations take 24 MB.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NO_RATE = math.nan  # stands for None: without an optimizer there is no rate
PER_BUCKET = 3  # the least loss of a bucket, the largest, and the last validated iteration


def _doubles() -> array[float]:
    return array("d")


@dataclass
class History:
    train_loss: array[float] = field(default_factory=_doubles)
    lr: array[float] = field(default_factory=_doubles)
    grad_norm: array[float] = field(default_factory=_doubles)
    validation_loss: dict[int, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.train_loss)

    def add(
        self, losses: list[float], squared_norms: list[float], rates: list[float | None]
    ) -> None:
        """The next iterations, in order."""
        self.train_loss.extend(losses)
        self.grad_norm.extend(map(math.sqrt, squared_norms))
        self.lr.extend(NO_RATE if rate is None else rate for rate in rates)

    def cut(self, length: int) -> None:
        """Forget the iterations from `length` on."""
        for column in (self.train_loss, self.lr, self.grad_norm):
            del column[length:]
        self.validation_loss = {i: v for i, v in self.validation_loss.items() if i < length}

    def table(
        self, start: int = 0, stop: int | None = None, most: int | None = None
    ) -> dict[str, list[Any]]:
        """The rows [start, stop); no more than `most` (at least 8) of them, chosen by `thinned`."""
        stop = len(self) if stop is None else min(stop, len(self))
        rows: Sequence[int] = range(start, stop)
        if most is not None and len(rows) > most:
            rows = self.thinned(start, stop, most)
        return {
            "iteration": list(rows),
            "train_loss": [self.train_loss[i] for i in rows],
            "validation_loss": [self.validation_loss.get(i) for i in rows],
            "lr": [None if math.isnan(rate := self.lr[i]) else rate for i in rows],
            "grad_norm": [self.grad_norm[i] for i in rows],
        }

    def thinned(self, start: int, stop: int, most: int) -> list[int]:
        """At most that many iterations whose curve looks like the whole: the first, the last, and
        of equal stretches each the least and the largest loss (one that is not finite counts as the
        largest) and the last that was validated.
        """
        losses = np.frombuffer(self.train_loss, count=stop)[start:]
        heights = np.where(np.isfinite(losses), losses, np.inf)
        edges = np.linspace(0, stop - start, (most - 2) // PER_BUCKET + 1).astype(int)
        buckets = list(zip(edges[:-1], edges[1:], strict=True))
        kept = {0, stop - start - 1}
        kept |= {int(first + heights[first:last].argmin()) for first, last in buckets}
        kept |= {int(first + heights[first:last].argmax()) for first, last in buckets}
        validated = np.array([i - start for i in self.validation_loss if start <= i < stop], int)
        for first, last in buckets if validated.size else ():
            within = validated[(validated >= first) & (validated < last)]
            kept |= {int(i) for i in within[-1:]}
        return [start + i for i in sorted(kept)]
