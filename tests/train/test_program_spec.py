"""Programs as specs: inputs and targets are fed, parameters trained, class numbers stay whole."""

from __future__ import annotations

import numpy as np
import pytest

from app.train.run import Run
from app.train.spec import parse_spec


def test_a_loss_by_name_gets_its_target() -> None:
    run = Run(
        parse_spec(
            {
                "program": "L = mse(w*x, y)",
                "values": {"w": 2, "x": 3, "y": 5},
                "parameters": ["w"],
                "optimizer": {"type": "sgd", "lr": 0.05},
            }
        )
    )
    assert run.slots(0, len(run.plan(0)))["w", "grad"] == 6
    run.train(50)
    assert run.history.train_loss[0] == 1.0
    assert run.slots(50, 0)["w", "value"] == pytest.approx(5 / 3)


def test_class_numbers_stay_whole() -> None:
    run = Run(
        parse_spec(
            {
                "program": "L = cross_entropy(x @ W, t)",
                "values": {"W": [[0, 0, 0], [0, 0, 0]], "x": [[1, 0], [0, 1]], "t": [2, 0]},
                "parameters": ["W"],
            }
        )
    )
    run.train(100)
    losses = run.history.train_loss
    assert losses[0] == pytest.approx(np.log(3)) and losses[-1] < 0.2
    assert run.slots(0, 1)["t", "value"].dtype == np.int64
