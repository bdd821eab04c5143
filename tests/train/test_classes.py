"""Class numbers are checked where they come in: in a spec and when they are set by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.train.run import Run
from app.train.spec import parse_spec


def spec(targets: list[Any]) -> dict[str, Any]:
    return {
        "model": {"layers": [{"type": "linear", "out_features": 3}]},
        "loss": "cross_entropy",
        "data": {"inputs": [[1.0, 2.0]] * len(targets), "targets": targets},
    }


@pytest.mark.parametrize("wrong", [7, -1, 3, 0.5, "NaN", "Infinity"])
def test_a_target_that_is_no_class_is_told(wrong: Any) -> None:
    with pytest.raises(BackstepError) as told:
        parse_spec(spec([0, wrong]))
    assert told.value.where is not None and told.value.where.startswith("data.targets")


@pytest.mark.parametrize("wrong", [7.0, -1.0, 0.5, float("nan")])
def test_a_class_set_by_hand_is_checked_and_nothing_is_lost(wrong: float) -> None:
    run = Run(parse_spec(spec([0, 2])))
    before = run.loss(0)
    with pytest.raises(BackstepError, match="whole numbers from 0 to 2: .*has 3 to choose"):
        run.set_value(0, "target", np.array([0.0, wrong]))
    assert run.loss(0) == before


def test_probabilities_are_targets_too() -> None:
    run = Run(parse_spec(spec([[0.2, 0.5, 0.3], [1, 0, 0]])))
    assert np.isfinite(run.loss(0))
