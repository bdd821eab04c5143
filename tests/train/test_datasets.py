"""Every data set: its shape, its seed, what noise does, and that its points are what it says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError, LimitError
from app.engine.fields import pick
from app.engine.types import Array
from app.train.datasets import DATASETS, Dataset

ALL = pytest.mark.parametrize("name", DATASETS)


def made(spec: Any) -> Dataset:
    return pick(DATASETS, spec, "data", "the data set")


def drawn(name: str, seed: int = 3, **arguments: Any) -> tuple[Array, Array]:
    return DATASETS[name](**arguments).make(np.random.default_rng(seed))


@ALL
@pytest.mark.parametrize("samples", [1, 2, 5, 200])
def test_shapes(name: str, samples: int) -> None:
    inputs, targets = drawn(name, samples=samples)
    assert inputs.shape == (samples, *DATASETS[name]().shape)
    assert targets.shape == (samples, *DATASETS[name]().target_shape)
    assert inputs.dtype == targets.dtype == np.float64
    assert np.isfinite(inputs).all() and np.isfinite(targets).all()
    assert np.abs(inputs).max() < 3, "of a size that networks like"


@ALL
def test_a_seed_gives_the_same_points_and_another_seed_others(name: str) -> None:
    again, other = drawn(name), drawn(name, seed=4)
    for one, same in zip(drawn(name), again, strict=True):
        assert one.tobytes() == same.tobytes()
    assert any(one.tobytes() != new.tobytes() for one, new in zip(again, other, strict=True))


@ALL
def test_noise_moves_the_same_points(name: str) -> None:
    clean, little, much = (drawn(name, noise=noise) for noise in (0, 0.1, 0.2))
    moves, stays = (1, 0) if DATASETS[name].task == "regression" else (0, 1)
    assert clean[stays].tobytes() == little[stays].tobytes() == much[stays].tobytes()
    way = little[moves] - clean[moves]
    np.testing.assert_allclose(much[moves] - clean[moves], 2 * way, atol=1e-12)
    assert 0.08 < way.std() < 0.12


@pytest.mark.parametrize("name", [n for n, d in DATASETS.items() if d.classes and n != "copy"])
def test_classes_are_even_in_every_batch(name: str) -> None:
    classes = DATASETS[name].classes
    assert classes
    targets = drawn(name, samples=20 * classes)[1]
    assert set(np.unique(targets)) == set(range(classes))
    assert {batch.mean() for batch in targets.reshape(-1, classes)} == {(classes - 1) / 2}


def test_xor_is_the_truth_table() -> None:
    inputs, targets = drawn("xor", samples=4, noise=0)
    assert inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert targets.tolist() == [[0], [1], [1], [0]]


def test_circle_is_a_disc_within_a_ring() -> None:
    inputs, targets = drawn("circle", noise=0, samples=1000)
    radius, inside = np.hypot(*inputs.T), targets[:, 0] == 1
    assert radius[inside].max() <= 0.5 and radius[~inside].min() >= 0.7 and radius.max() <= 1
    assert np.mean(radius[inside] < 0.25) == pytest.approx(0.25, abs=0.05), "even over the area"


def test_gaussians_are_told_apart_by_a_line() -> None:
    inputs, targets = drawn("gaussians", samples=1000)
    assert np.mean((inputs.sum(axis=1) > 0) == (targets[:, 0] == 1)) > 0.98


def test_moons_lie_on_two_half_circles() -> None:
    inputs, targets = drawn("moons", noise=0)
    lower = targets[:, 0] == 1
    centers = np.where(lower[:, None], [0.5, 0.25], [-0.5, -0.25])
    way = inputs - centers
    np.testing.assert_allclose(np.hypot(*way.T), 1.0)
    assert (way[lower, 1] <= 1e-12).all() and (way[~lower, 1] >= -1e-12).all()


def test_spiral_arms_are_each_other_turned_by_half() -> None:
    inputs, targets = drawn("spiral", noise=0, turns=2)
    radius, angle = np.hypot(*inputs.T), np.arctan2(*inputs.T[::-1])
    expected = 4 * np.pi * radius + np.pi * targets[:, 0]
    np.testing.assert_allclose(np.cos(angle - expected), 1.0)
    assert radius.min() >= 0.1 and radius.max() <= 1


def test_the_curves() -> None:
    inputs, targets = drawn("sine", noise=0)
    np.testing.assert_allclose(targets, np.sin(np.pi * inputs))
    inputs, targets = drawn("plane", noise=0)
    np.testing.assert_allclose(targets[:, 0], inputs @ [0.5, 0.5])


@ALL
def test_the_catalogue_row_is_complete(name: str) -> None:
    cls = DATASETS[name]
    assert cls.summary and cls.task in ("binary", "multiclass", "regression", "sequence")
    rows = cls.arguments()
    assert [row["name"] for row in rows][:2] == ["samples", "noise"]
    assert all(row["summary"] and "default" in row for row in rows)
    assert all("high" in row for row in rows if row["name"] in ("samples", "noise"))
    assert made(json.loads(json.dumps(cls().spec))) == cls()


@pytest.mark.parametrize(
    ("spec", "error", "where", "words"),
    [
        ("mnist", BackstepError, "data", "gaussians"),
        ({"type": "moons", "samples": 0}, BackstepError, "data.samples", "at least 1: 0"),
        ({"type": "moons", "samples": 2.5}, BackstepError, "data.samples", "whole number: 2.5"),
        ({"type": "moons", "samples": 10**9}, LimitError, "data.samples", "at most 20000"),
        ({"type": "xor", "noise": -1}, BackstepError, "data.noise", "at least 0: -1"),
        ({"type": "xor", "noise": "loud"}, BackstepError, "data.noise", "number: 'loud'"),
        ({"type": "xor", "turns": 1}, BackstepError, "data.turns", "accepted: samples, noise"),
        ({"type": "spiral", "turns": 0}, BackstepError, "data.turns", "more than 0: 0"),
        ({"type": "digits", "samples": 15_001}, LimitError, "data.samples", "at most 15000"),
        ({"type": "digits", "flat": 1}, BackstepError, "data.flat", "true or false: 1"),
        ({"type": "parity", "length": 65}, LimitError, "data.length", "at most 64"),
        ({"type": "copy", "length": 3, "delay": 3}, BackstepError, "data.delay", "less than"),
    ],
)
def test_errors_say_what_would_be_accepted(
    spec: Any, error: type[BackstepError], where: str, words: str
) -> None:
    with pytest.raises(error) as caught:
        made(spec)
    assert words in caught.value.message and caught.value.where == where
