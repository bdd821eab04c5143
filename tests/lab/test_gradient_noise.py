"""Mini-batch gradients beside the full one: against gradients by hand, and against theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError, LimitError
from app.engine.types import VALUE
from app.lab.gradient_noise import gradient_noise
from app.train import slopes
from app.train.run import Run
from app.train.spec import parse_spec

SPEC: dict[str, Any] = {
    "model": {"layers": [{"type": "linear", "out_features": 1}]},
    "loss": "mse",
    "optimizer": {"type": "sgd", "lr": 0.05},
    "data": {"dataset": "plane", "samples": 40, "noise": 0.5},
    "batch_size": 8,
    "shuffle": True,
}


def run_of(**more: Any) -> Run:
    return Run(parse_spec({**SPEC, **more}))


def by_hand(run: Run, iteration: int, rows: Any) -> Any:
    """∂/∂(w₁, w₂, b) of the mean of (x·w + b − t)²."""
    slots, batches = run.slots(iteration, 0), run.problem.batches
    assert batches is not None
    x, t = batches.inputs[rows], batches.targets[rows, 0]
    error = x @ slots["0.weight", VALUE][0] + slots["0.bias", VALUE][0] - t
    return np.append(2 * error @ x, 2 * error.sum()) / len(t)


def test_arrows_are_gradients_seen_on_a_plane() -> None:
    run = run_of()
    told = gradient_noise(run, 3, count=5)
    full = by_hand(run, 3, np.arange(40))
    assert told["full"]["norm"] == pytest.approx(np.linalg.norm(full))
    assert told["full"]["x"] == pytest.approx(told["full"]["norm"])
    assert told["full"]["y"] == pytest.approx(0, abs=1e-12)
    assert [group["size"] for group in told["sizes"]] == [1, 8, 40]
    assert [len(group["batches"]) for group in told["sizes"]] == [5, 5, 1]
    for group in told["sizes"]:
        for arrow in group["batches"]:
            g = by_hand(run, 3, arrow["rows"])
            assert arrow["norm"] == pytest.approx(np.linalg.norm(g))
            assert arrow["x"] == pytest.approx(g @ full / np.linalg.norm(full))
            assert arrow["cosine"] == pytest.approx(arrow["x"] / arrow["norm"])
            assert np.hypot(arrow["x"], arrow["y"]) <= arrow["norm"] * (1 + 1e-12)
    whole = told["sizes"][2]["batches"][0]
    assert whole["cosine"] == pytest.approx(1) and told["sizes"][2]["spread"] < 1e-12


def test_the_iteration_s_own_batch_is_the_first_of_its_size() -> None:
    run = run_of()
    batches = run.problem.batches
    assert batches is not None
    group = gradient_noise(run, 7, count=3)["sizes"][1]
    assert [arrow["own"] for arrow in group["batches"]] == [True, False, False]
    assert group["batches"][0]["rows"] == batches.rows(7).tolist()
    planned = slopes.planned(run, 7)
    flat = np.concatenate([planned[name].reshape(-1) for name in ("0.weight", "0.bias")])
    assert group["batches"][0]["norm"] == pytest.approx(np.linalg.norm(flat))


def test_noise_shrinks_with_the_root_of_the_batch() -> None:
    told = gradient_noise(run_of(), 0, count=400, sizes=[1, 4, 16])
    one, four, sixteen = (group["spread"] for group in told["sizes"])
    left = np.sqrt([36 / 39 / 4, 24 / 39 / 16])  # without putting back
    assert [four / one, sixteen / one] == pytest.approx(left, rel=0.15)
    assert told["noise_scale"] == pytest.approx(one**2)


def test_a_loss_that_is_a_sum_is_made_comparable() -> None:
    told = gradient_noise(run_of(loss="squared_error"), 0, count=4)
    mean = gradient_noise(run_of(), 0, count=4)
    assert told["full"]["norm"] == pytest.approx(40 * mean["full"]["norm"])
    for group, other in zip(told["sizes"], mean["sizes"], strict=True):
        assert group["spread"] == pytest.approx(other["spread"])


def test_many_samples_are_put_through_in_parts(monkeypatch: Any) -> None:
    whole = gradient_noise(run_of(), 2, count=2)
    monkeypatch.setattr("app.lab.gradient_noise.CHUNK", 7)
    parts = gradient_noise(run_of(), 2, count=2)
    assert parts["full"]["norm"] == pytest.approx(whole["full"]["norm"], rel=1e-12)


def test_a_run_that_broke_is_told_honestly() -> None:
    run = run_of(parameters={"0.weight": [["NaN", 1.0]], "0.bias": [0.0]})
    told = gradient_noise(run, 0, count=2)
    assert np.isnan(told["full"]["norm"])


def test_nothing_of_the_run_is_moved() -> None:
    one, other = run_of(), run_of()
    gradient_noise(one, 5)
    one.train(12)
    other.train(12)
    assert list(one.history.train_loss) == list(other.history.train_loss)


def test_what_cannot_be_done_is_said() -> None:
    program = Run(parse_spec({"program": "L = w*w", "values": {"w": 1}}))
    with pytest.raises(BackstepError, match="a model with samples"):
        gradient_noise(program, 0)
    for sizes, words in (([0], "from 1 to 40"), ([41], "from 1 to 40")):
        with pytest.raises(BackstepError, match=words):
            gradient_noise(run_of(), 0, sizes=sizes)
    with pytest.raises(LimitError, match="from 1 to 5 sizes: 6"):
        gradient_noise(run_of(), 0, sizes=[1, 2, 3, 4, 5, 6])
