"""Accuracy and confusion, counted by hand; and that a network's loss is the run's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.op import make
from app.engine.types import INT
from app.lab.gradient_noise import gradient_noise
from app.train import measure, scores
from app.train.limits import SpecLimits
from app.train.plans.rewritten import model_of
from app.train.run import Run
from app.train.scores import evaluated, reading
from app.train.spec import parse_spec

OUT = {"type": "linear", "out_features": 1}
WEIGHT = {"0.weight": [[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]], "0.bias": [0.0, 0.0, -1.0]}
INPUTS = [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [0.0, 3.0], [-1.0, 0.5]]
"""Scores: (2, 0, 0), (0, 1, 0), (4, 2, 3), (0, 3, 2), (-2, 0.5, -1.5): said 0, 1, 0, 1, 1."""


def run_of(**more: Any) -> Run:
    return Run(
        parse_spec(
            {
                "model": {"layers": [{"type": "linear", "out_features": 3}]},
                "loss": "cross_entropy",
                "parameters": WEIGHT,
                "data": {"inputs": INPUTS, "targets": [0, 1, 2, 1, 0]},
                **more,
            }
        )
    )


def test_classes_are_counted() -> None:
    found = evaluated(run_of(), 0)
    assert found["classes"] == 3 and found["validation"] is None and found["labels"] is None
    train = found["train"]
    assert train["confusion"] == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert (train["correct"], train["answers"], train["undecided"]) == (3, 5, 0)
    assert train["accuracy"] == 0.6
    logits = np.array(INPUTS) @ np.array(WEIGHT["0.weight"]).T + WEIGHT["0.bias"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean(np.log(shares[np.arange(5), [0, 1, 2, 1, 0]]))
    assert train["loss"] == pytest.approx(expected, rel=1e-14)


def test_labels_of_ones_own_are_told() -> None:
    data = {"inputs": INPUTS, "targets": [0, 1, 2, 1, 0], "classes": ["a", "b", "c"]}
    assert evaluated(run_of(data=data), 0)["labels"] == ["a", "b", "c"]


def test_a_broken_network_decides_nothing() -> None:
    broken = {**WEIGHT, "0.bias": ["NaN", 0.0, 0.0]}
    train = evaluated(run_of(parameters=broken), 0)["train"]
    assert train["accuracy"] == 0 and train["undecided"] == 5 and np.isnan(train["loss"])
    assert train["confusion"] == [[0, 0, 0]] * 3


@pytest.mark.parametrize(
    ("loss", "targets", "outputs", "said", "true"),
    [
        ("bce", [[0.0], [1.0]], [[0.4], [0.6]], [0, 1], [0, 1]),
        ("bce_with_logits", [[0.0], [1.0]], [[0.4], [-0.6]], [1, 0], [0, 1]),
        ("mse", [[0.0], [1.0]], [[0.4], [0.6]], [0, 1], [0, 1]),
        ("mse", [[-1.0], [1.0]], [[-0.1], [0.1]], [0, 1], [0, 1]),
        ("mse", [[0.0, 1.0], [1.0, 0.0]], [[3.0, 4.0], [0.1, 0.2]], [1, 1], [1, 0]),
        ("mse", [[0.0, 1.0], [1.0, 1.0]], [[3.0, 4.0], [0.1, 0.9]], [1, 1, 0, 1], [0, 1, 1, 1]),
        ("cross_entropy", [[0.1, 0.9], [1.0, 0.0]], [[3.0, 4.0], [0.1, 0.2]], [1, 1], [1, 0]),
    ],
)
def test_ways_to_read_an_answer(
    loss: str, targets: Any, outputs: Any, said: list[int], true: list[int]
) -> None:
    t, p = np.array(targets), np.array(outputs)
    read = reading(make(loss), t, p.shape)
    assert read is not None
    assert read.said(p).tolist() == said and read.true(t, p).tolist() == true


@pytest.mark.parametrize("targets", [[[0.5], [1.0]], [[1.0], [1.0]], [[0.0], [2.0]]])
def test_values_are_no_classes(targets: Any) -> None:
    assert reading(make("mse"), np.array(targets), (2, 1)) is None


def test_class_numbers_stay() -> None:
    read = reading(make("cross_entropy"), np.array([2, 0], INT), (2, 3))
    assert read is not None and read.true(np.array([2, 0]), np.zeros((2, 3))).tolist() == [2, 0]


@pytest.mark.parametrize("loss", ["mse", "squared_error"])
def test_many_samples_are_put_through_in_parts(loss: str, monkeypatch: Any) -> None:
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 1}]},
        "loss": loss,
        "data": {"dataset": "plane", "samples": 50, "validation": 0.4},
        "batch_size": 7,
    }
    whole = evaluated(Run(parse_spec(spec)), 9)
    monkeypatch.setattr(measure, "CHUNK", 8)
    parts = evaluated(Run(parse_spec(spec)), 9)
    for part in ("train", "validation"):
        assert parts[part]["loss"] == pytest.approx(whole[part]["loss"], rel=1e-12)


def test_the_loss_held_back_is_the_history_s() -> None:
    data = {"dataset": "moons", "samples": 40, "validation": 0.25}
    layers: list[Any] = [
        {"type": "linear", "out_features": 4},
        "batch_norm",
        {"type": "dropout", "p": 0.5},
        {"type": "linear", "out_features": 1},
    ]
    spec = {"model": {"layers": layers}, "loss": "bce_with_logits", "data": data, "batch_size": 10}
    run = Run(parse_spec(spec))
    run.train(6)
    held = evaluated(run, 6)["validation"]
    assert held["loss"] == run.history.validation_loss[5] and held["samples"] == 10


def test_no_array_is_larger_than_allowed_however_many_samples_there_are() -> None:
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 50}, "tanh", OUT]},
        "loss": "mse",
        "data": {"dataset": "plane", "samples": 400, "validation": 0.5},
        "batch_size": 4,
    }
    plain, tight = Run(parse_spec(spec)), Run(parse_spec(spec, SpecLimits(array_entries=900)))
    problem = model_of(tight.problem)
    assert problem is not None and problem.at_once == 900 // 50
    made: list[int] = []
    evaluation = problem.evaluation
    problem.evaluation = lambda size: made.append(size) or evaluation(size)  # type: ignore[assignment]
    for run in (plain, tight):
        run.train(100)
    held, exact = tight.history.validation_loss[99], plain.history.validation_loss[99]
    assert held == pytest.approx(exact, rel=1e-12)
    assert evaluated(tight, 100)["train"]["loss"] == pytest.approx(
        evaluated(plain, 100)["train"]["loss"], rel=1e-12
    )
    gradient_noise(tight, 3, count=1)
    assert made and max(made) <= 18


def test_nothing_of_the_run_is_moved() -> None:
    one, other = run_of(), run_of()
    for i in (3, 0, 7):
        evaluated(one, i)
    one.train(9)
    other.train(9)
    assert list(one.history.train_loss) == list(other.history.train_loss)


def test_what_has_no_samples_says_so() -> None:
    program = Run(parse_spec({"program": "L = w*w", "values": {"w": 1}}))
    with pytest.raises(BackstepError, match="a program cannot"):
        evaluated(program, 0)
    with pytest.raises(BackstepError, match="scalars cannot"):
        evaluated(run_of(scalars=True), 0)
    assert scores.MOST_CLASSES == 50
