"""Several ways to make the same training step, run in turns in one process, so that all meet the
same machine; PyTorch takes part where it is installed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
            start = time.perf_counter()
            runners[i](steps)
            if number >= WARM:
                times[i].append((time.perf_counter() - start) / steps * 1e6)
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
    """The same in PyTorch (eager, float64, its own modules and optimizers), where it is there."""
    try:
        import torch
    except ImportError:
        return []
    from tests.reference.layers import modules

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    x, t = torch.tensor(spec["data"]["inputs"]), torch.tensor(spec["data"]["targets"])
    layers: list[Any] = []
    for given in spec["model"]["layers"]:
        kept = isinstance(given, str) or "fused" not in given
        layers.append(given if kept else {k: v for k, v in given.items() if k != "fused"})
    model = torch.nn.Sequential(*modules(layers, tuple(x.shape)))
    start = {name: torch.tensor(np.array(v)) for name, v in run.problem.initial().items()}
    model.load_state_dict(start)
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[spec["optimizer"]["type"]]
    optimizer = kind(model.parameters(), lr=spec["optimizer"]["lr"])
    function: Callable[..., Any] = torch.nn.functional.mse_loss
    if "cross_entropy" in str(spec["loss"]):
        t, function = t.reshape(-1), torch.nn.functional.cross_entropy

    def train(count: int) -> list[float]:
        losses = []
        for _ in range(count):
            optimizer.zero_grad()
            y = model(x)
            loss = function(y.reshape(-1, y.shape[-1]) if t.ndim == 1 else y, t)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    return [train]
