"""Networks of layers against the same step written by hand in NumPy: a large MLP, a small CNN, an
RNN over 50 steps, attention with an MLP.

    python -m tests.benchmark.layers [--rounds 40] [--only RNN]

They run in one process, in turns, and are measured in its processor's time; told are the fastest
round of each, the ratio of these, and the median of the ratios of neighbours. The losses of the
first steps must agree to 1e-10, else nothing is compared.
"""

from __future__ import annotations

import app  # noqa: F401  isort: skip  holds BLAS to one thread, before NumPy is imported

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from app.train.run import Run
from app.train.spec import parse_spec
from tests.benchmark.handwritten import Array, Train
from tests.benchmark.handwritten_layers import RATE, attention, cnn, mlp, rnn
from tests.benchmark.race import HEAD, by_pytorch, differ, full_speed, race


@dataclass(frozen=True)
class Workload:
    name: str
    layers: list[Any]
    loss: str
    x: Array
    t: Array
    by_hand: Callable[..., Train]
    steps: int
    """How many make a round; at its end Backstep keeps what it needs to step back there."""
    adam: float = 0.0

    def make(self) -> list[Train]:
        """Backstep's, by hand, and PyTorch's, with the same numbers to start from."""
        optimizer = {"type": "adam", "lr": self.adam} if self.adam else {"type": "sgd", "lr": RATE}
        spec = {
            "model": {"layers": self.layers},
            "loss": self.loss,
            "optimizer": optimizer,
            "data": {"inputs": self.x.tolist(), "targets": self.t.tolist()},
        }
        run = Run(parse_spec(spec))
        start = {name: np.array(value) for name, value in run.problem.initial().items()}
        by_hand = self.by_hand(self.x, self.t, start)
        return [full_speed(run), by_hand, *by_pytorch(spec, run)]


def layer(kind: str, **options: Any) -> dict[str, Any]:
    return {"type": kind, **options}


rng = np.random.default_rng(0)


def linear(width: int) -> dict[str, Any]:
    return layer("linear", out_features=width)


DIGITS = [linear(256), "relu", linear(128), "relu", linear(10)]
IMAGES = [
    layer("conv2d", out_channels=8, kernel_size=3, padding=1), "relu",
    layer("max_pool2d", kernel_size=2),
    layer("conv2d", out_channels=16, kernel_size=3, padding=1), "relu",
    layer("max_pool2d", kernel_size=2), "flatten", linear(10),
]  # fmt: skip
SERIES = [layer("rnn", hidden_size=32, return_sequences=False), linear(1)]
FUSED = [layer("rnn", hidden_size=32, return_sequences=False, fused=True), linear(1)]
STEPS, LAST = rng.normal(size=(16, 50, 8)), rng.normal(size=(16, 1))
WORDS = ["self_attention", linear(128), "relu", linear(10)]
FLAT, CLASSES = rng.normal(size=(64, 784)), rng.integers(0, 10, 64)
WORKLOADS = [
    Workload("MLP 784-256-128-10, batch 64, SGD", DIGITS, "cross_entropy", FLAT, CLASSES, mlp, 60),
    Workload("MLP 784-256-128-10, batch 64, Adam", DIGITS, "cross_entropy", FLAT, CLASSES,
             partial(mlp, adam=1e-4), 60, 1e-4),
    Workload("CNN, 32 images of 28×28, SGD", IMAGES, "cross_entropy",
             rng.normal(size=(32, 1, 28, 28)), rng.integers(0, 10, 32), cnn, 4),
    Workload("RNN 8→32, 50 steps, batch 16, SGD", FUSED, "mse", STEPS, LAST, rnn, 50),
    Workload("the same, step by step", SERIES, "mse", STEPS, LAST, rnn, 50),
    Workload("attention and MLP, 8 × 16 × 32, SGD", WORDS, "cross_entropy",
             rng.normal(size=(8, 16, 32)), rng.integers(0, 10, (8, 16)), attention, 50),
]  # fmt: skip
FIRST = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--only", default="", help="part of a workload's name")
    asked = parser.parse_args()
    print(HEAD)
    for workload in WORKLOADS:
        if asked.only not in workload.name:
            continue
        runners = workload.make()
        for other in runners[1:]:
            wrong = differ(workload.make()[0], other, FIRST)
            if not wrong < 1e-10:
                raise SystemExit(f"{workload.name}: the losses differ by {wrong:.1e}")
        print(race(runners, workload.steps, asked.rounds).line(workload.name), flush=True)


if __name__ == "__main__":
    main()
