"""float16 where it is said, full precision where it is needed; scaling, overflow and underflow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.ops.cast import Cast
from app.engine.types import GRAD, HALF, VALUE
from app.train.plans.mixed_precision import FOUND_INF, SCALE, SKIPPED, TRACKER, underflows
from app.train.plans.underflow import underflow_view
from tests.engine import checks
from tests.train.plans.specs import CLASSES, NETWORK, end, linear, run_of

TINY: dict[str, Any] = NETWORK | {
    "model": {"layers": [linear(3), "tanh", linear(1)]},
    "data": {"inputs": [[1e-3, 2e-3]], "targets": [[1.0]]},
    "parameters": {"2.weight": [[1e-5, -2e-5, 1e-5]], "2.bias": [1.0 - 1e-3]},
}


def with_half(spec: dict[str, Any], **options: Any) -> dict[str, Any]:
    return spec | {"precision": {"type": "float16", **options}}


def test_a_cast_rounds_to_the_nearest_half() -> None:
    x = np.array([1.0 + 2**-11, 1.0 + 3 * 2**-11, 65519.0, 65520.0, 1e-8, 6e-8, -0.1])
    y, grads = checks.run(Cast(), (x,), np.full(7, 0.1))
    assert y.dtype == HALF
    with np.errstate(over="ignore"):
        assert np.array_equal(y, x.astype(np.float16))
    assert y[0] == 1.0 and np.isinf(y[3]) and y[4] == 0.0 and y[5] > 0
    assert np.array_equal(grads[0], np.full(7, 0.1))


def test_products_are_half_and_losses_are_not() -> None:
    graph = run_of(with_half(CLASSES)).graph(0)
    kinds = {node.name: str(np.dtype(node.dtype)) for node in graph.nodes.values()}
    assert kinds["0.z"] == kinds["1.a"] == kinds["2.z"] == "float16"
    assert kinds["loss"] == kinds["0.weight"] == kinds["scaled_loss"] == "float64"
    assert graph["loss"].inputs[0] == "2.z.fp64"
    assert graph["target"].dtype == run_of(CLASSES).graph(0)["target"].dtype


def test_every_half_slot_is_really_half_and_parameters_are_not() -> None:
    run = run_of(with_half(NETWORK))
    graph, slots = run.graph(0), end(run)
    for node in graph.nodes.values():
        assert slots[node.name, VALUE].dtype == node.dtype
        if (node.name, GRAD) in slots:
            assert slots[node.name, GRAD].dtype == node.grad_dtype
    assert slots["0.weight", GRAD].dtype == slots["0.weight", VALUE].dtype == np.float64


def test_gradients_are_near_those_in_full_precision() -> None:
    half, full = end(run_of(with_half(NETWORK, loss_scale=256.0))), end(run_of(NETWORK))
    for key, value in full.items():
        if key[1] == GRAD and key[0].endswith(("weight", "bias")):
            size = np.max(np.abs(value))
            assert np.max(np.abs(half[key] - value)) <= 1e-2 * size
            assert not np.array_equal(half[key], value)


def test_without_scaling_small_gradients_become_0_and_are_reported() -> None:
    lost = run_of(with_half(TINY, loss_scale=None))
    slots = end(lost)
    assert not np.any(slots["0.weight", GRAD])
    where = underflows(lost.graph(0), slots)
    assert [(row["from"], row["to"], row["lost"]) for row in where] == [
        ("2.z", "1.a", 2),
        ("0.z", "0.weight.fp16", 2),
    ]
    told = {row["node"]: row for row in underflow_view(lost, 0)["parameters"]}
    assert told["0.weight"]["lost"] == told["0.weight"]["of"] == 6
    assert told["2.bias"]["lost"] == 0
    scaled = run_of(with_half(TINY))
    kept = end(scaled)
    full = end(run_of(TINY))["0.weight", GRAD]
    assert np.all(kept["0.weight", GRAD] != 0)
    np.testing.assert_allclose(kept["0.weight", GRAD], full, rtol=0.1)
    view = underflow_view(scaled, 0)
    assert view["where"] == [] and view["loss_scale"] == 2.0**16 and not view["overflow"]
    assert all(row["lost"] == row["infinite"] == 0 for row in view["parameters"])


def test_overflow_skips_the_update_and_halves_the_scale() -> None:
    run = run_of(with_half(NETWORK, loss_scale=2.0**40, growth_interval=2))
    before = dict(run.slots(0, 0))
    scales, skipped = [], []
    for i in range(40):
        slots = run.slots(i + 1, 0)
        if i == 0:
            assert slots[SCALE, FOUND_INF] == 1 and slots[SCALE, SKIPPED] == 1
            assert slots[SCALE, VALUE] == 2.0**39
            for node in run.graph(0).kind("parameter"):
                assert np.array_equal(slots[node.name, VALUE], before[node.name, VALUE])
        scales.append(float(slots[SCALE, VALUE]))
        skipped.append(int(slots[SCALE, SKIPPED]))
    first = next(i for i, n in enumerate(skipped) if i and n == skipped[i - 1])
    assert scales[first - 1] < 2.0**40 and skipped[-1] < 40
    assert any(b == 2 * a for a, b in zip(scales, scales[1:], strict=False))
    assert run.slots(first + 1, 0)[SCALE, TRACKER] == 1


def test_an_update_that_was_skipped_is_not_counted_by_adam() -> None:
    spec = NETWORK | {"optimizer": {"type": "adam", "lr": 0.01}}
    scaled = run_of(with_half(spec, loss_scale=2.0**40, backoff_factor=2.0**-30))
    plain = run_of(with_half(spec, loss_scale=2.0**10))
    late, early = scaled.slots(2, 0), plain.slots(1, 0)
    assert late[SCALE, SKIPPED] == 1
    for node in plain.graph(0).kind("parameter"):
        assert np.array_equal(late[node.name, VALUE], early[node.name, VALUE])
        assert np.array_equal(late[node.name, "exp_avg"], early[node.name, "exp_avg"])


@pytest.mark.parametrize("scale", [2.0**4, 2.0**10])
def test_a_power_of_two_changes_nothing_but_what_would_be_lost(scale: float) -> None:
    a = end(run_of(with_half(NETWORK, loss_scale=2.0**7)))
    b = end(run_of(with_half(NETWORK, loss_scale=scale)))
    for name in ("4.weight", "6.weight"):
        np.testing.assert_allclose(a[name, GRAD], b[name, GRAD], rtol=2e-3, atol=1e-6)


def test_the_plan_has_the_scalers_steps_in_pytorchs_order() -> None:
    spec = with_half(NETWORK | {"clip": {"max_norm": 1.0}})
    phases = list(dict.fromkeys(step.phase for step in run_of(spec).plan(0)))
    assert phases[3:] == ["loss", "backward", "unscale", "clip", "update", "update_scale"]
    unscaled = with_half(NETWORK, loss_scale=None)
    assert "unscale" not in [step.phase for step in run_of(unscaled).plan(0)]
