"""Our own digits: grey values, as different as hands are, and no task for a straight line alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.train.datasets.digits import FONT, Digits, distance, segments
from app.train.run import Run
from app.train.scores import evaluated
from app.train.spec import parse_spec


def drawn(**arguments: Any) -> tuple[Any, Any]:
    return Digits(**arguments).make(np.random.default_rng(3))


def test_they_are_grey_values_with_paper_around() -> None:
    pictures, digits = drawn(samples=400, noise=0)
    assert pictures.min() == 0 and pictures.max() == 1
    assert np.mean((pictures > 0) & (pictures < 1)) > 0.2, "edges are grey"
    corners = pictures[:, 0][:, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.mean() < 0.05 < 0.2 < pictures.mean() < 0.4
    assert digits[:12, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_no_hand_writes_like_another_unless_it_is_asked_to() -> None:
    for variety, forms in ((1.0, 40), (0.0, None)):
        pictures, _ = drawn(samples=400, noise=0, variety=variety)
        for digit in range(10):
            different = len(np.unique(pictures[digit::10].reshape(40, -1), axis=0))
            assert different == (forms or len(FONT[digit]))


def test_flat_ones_are_the_same_pictures() -> None:
    pictures, flat = drawn()[0], drawn(flat=True)[0]
    assert flat.shape == (500, 64) and (pictures.reshape(500, 64) == flat).all()


def test_a_pixel_measures_its_way_to_the_nearest_stroke() -> None:
    ends = segments([[(0, 0), (1, 0), (1, 1)]])
    points = np.array([[0.5, 0.25], [-3, 4], [2, 0.5], [1, 1]])
    np.testing.assert_allclose(distance(points, ends), [0.25, 5, 1, 0])


MODELS: dict[str, list[Any]] = {
    "a linear map": [{"type": "linear", "out_features": 10}],
    "a hidden layer": [
        {"type": "linear", "out_features": 32},
        "relu",
        {"type": "linear", "out_features": 10},
    ],
    "kernels": [
        {"type": "conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1},
        "relu",
        {"type": "max_pool2d", "kernel_size": 2},
        "flatten",
        {"type": "linear", "out_features": 10},
    ],
}


def test_a_line_gets_nine_in_ten_right_and_kernels_more() -> None:
    found = {}
    for name, layers in MODELS.items():
        data = {"dataset": "digits", "samples": 2000, "validation": 0.25}
        spec = {
            "model": {"layers": layers if name == "kernels" else ["flatten", *layers]},
            "loss": "cross_entropy",
            "optimizer": {"type": "adam", "lr": 0.01},
            "data": data,
            "batch_size": 50,
            "shuffle": True,
        }
        run = Run(parse_spec(spec))
        run.train(450)
        validation = evaluated(run, 450)["validation"]
        assert validation is not None
        found[name] = validation["accuracy"]
    assert 0.85 < found["a linear map"] < found["a hidden layer"] < found["kernels"], found
    assert found["a linear map"] < 0.94 and found["kernels"] > 0.95, found


@pytest.mark.parametrize("samples", [1, 9, 1025])
def test_any_number_of_them(samples: int) -> None:
    pictures, digits = drawn(samples=samples)
    assert pictures.shape == (samples, 1, 8, 8) and digits.shape == (samples, 1)
    assert (pictures.reshape(samples, -1).max(axis=1) > 0.5).all(), "none is empty"
