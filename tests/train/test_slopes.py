"""Whatever the plan, the gradient told apart from it is the slope of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.types import VALUE
from app.train.slopes import gradients, loss, planned
from tests.train.plans.specs import CLASSES, NETWORK, run_of

METHODS: dict[str, dict[str, Any]] = {
    "plain": {},
    "micro-batches": {"accumulate": 3},
    "summed": {"accumulate": 2, "loss": "squared_error"},
    "checkpoints": {"checkpoint": 2},
    "penalties": {"regularisation": {"l1": 0.1, "l2": 0.1}},
    "half precision": {"precision": "float16", "accumulate": 2},
    "repaired": {"fault": {"type": "in_place", "node": "1.a", "repaired": True}},
}


@pytest.mark.parametrize("method", METHODS)
def test_is_the_slope(method: str) -> None:
    spec = NETWORK | METHODS[method]
    run, plain = run_of(spec), run_of({k: v for k, v in spec.items() if k != "precision"})
    found = gradients(run, 0)
    w = run.slots(0, 0)["2.weight", VALUE]
    for index in [(0, 0), (3, 2), (1, 1)]:
        ends = []
        for step in (1e-5, -1e-5):
            moved = np.array(w)
            moved[index] += step
            ends.append(plain.loss(0, {"2.weight": moved}))
        slope = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(found["2.weight"][index], slope, rtol=1e-6, atol=1e-9)


def test_class_numbers_have_no_gradient() -> None:
    assert set(gradients(run_of(CLASSES), 0)) == {
        "input",
        *(node.name for node in run_of(CLASSES).graph(0).kind("parameter")),
    }


@pytest.mark.parametrize("method", METHODS)
def test_the_plans_gradient_is_the_same_where_nothing_is_rounded(method: str) -> None:
    run = run_of(NETWORK | METHODS[method])
    true, made = gradients(run, 0), planned(run, 0)
    tolerance = 0.02 if method == "half precision" else 1e-12
    for node in run.graph(0).kind("parameter"):
        size = np.max(np.abs(true[node.name]))
        if method != "half precision" or np.all(np.isfinite(made[node.name])):
            assert np.max(np.abs(true[node.name] - made[node.name])) <= tolerance * size
    np.testing.assert_allclose(loss(run, 0), run.loss(0), rtol=0.01)


def test_a_faults_gradient_is_told_as_it_is() -> None:
    spec = {"program": "b = a + a\nt = 3*b\nc = b*t", "values": {"a": 1.0}}
    run = run_of(spec | {"fault": {"type": "naive_recursion"}})
    assert planned(run, 0)["a"] == 36 and gradients(run, 0)["a"] == 24
    stopped = run_of(NETWORK | {"fault": {"type": "in_place", "node": "1.a"}})
    assert "0.weight" not in planned(stopped, 0) and "2.weight" in planned(stopped, 0)
