"""Small networks on which other plans are tried, and how a spec is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.train.run import Run
from app.train.spec import parse_spec

Slots = dict[tuple[str, str], Any]


def linear(out: int) -> dict[str, Any]:
    return {"type": "linear", "out_features": out}


NETWORK: dict[str, Any] = {
    "model": {"layers": [linear(4), "tanh", linear(4), "sigmoid", linear(3), "relu", linear(1)]},
    "loss": "mse",
    "data": {"dataset": "plane", "samples": 12},
    "optimizer": {"type": "sgd", "lr": 0.1},
}
CLASSES: dict[str, Any] = {
    "model": {"layers": [linear(5), "gelu", linear(3)]},
    "loss": "cross_entropy",
    "data": {
        "inputs": [[0.1, 0.2], [0.5, -1.0], [2.0, 1.0], [1.0, 1.0], [-1.0, 0.3], [0.0, 0.4]],
        "targets": [0, 2, 1, 1, 0, 2],
    },
    "optimizer": {"type": "adam", "lr": 0.05},
}
PROGRAM: dict[str, Any] = {
    "program": "z = w*x + b\na = tanh(z)\nq = a*a + z\nL = mean((q - 0.5)**2)",
    "values": {"w": 2, "x": [3, -1, 0.5], "b": 1},
    "parameters": ["w", "b"],
}


def run_of(spec: dict[str, Any]) -> Run:
    return Run(parse_spec(spec))


def end(run: Run, iteration: int = 0) -> Slots:
    """All slots when an iteration is done."""
    return dict(run.slots(iteration, len(run.plan(iteration))))


def same(a: Slots, b: Slots) -> bool:
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and np.array_equal(a[k], b[k], equal_nan=True) for k in a
    )


def of_slot(slots: Slots, slot: str) -> Slots:
    return {key: value for key, value in slots.items() if key[1] == slot}
