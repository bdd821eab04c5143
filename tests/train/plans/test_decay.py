"""Ways to keep weights small, compared on one update: by hand, and with full runs of each way."""

from __future__ import annotations

from typing import Any

import pytest

from app.engine.errors import BackstepError
from app.engine.types import VALUE
from app.lessons import lessons
from app.train.plans.decay import decay_view
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.plans.specs import NETWORK


def told(spec: dict[str, Any], iteration: int = 0) -> dict[str, dict[str, Any]]:
    view = decay_view(Run(parse_spec(spec)), iteration)
    return {row["way"]: row["parameters"][0] for row in view["rows"]}


def test_the_lessons_weight_in_every_way() -> None:
    """w = 2, slope 40, λ = 0.5, η = 0.1: adam's first step is η whatever the slope."""
    found = told(lessons()["weight-decay"].spec)
    after = {way: row["after"] for way, row in found.items()}
    close = {"none": 1.9, "l1": 1.9, "l2": 1.9, "coupled": 1.9, "decoupled": 1.8}
    assert after == pytest.approx(close, abs=1e-8)
    assert found["decoupled"]["decay"] == pytest.approx(0.1)


def test_for_plain_descent_an_l2_penalty_and_coupled_decay_are_the_same() -> None:
    spec = {
        "program": "L = w**2",
        "values": {"w": -3.0},
        "optimizer": {"type": "sgd", "lr": 0.1, "weight_decay": 0.5},
    }
    found = told(spec)
    assert "decoupled" not in found
    assert found["none"]["after"] == pytest.approx(-3 + 0.1 * 6)
    assert found["l1"]["after"] == pytest.approx(-3 + 0.1 * 6.5)
    assert found["l2"]["after"] == found["coupled"]["after"] == pytest.approx(-3 + 0.1 * 7.5)


def test_the_ways_are_those_of_the_run_itself() -> None:
    """Later on, with running averages: the spec's own way is what the run really does."""
    for kind, way in (("adam", "coupled"), ("adamw", "decoupled")):
        optimizer = {"type": kind, "lr": 0.05, "weight_decay": 0.1}
        run = Run(parse_spec(NETWORK | {"optimizer": optimizer}))
        view = decay_view(run, 5)
        row = next(row for row in view["rows"] if row["way"] == way)
        for one in row["parameters"]:
            value = run.slots(6, 0)[one["node"], VALUE][tuple(one["index"])]
            assert one["after"] == pytest.approx(float(value), rel=1e-12)
    penalty = Run(parse_spec(NETWORK | {"regularisation": {"l2": 0.2}}))
    row = next(row for row in decay_view(penalty, 3)["rows"] if row["way"] == "l2")
    for one in row["parameters"]:
        value = penalty.slots(4, 0)[one["node"], VALUE][tuple(one["index"])]
        assert one["after"] == pytest.approx(float(value), rel=1e-12)


def test_without_a_rate_there_is_nothing_to_compare() -> None:
    with pytest.raises(BackstepError, match="weight_decay, l1 or l2"):
        decay_view(Run(parse_spec(NETWORK)), 0)
