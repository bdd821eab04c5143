"""Specs that the tests of sessions and of the API walk through."""

from __future__ import annotations

from typing import Any

from app.sessions.session import Session, new_record
from app.settings import Limits

LINE: dict[str, Any] = {
    "program": "z = w*x + b\nL = z**2",
    "values": {"w": 2.0, "x": 3.0, "b": 1.0},
    "parameters": ["w", "b"],
    "optimizer": {"type": "sgd", "lr": 0.01},
}

NETWORK: dict[str, Any] = {
    "title": "Seven samples in batches of three",
    "model": {
        "input_shape": [2],
        "layers": [
            {"type": "linear", "out_features": 3},
            {"type": "tanh"},
            {"type": "linear", "out_features": 1},
        ],
    },
    "loss": {"type": "mse"},
    "optimizer": {"type": "adam", "lr": 0.05},
    "schedule": {"type": "exponential", "gamma": 0.99},
    "clip": {"max_norm": 1.0},
    "data": {
        "inputs": [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [0, 2], [2, 2]],
        "targets": [[0], [1], [1], [0], [1], [1], [0]],
    },
    "batch_size": 3,
    "shuffle": True,
    "seed": 5,
}

CLASSES: dict[str, Any] = {
    "model": {"layers": [{"type": "linear", "out_features": 3}]},
    "loss": {"type": "cross_entropy"},
    "data": {"inputs": [[1.0, 2.0], [0.0, 1.0]], "targets": [0, 2]},
}


def session(spec: dict[str, Any], limits: Limits | None = None) -> Session:
    """One that no desk and no store knows of."""
    return Session(new_record("test", spec, lesson=None, title=""), limits or Limits())
