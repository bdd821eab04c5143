"""A full-speed training step against the same step written by hand in NumPy.

    python -m tests.benchmark.steps [--rounds 40] [--profile]

Both run in one process, in turns, so that both meet the same machine; told is the median of the
ratios of neighbours. Their losses must agree to 1e-12, else nothing is compared.
"""

from __future__ import annotations

import app  # noqa: F401  isort: skip  holds BLAS to one thread, before NumPy is imported

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.train.run import Run
from app.train.spec import parse_spec
from tests.benchmark.handwritten import Array, Train, relu_adam, tanh_one_sample, tanh_sigmoid_batch

TARGET = 1.1


@dataclass(frozen=True)
class Workload:
    name: str
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    batch: int
    optimizer: dict[str, Any]
    by_hand: Callable[[Array, Array, list[Array], float], Train]
    steps: int = 1000

    def make(self) -> tuple[Array, Array, dict[str, Array], dict[str, Any]]:
        """Samples, targets, parameters by name, and the spec that says the same to Backstep."""
        rng = np.random.default_rng(1)
        x = rng.uniform(-1, 1, size=(self.batch, self.sizes[0]))
        t = rng.uniform(0.2, 0.8, size=(self.batch, 1))
        layers: list[dict[str, Any]] = []
        parameters = {}
        for width, out, activation in zip(
            self.sizes, self.sizes[1:], (*self.activations, "", ""), strict=False
        ):
            scope = f"{len(layers)}"
            parameters[f"{scope}.weight"] = rng.uniform(-1, 1, size=(out, width)) / width**0.5
            parameters[f"{scope}.bias"] = rng.uniform(-0.1, 0.1, size=out)
            layers.append({"type": "linear", "out_features": out})
            layers += [{"type": activation}] if activation else []
        spec = {
            "model": {"input_shape": [self.sizes[0]], "layers": layers},
            "loss": {"type": "mse"},
            "optimizer": self.optimizer,
            "data": {"inputs": x.tolist(), "targets": t.tolist()},
            "batch_size": self.batch,
            "parameters": {name: value.tolist() for name, value in parameters.items()},
        }
        return x, t, parameters, spec


SGD = {"type": "sgd", "lr": 0.05}
ADAM = {"type": "adam", "lr": 0.001}
TANH, ONE = ("tanh", "tanh", "tanh"), ("tanh", "tanh", "sigmoid")
WORKLOADS = [
    Workload("2-4-4-1 tanh, one sample, MSE, SGD", (2, 4, 4, 1), TANH, 1, SGD, tanh_one_sample),
    Workload("2-4-2-1 tanh/sigmoid, batch 10, SGD", (2, 4, 2, 1), ONE, 10, SGD, tanh_sigmoid_batch),
    Workload("10-64-1 ReLU, batch 32, Adam", (10, 64, 1), ("relu",), 32, ADAM, relu_adam),
]


def compare_losses(workload: Workload) -> float:
    """The largest relative difference of the losses of the first steps."""
    x, t, parameters, spec = workload.make()
    run = Run(parse_spec(spec))
    run.train(300)
    theirs = workload.by_hand(x, t, list(parameters.values()), workload.optimizer["lr"])(300)
    ours = run.history.train_loss
    return max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))


def measure(workload: Workload, rounds: int) -> tuple[float, float, float]:
    """Microseconds a step, ours and by hand (fastest round), and the median ratio of neighbours."""
    x, t, parameters, spec = workload.make()
    run, done = Run(parse_spec(spec)), 0
    by_hand = workload.by_hand(x, t, list(parameters.values()), workload.optimizer["lr"])

    def ours() -> float:
        nonlocal done
        done += workload.steps
        start = time.perf_counter()
        run.train(done)
        return (time.perf_counter() - start) / workload.steps

    def theirs() -> float:
        start = time.perf_counter()
        by_hand(workload.steps)
        return (time.perf_counter() - start) / workload.steps

    pairs = []
    for number in range(rounds + 2):
        first, second = (ours, theirs) if number % 2 else (theirs, ours)
        one, two = first(), second()
        if number >= 2:  # the first rounds warm up
            pairs.append((one, two) if number % 2 else (two, one))
    ratio = statistics.median(a / b for a, b in pairs)
    return min(a for a, _ in pairs) * 1e6, min(b for _, b in pairs) * 1e6, ratio


def profile(workload: Workload) -> None:
    """Where our time goes, by function."""
    run = Run(parse_spec(workload.make()[3]))
    run.train(1000)
    watch = cProfile.Profile()
    watch.enable()
    run.train(6000)
    watch.disable()
    print(f"\n{workload.name}: 5000 steps")
    pstats.Stats(watch).sort_stats("tottime").print_stats(18)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    print(f"| {'workload':36} | Backstep µs | by hand µs | ratio | losses differ |")
    print(f"|{'-' * 38}|------------:|-----------:|------:|--------------:|")
    worst = 0.0
    for workload in WORKLOADS:
        difference = compare_losses(workload)
        if not difference < 1e-12:
            raise SystemExit(f"{workload.name}: the losses differ by {difference:.1e}")
        ours, theirs, ratio = measure(workload, asked.rounds)
        worst = max(worst, ratio)
        print(
            f"| {workload.name:36} | {ours:11.1f} | {theirs:10.1f} "
            f"| {ratio:5.2f} | {difference:13.0e} |",
            flush=True,
        )
    print(f"target: at most {TARGET}; {'met' if worst <= TARGET else 'missed'}")
    if asked.profile:
        for workload in WORKLOADS:
            profile(workload)


if __name__ == "__main__":
    main()
