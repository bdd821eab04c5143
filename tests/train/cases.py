"""What is tried of every optimizer and clipping: configurations, and gradients that depend on where
the parameters stand. The reference script and the tests read the same table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Parameters = dict[str, NDArray[np.float64]]

STEPS = 50
NOTED = (1, 2, 10, 50)
"""After so many updates the golden values were written down."""

OPTIMIZERS: list[dict[str, Any]] = [
    {"type": "sgd"},
    {"type": "sgd", "lr": 0.1, "weight_decay": 0.05},
    {"type": "sgd", "lr": 0.05, "momentum": 0.9},
    {"type": "sgd", "lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.02},
    {"type": "sgd", "lr": 0.05, "momentum": 0.9, "dampening": -0.5},
    {"type": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02},
    {"type": "momentum", "lr": 0.05},
    {"type": "momentum", "lr": 0.05, "momentum": 0.5},
    {"type": "rmsprop"},
    {"type": "rmsprop", "lr": 0.02, "alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1},
    {"type": "rmsprop", "momentum": 0.7},
    {"type": "rmsprop", "centered": True, "momentum": 0.7, "weight_decay": 0.1},
    {"type": "adagrad"},
    {"type": "adagrad", "lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "eps": 1e-6},
    {"type": "adagrad", "initial_accumulator_value": 0.2},
    {"type": "adam"},
    {"type": "adam", "lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-4, "weight_decay": 0.1},
    {"type": "adam", "lr": 0.1, "amsgrad": True},
    {"type": "adam", "betas": [0.0, 0.0]},
    {"type": "adamw"},
    {"type": "adamw", "lr": 0.1, "weight_decay": 0.3, "amsgrad": True},
]

SCHEDULES: list[dict[str, Any]] = [
    {"type": "constant"},
    {"type": "step", "step_size": 7, "gamma": 0.5},
    {"type": "step", "step_size": 3},
    {"type": "exponential", "gamma": 0.9},
    {"type": "cosine", "T_max": 20},
    {"type": "cosine", "T_max": 9, "eta_min": 0.01},
    {"type": "warmup", "warmup_steps": 5},
]

CLIPS: list[dict[str, Any]] = [
    {"type": "norm", "max_norm": 1.0},
    {"type": "norm", "max_norm": 1000.0},
    {"type": "value", "clip_value": 0.5},
]

GRADIENTS: dict[str, dict[str, list[Any]]] = {
    "plain": {"w": [[3.0, -0.25], [0.5, -2.0]], "b": [0.125, -4.0]},
    "zero": {"w": [[0.0, 0.0], [0.0, 0.0]], "b": [0.0, 0.0]},
    "tiny": {"w": [[1e-9, -2e-9], [0.0, 3e-9]], "b": [1e-200, 0.0]},
    "infinite": {"w": [[float("inf"), 1.0], [0.0, -1.0]], "b": [2.0, float("-inf")]},
    "not a number": {"w": [[float("nan"), 1.0], [0.0, -1.0]], "b": [2.0, 3.0]},
    "overflow": {"w": [[1e200, 1.0], [0.0, -1.0]], "b": [2.0, 3.0]},
}


def start() -> Parameters:
    return {"w": np.array([[0.5, -1.25], [2.0, 0.0]]), "b": np.array([0.75, -3.0, 0.1])}


def gradients(t: int, parameters: Parameters) -> Parameters:
    """The slope of a bowl with a push that differs each time; exact in every library. One entry of
    the push is always 0, one is large for once."""
    found = {}
    for number, (name, value) in enumerate(parameters.items()):
        rng = np.random.default_rng([t, number])
        push = rng.integers(-64, 65, size=value.shape) / 64.0
        push.flat[-1] = 0.0 if t != 5 else 100.0
        found[name] = value * 0.5 + push
    return found


def rate(t: int, lr: float) -> float:
    """The learning rate is halved in the middle."""
    return lr if t < STEPS // 2 else lr / 2
