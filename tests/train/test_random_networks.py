"""Random small networks: stepped is full speed, bit by bit; both have the slope that measuring
finds; and micro-batches add up to the large batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.graph import PARAMETER
from app.engine.types import GRAD
from app.lab.gradient_check import gradient_check
from app.train.run import Run
from app.train.spec import parse_spec

WIDTH = 3
SAME: list[Any] = [
    "tanh",
    "sigmoid",
    "gelu",
    "softplus",
    "layer_norm",
    {"type": "linear", "out_features": WIDTH},
    {"type": "residual", "layers": [{"type": "linear", "out_features": WIDTH}, "tanh"]},
]
OTHER: list[Any] = [
    {"type": "branches", "branches": [["tanh"], [{"type": "linear", "out_features": 1}]]},
]
SEQUENCES: list[Any] = [
    {"type": "rnn", "hidden_size": 2},
    {"type": "gru", "hidden_size": 2, "num_layers": 2},
    {"type": "lstm", "hidden_size": 2, "truncate": 2},
    {"type": "self_attention", "causal": True},
    {"type": "transformer_encoder_layer", "nhead": 1, "dim_feedforward": 2, "dropout": 0.0},
]
OPTIMIZERS: list[dict[str, Any]] = [
    {"type": "sgd", "lr": 0.05, "momentum": 0.9},
    {"type": "adam", "lr": 0.01},
    {"type": "rmsprop", "lr": 0.01},
]


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Flat samples or short sequences, a few layers of any kind, six samples in one batch."""
    timed = draw(st.booleans())
    kinds = SAME + (SEQUENCES if timed else OTHER)
    layers = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    shape = (6, 3, WIDTH) if timed else (6, WIDTH)
    return {
        "model": {"layers": [*layers, {"type": "linear", "out_features": 2}]},
        "loss": draw(st.sampled_from(["mse", "half_squared_error", "squared_error"])),
        "optimizer": draw(st.sampled_from(OPTIMIZERS)),
        "data": {
            "inputs": rng.normal(size=shape).tolist(),
            "targets": rng.normal(size=(*shape[:-1], 2)).tolist(),
        },
        "seed": draw(st.integers(0, 99)),
    }


def fits(spec: dict[str, Any]) -> bool:
    """A residual of WIDTH cannot follow what makes another width."""
    widths = [x if isinstance(x, str) else x["type"] for x in spec["model"]["layers"][:-1]]
    changed = next((i for i, k in enumerate(widths) if k in ("branches", "rnn", "gru", "lstm")), 9)
    return "residual" not in widths[changed:]


@settings(max_examples=25)
@given(specs().filter(fits))
def test_stepped_is_full_speed_and_both_have_the_measured_slope(spec: dict[str, Any]) -> None:
    fast, stepped = Run(parse_spec(spec)), Run(parse_spec(spec))
    fast.train(4)
    for i in range(4):
        stepped.slots(i, len(stepped.plan(i)))
    a, b = fast.slots(4, 0), stepped.slots(4, 0)
    assert a.keys() == b.keys() and all(np.array_equal(a[slot], b[slot]) for slot in a)
    if not any("truncate" in str(layer) for layer in spec["model"]["layers"]):
        found = gradient_check(fast, 4)
        assert found.ok, found.verdict


@settings(max_examples=25)
@given(specs().filter(fits), st.sampled_from([2, 3, 6]))
def test_micro_batches_add_up_to_the_large_batch(spec: dict[str, Any], parts: int) -> None:
    whole, cut = Run(parse_spec(spec)), Run(parse_spec(spec | {"accumulate": parts}))
    one, many = whole.slots(0, len(whole.plan(0))), cut.slots(0, len(cut.plan(0)))
    for node in whole.graph(0).kind(PARAMETER):
        np.testing.assert_allclose(
            many[node.name, GRAD], one[node.name, GRAD], rtol=1e-9, atol=1e-12
        )
