"""A network taken apart trains as the whole one does; forward mode gives one slope at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.errors import BackstepError
from app.engine.jvp import TANGENT
from app.engine.types import GRAD, VALUE
from app.sessions.graphs import graph_view
from app.sessions.views import frame_view, plan_view, state_view
from app.train.plans.rewritten import Scalars
from app.train.refined import run_of as shown
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.plans.specs import CLASSES, PROGRAM, end, linear, run_of

SMALL: dict[str, Any] = {
    "model": {"layers": [linear(3), "sigmoid", linear(1)]},
    "loss": "mse",
    "data": {
        "inputs": [[1.0, 2.0], [0.5, -1.0], [0.2, 0.3], [-0.4, 0.1]],
        "targets": [[1.0], [0.0], [0.5], [0.2]],
    },
    "batch_size": 2,
    "optimizer": {"type": "adam", "lr": 0.1},
}
SPECS = {"network": SMALL, "classes": CLASSES | {"batch_size": 2}, "program": PROGRAM}


def gathered(run: Run, slots: dict[Any, Any], iteration: int, name: str, slot: str) -> Any:
    assert isinstance(run.problem, Scalars)
    exploded = run.problem.exploded(iteration)
    return exploded.gather(name, {node: v for (node, s), v in slots.items() if s == slot})


@pytest.mark.parametrize("name", SPECS)
def test_trains_as_the_tensors_do(name: str) -> None:
    whole, apart = run_of(SPECS[name]), run_of(SPECS[name] | {"scalars": True})
    for i in (0, 1, 9):
        a, b = end(whole, i), end(apart, i)
        for node in whole.graph(i).kind("parameter"):
            for slot in (VALUE, GRAD):
                np.testing.assert_allclose(
                    gathered(apart, b, i, node.name, slot),
                    a[node.name, slot],
                    rtol=1e-9,
                    atol=1e-12,
                )
    np.testing.assert_allclose(whole.history.train_loss, apart.history.train_loss, rtol=1e-9)


@pytest.mark.parametrize("name", SPECS)
def test_numbers_that_arrays_train_start_every_iteration_as_the_arrays_do(name: str) -> None:
    whole, apart = run_of(SPECS[name]), shown(parse_spec(SPECS[name] | {"scalars": True}))
    for i in (0, 1, 9, 4):
        a, b = whole.slots(i, 0), apart.slots(i, 0)
        for slot in (VALUE, *whole.spec.optimizer.state):  # type: ignore[union-attr]
            for node in whole.graph(i).kind("parameter"):
                assert np.array_equal(gathered(apart, b, i, node.name, slot), a[node.name, slot]), (
                    "bit for bit"
                )
        a, b = end(whole, i), end(apart, i)
        for node in whole.graph(i).kind("parameter"):
            there = gathered(apart, b, i, node.name, GRAD)
            np.testing.assert_allclose(there, a[node.name, GRAD], rtol=1e-10, atol=1e-14)
    assert whole.history.table() == apart.history.table()


@pytest.mark.parametrize("started", [run_of, lambda spec: shown(parse_spec(spec))])
def test_stepped_and_full_speed_are_bit_identical(started: Any) -> None:
    fast, stepped = (started(SMALL | {"scalars": True}) for _ in range(2))
    fast.train(12)
    for i in range(12):
        stepped.slots(i + 1, 0)
    a, b = fast.slots(12, 0), stepped.slots(12, 0)
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_an_edit_of_one_number_is_an_edit_of_its_tensor() -> None:
    whole, apart = run_of(SMALL), run_of(SMALL | {"scalars": True})
    rows = whole.problem.feed(0)["input"].copy()
    rows[1, 0] = 7.0
    whole.set_value(0, "input", rows)
    apart.set_value(0, "input[1,0]", np.asarray(7.0))
    np.testing.assert_allclose(whole.loss(0), apart.loss(0), rtol=1e-12)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["tanh", "sigmoid", "gelu", "softmax", "elu", "linear", "layer_norm"]),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["mse", "mae", "huber", "bce_with_logits", "half_squared_error"]),
    st.integers(0, 100),
)
def test_random_networks(kinds: list[str], loss: str, seed: int) -> None:
    made: dict[str, Any] = {
        "linear": linear(2),
        "layer_norm": {"type": "layer_norm", "normalized_shape": 2},
    }
    layers = [linear(2), *(made.get(kind, kind) for kind in kinds), linear(1)]
    spec = SMALL | {"model": {"layers": layers}, "loss": loss, "seed": seed}
    whole, apart = run_of(spec), run_of(spec | {"scalars": True})
    a, b = end(whole), end(apart)
    for node in whole.graph(0).kind("parameter"):
        np.testing.assert_allclose(
            gathered(apart, b, 0, node.name, GRAD), a[node.name, GRAD], rtol=1e-10, atol=1e-12
        )


def test_every_step_is_told() -> None:
    run = run_of(SMALL | {"scalars": True})
    plan = plan_view(run, 0)
    assert all(row["label"] for row in plan)
    frames = [frame_view(run, 0, i) for i in range(len(plan))]
    assert all(frame["says"] for frame in frames)
    assert len(graph_view(run.graph(0))["nodes"]) == len(state_view(run, 0, 3)["nodes"])


@pytest.mark.parametrize("index", [[0, 0], [2, 1]])
def test_forward_mode_is_a_plan_that_ends_with_one_slope(index: list[int]) -> None:
    run = run_of(SMALL | {"forward_mode": {"node": "0.weight", "index": index}})
    backward = end(run_of(SMALL))["0.weight", GRAD][tuple(index)]
    slots = end(run)
    np.testing.assert_allclose(slots["loss", TANGENT], backward, rtol=1e-12)
    phases = [step.phase for step in run.plan(0)]
    assert phases[:4] == ["data", "tangent", "forward", "tangent"]
    assert "backward" not in phases and "update" not in phases
    run.train(3)
    assert np.array_equal(run.slots(3, 0)["0.weight", VALUE], run.slots(0, 0)["0.weight", VALUE])
    frames = [frame_view(run, 0, i) for i in range(len(phases))]
    assert all(frame["says"] for frame in frames)
    assert all(row["label"] for row in plan_view(run, 0))


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"forward_mode": {"node": "loss"}}, "forward_mode.node"),
        ({"forward_mode": {"node": "0.weight", "index": [9, 9]}}, "forward_mode.index"),
        ({"forward_mode": {"node": "0.weight", "index": 1}}, "forward_mode.index"),
        ({"forward_mode": "w"}, "forward_mode"),
        ({"scalars": 1}, "scalars"),
        ({"scalars": True, "checkpoint": 1}, "scalars"),
        ({"scalars": True, "batch_size": 3}, "batch_size"),
    ],
)
def test_errors_name_the_field(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(BackstepError) as error:
        run_of(SMALL | wrong)
    assert error.value.where == where
