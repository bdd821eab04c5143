"""A full-speed training step against the same step written by hand in NumPy.

    python -m tests.benchmark.steps [--rounds 40] [--profile]

They run in one process, in turns; told are the fastest round of each, the ratio of these, and the
median of the ratios of neighbours. The losses must agree to 1e-12, else nothing is compared.
"""

from __future__ import annotations

import app  # noqa: F401  isort: skip  holds BLAS to one thread, before NumPy is imported

import argparse
import cProfile
import pstats
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.train.run import Run
from app.train.spec import parse_spec
from tests.benchmark.handwritten import Array, Train, relu_adam, tanh_one_sample, tanh_sigmoid_batch
from tests.benchmark.race import HEAD, by_pytorch, differ, full_speed, race

TARGET = 1.1


@dataclass(frozen=True)
class Workload:
    name: str
    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    batch: int
    optimizer: dict[str, Any]
    by_hand: Callable[[Array, Array, list[Array], float], Train]
    steps: int = 500

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

    def runners(self) -> list[Train]:
        """Backstep's, by hand, and PyTorch's, with the same numbers to start from."""
        x, t, parameters, spec = self.make()
        run = Run(parse_spec(spec))
        by_hand = self.by_hand(x, t, list(parameters.values()), self.optimizer["lr"])
        return [full_speed(run), by_hand, *by_pytorch(spec, run)]


SGD = {"type": "sgd", "lr": 0.05}
ADAM = {"type": "adam", "lr": 0.001}
TANH, ONE = ("tanh", "tanh", "tanh"), ("tanh", "tanh", "sigmoid")
WORKLOADS = [
    Workload("2-4-4-1 tanh, one sample, MSE, SGD", (2, 4, 4, 1), TANH, 1, SGD, tanh_one_sample),
    Workload("2-4-2-1 tanh/sigmoid, batch 10, SGD", (2, 4, 2, 1), ONE, 10, SGD, tanh_sigmoid_batch),
    Workload("10-64-1 ReLU, batch 32, Adam", (10, 64, 1), ("relu",), 32, ADAM, relu_adam),
]


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
    print(HEAD)
    worst = 0.0
    for workload in WORKLOADS:
        runners = workload.runners()
        for other in runners[1:]:
            wrong = differ(workload.runners()[0], other, 300)
            if not wrong < 1e-12:
                raise SystemExit(f"{workload.name}: the losses differ by {wrong:.1e}")
        result = race(runners, workload.steps, asked.rounds)
        worst = max(worst, result.ratio)
        print(result.line(workload.name), flush=True)
    print(f"target: at most {TARGET}; {'met' if worst <= TARGET else 'missed'}")
    if asked.profile:
        for workload in WORKLOADS:
            profile(workload)


if __name__ == "__main__":
    main()
