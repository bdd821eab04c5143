"""By hand, by measuring and by machine: one slope at different cost and with different error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError, LimitError
from app.train.approaches import SWEEP, approaches
from tests.train.plans.specs import NETWORK, linear, run_of

NEURON: dict[str, Any] = {
    "program": "a = sigmoid(w*x + b)\nL = (a - y)**2",
    "values": {"w": 0.5, "b": 0.1, "x": 1.2, "y": 0.0},
    "parameters": ["w", "b"],
}
BY_HAND = {
    "w": "a = sigmoid(w*x + b)\ng = 2*(a - y)*a*(1 - a)*x",
    "b": "a = sigmoid(w*x + b)\ng = 2*(a - y)*a*(1 - a)",
}


def rows(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["approach"]: row for row in given["rows"]}


def test_all_agree_and_cost_what_they_cost() -> None:
    found = rows(approaches(run_of(NEURON), 0, BY_HAND))
    assert list(found) == [
        "manual",
        "numerical, one-sided",
        "numerical, central",
        "automatic, forward mode",
        "automatic, reverse mode",
    ]
    assert found["manual"]["error"] < 1e-14
    assert found["automatic, forward mode"]["error"] < 1e-14
    assert found["numerical, central"]["error"] < 1e-8
    assert found["numerical, one-sided"]["error"] < 1e-4
    assert [row["evaluations"] for row in found.values()] == [0, 3, 4, 2, 1]


def test_a_slip_by_hand_shows() -> None:
    wrong = BY_HAND | {"w": "a = sigmoid(w*x + b)\ng = (a - y)*a*(1 - a)*x"}
    assert rows(approaches(run_of(NEURON), 0, wrong))["manual"]["error"] > 0.3


def test_the_measured_slopes_error_falls_and_rises_again() -> None:
    sweep = approaches(run_of(NEURON), 0)["sweep"]
    for kind in ("one_sided", "central"):
        errors = sweep[kind]
        best = int(np.argmin(errors))
        assert 2 < best < len(SWEEP) - 3
        assert errors[0] > 100 * errors[best] and errors[-1] > 100 * errors[best]
    assert min(sweep["central"]) < min(sweep["one_sided"]) / 10


def test_a_model_is_compared_too() -> None:
    spec = NETWORK | {"model": {"layers": [linear(2), "tanh", linear(1)]}}
    found = approaches(run_of(spec | {"regularisation": {"l2": 0.1}}), 0)
    assert found["numbers"] == 9
    assert rows(found)["automatic, forward mode"]["passes"] == 9
    assert rows(found)["numerical, central"]["error"] < 1e-7


def test_what_cannot_be_compared_is_said() -> None:
    big = NETWORK | {"model": {"layers": [linear(40), linear(1)]}}
    with pytest.raises(LimitError, match="64"):
        approaches(run_of(big), 0)
    with pytest.raises(BackstepError) as error:
        approaches(run_of(NEURON), 0, {"w": "sigmoid("})
    assert error.value.where == "manual.w"
    with pytest.raises(BackstepError, match="no parameter"):
        approaches(run_of(NEURON), 0, {"x": "w"})
