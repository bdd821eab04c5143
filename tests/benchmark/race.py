"""Several ways to make the same training step, run in turns in one process, so that all meet the
same machine; PyTorch takes part where it is installed. Time is the processor's, on one thread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.train.run import Run
from tests.benchmark.handwritten import Train

WARM = 2  # rounds that do not count
HEAD = (
    "| workload | Backstep µs | by hand µs | PyTorch µs | × by hand | median | × PyTorch |\n"
    "|---|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Result:
    """Microseconds a step, by who ran, of every round."""

    times: Sequence[Sequence[float]]

    @property
    def fastest(self) -> list[float]:
        return [min(column) for column in self.times]

    @property
    def ratio(self) -> float:
        """Of our fastest round to the fastest by hand: what other programs did in between to
        either falls out.
        """
        return self.fastest[0] / self.fastest[1]

    @property
    def median(self) -> float:
        """Of the ratios of neighbours."""
        return statistics.median(a / b for a, b in zip(self.times[0], self.times[1], strict=True))

    def line(self, name: str) -> str:
        ours, by_hand, *others = self.fastest
        torch = (f"{others[0]:.1f}", f"{ours / others[0]:.2f}") if others else ("–", "–")
        return (
            f"| {name} | {ours:.1f} | {by_hand:.1f} | {torch[0]} | {self.ratio:.2f} "
            f"| {self.median:.2f} | {torch[1]} |"
        )


def race(runners: Sequence[Train], steps: int, rounds: int) -> Result:
    """Each runner makes so many steps a round; who begins changes."""
    times: list[list[float]] = [[] for _ in runners]
    for number in range(rounds + WARM):
        order = list(range(len(runners)))
        for i in order[number % len(order) :] + order[: number % len(order)]:
            start = time.process_time()
            runners[i](steps)
            if number >= WARM:
                times[i].append((time.process_time() - start) / steps * 1e6)
    return Result(times)


def full_speed(run: Run) -> Train:
    """Backstep's own loop, from where the run stands."""

    def train(count: int) -> list[float]:
        done = len(run.history)
        run.train(done + count)
        return run.history.train_loss[done:]

    return train


def differ(ours: Train, theirs: Train, steps: int) -> float:
    """The largest relative difference of the losses of the first steps; below a millionth, where
    only rounding is left of a loss, it is taken of that.
    """
    pairs = zip(ours(steps), theirs(steps), strict=True)
    return max(abs(a - b) / max(abs(b), 1e-6) for a, b in pairs)


def by_pytorch(spec: dict[str, Any], run: Run) -> list[Train]:
    """The same in PyTorch, where it is there."""
    try:
        from tests.reference.training import by_pytorch
    except ImportError:
        return []
    return [by_pytorch(spec, run.problem.initial())]
