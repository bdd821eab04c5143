"""The plans hold for images, sequences, attention, normalisation and noise alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.types import GRAD, VALUE
from app.train.plans.memory import memory_view
from app.train.plans.rewritten import Scalars
from tests.train.plans.specs import end, linear, run_of, same

RNG = np.random.default_rng(4)


def images(*layers: Any) -> dict[str, Any]:
    return {
        "model": {"layers": [*layers, "flatten", linear(2)]},
        "loss": "mse",
        "data": {
            "inputs": RNG.normal(size=(4, 1, 4, 4)).tolist(),
            "targets": RNG.normal(size=(4, 2)).tolist(),
        },
    }


def sequences(*layers: Any) -> dict[str, Any]:
    return {
        "model": {"layers": [*layers, linear(1)]},
        "loss": "mse",
        "data": {
            "inputs": RNG.normal(size=(4, 3, 2)).tolist(),
            "targets": RNG.normal(size=(4, 1)).tolist(),
        },
    }


CONV: dict[str, Any] = {"type": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1}
SPECS: dict[str, dict[str, Any]] = {
    "conv2d, max_pool2d": images(CONV, "relu", {"type": "max_pool2d", "kernel_size": 2}),
    "conv2d, avg_pool2d": images(CONV, "tanh", {"type": "avg_pool2d", "kernel_size": 2}),
    "batch_norm": images(CONV, "batch_norm", "relu"),
    "dropout": images(CONV, "relu", {"type": "dropout", "p": 0.4}),
    "layer_norm": sequences("flatten", linear(3), {"type": "layer_norm", "normalized_shape": 3}),
    "residual": sequences("flatten", {"type": "residual", "layers": [linear(6), "tanh"]}),
    "rnn": sequences({"type": "rnn", "hidden_size": 2, "return_sequences": False}),
    "lstm": sequences({"type": "lstm", "hidden_size": 2, "return_sequences": False}),
    "gru": sequences({"type": "gru", "hidden_size": 2, "return_sequences": False}),
    "transformer_encoder_layer": sequences(
        {"type": "transformer_encoder_layer", "nhead": 2, "dim_feedforward": 4, "dropout": 0.2},
        "flatten",
    ),
    "branches": sequences("flatten", {"type": "branches", "branches": [["tanh"], [linear(2)]]}),
    "self_attention": sequences(
        {"type": "self_attention", "num_heads": 2, "causal": True}, "flatten"
    ),
}
everywhere = pytest.mark.parametrize("name", SPECS)


def carried(spec: dict[str, Any], iterations: int = 4) -> dict[Any, Any]:
    run = run_of(spec)
    run.train(iterations)
    leaves = {n.name for n in run.graph(0).nodes.values() if n.op is None}
    return {s: v for s, v in end(run, iterations).items() if s[0] in leaves or s[1] == GRAD}


@everywhere
@pytest.mark.parametrize("every", [1, 2])
def test_checkpointed_is_plain_bit_for_bit(name: str, every: int) -> None:
    assert same(carried(SPECS[name] | {"checkpoint": every}), carried(SPECS[name]))


@everywhere
def test_micro_batches_sum_to_the_large_batch(name: str) -> None:
    """But for batch_norm, whose statistics are those of the micro-batch."""
    whole, parts = end(run_of(SPECS[name])), end(run_of(SPECS[name] | {"accumulate": 2}))
    gaps = [
        float(np.max(np.abs(parts[key] - value)))
        for key, value in whole.items()
        if key[1] == GRAD and key[0].endswith(("weight", "bias"))
    ]
    assert (max(gaps) > 1e-6) if name == "batch_norm" else (max(gaps) < 1e-12)


@everywhere
def test_half_precision_is_near_and_full_speed_is_the_same(name: str) -> None:
    spec = SPECS[name] | {"precision": {"loss_scale": 256}}
    half, full = end(run_of(spec)), end(run_of(SPECS[name]))
    for node in run_of(spec).graph(0).kind("parameter"):
        value = full[node.name, GRAD]
        gap = np.max(np.abs(half[node.name, GRAD] - value))
        assert gap <= 0.03 * np.max(np.abs(value)) + 1e-4
    fast, stepped = run_of(spec), run_of(spec)
    fast.train(6)
    for i in range(6):
        stepped.slots(i + 1, 0)
    assert same(fast.slots(6, 0), stepped.slots(6, 0))


@everywhere
def test_the_memory_account_ends_at_nothing(name: str) -> None:
    view = memory_view(run_of(SPECS[name] | {"checkpoint": 1}), 0)
    for series in (view["plan"], view["plain"]):
        assert min(series["bytes"]) >= 0 and series["bytes"][-1] == 0 and series["peak"] > 0


@pytest.mark.parametrize(
    "name",
    ["conv2d, max_pool2d", "conv2d, avg_pool2d", "layer_norm", "residual", "rnn", "dropout"],
)
def test_taken_apart_gives_the_same_gradients(name: str) -> None:
    spec = SPECS[name] | {"batch_size": 1}
    whole, apart = run_of(spec), run_of(spec | {"scalars": True})
    a, b = end(whole), end(apart)
    assert isinstance(apart.problem, Scalars)
    exploded = apart.problem.exploded(0)
    grads = {node: v for (node, slot), v in b.items() if slot == GRAD}
    for node in whole.graph(0).kind("parameter"):
        np.testing.assert_allclose(
            exploded.gather(node.name, grads), a[node.name, GRAD], rtol=1e-11, atol=1e-12
        )
    np.testing.assert_allclose(b["loss", VALUE], a["loss", VALUE], rtol=1e-12)
