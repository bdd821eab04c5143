"""What is done to samples before training: split, standardised, augmented, cut down to one batch;
the same for samples that a person wrote and for those of a data set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.train.batches import Batches
from app.train.limits import SpecLimits
from app.train.run import Run
from app.train.spec import parse_spec

ROWS = [[float(i), 100.0 + 10 * i, 7.0] for i in range(10)]
WRITTEN = {"inputs": ROWS, "targets": [[float(i % 2)] for i in range(10)]}
PICTURES = {"dataset": "digits", "samples": 40}


def spec_of(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    digits = data.get("dataset") == "digits"
    return {
        "model": {"layers": ["flatten", {"type": "linear", "out_features": 10 if digits else 1}]},
        "loss": "cross_entropy" if digits else "mse",
        "data": data,
        **more,
    }


def batches_of(data: dict[str, Any], **more: Any) -> Batches:
    found = parse_spec(spec_of(data, **more)).problem.batches
    assert found is not None
    return found


def test_mean_and_spread_are_those_of_the_training_part_alone() -> None:
    b = batches_of({**WRITTEN, "validation": 0.3, "standardise": True})
    assert b.scaling is not None and b.validation is not None
    trained = b.scaling.undo(b.inputs)
    left_out = {row[0] for row in ROWS} - set(trained[:, 0].round(9))
    assert len(left_out) == 3
    np.testing.assert_allclose(b.scaling.mean, trained.mean(axis=0))
    np.testing.assert_allclose(b.inputs[:, :2].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(b.inputs[:, :2].std(axis=0), 1)
    assert sorted(b.scaling.undo(b.validation[0])[:, 0].round(9)) == sorted(left_out)


def test_a_constant_feature_is_only_centred() -> None:
    b = batches_of({**WRITTEN, "standardise": True})
    assert (b.inputs[:, 2] == 0).all() and b.scaling is not None and b.scaling.std[2] == 1
    tenths = {"inputs": [[0.1]] * 7, "targets": [[1.0]] * 7, "standardise": True}
    assert (np.abs(batches_of(tenths).inputs) < 1e-15).all(), "rounding is no spread"


def test_pictures_have_one_mean_for_each_channel() -> None:
    b = batches_of({**PICTURES, "standardise": True})
    assert b.scaling is not None and b.scaling.mean.shape == (1,)
    assert b.inputs.mean() == pytest.approx(0, abs=1e-12)
    assert b.inputs.std() == pytest.approx(1)


def test_a_seed_of_their_own_keeps_data_and_split() -> None:
    data = {"dataset": "moons", "samples": 20, "validation": 0.25, "seed": 5}
    one, other = batches_of(data, seed=1), batches_of(data, seed=2)
    assert (one.inputs == other.inputs).all()
    assert one.validation is not None and other.validation is not None
    assert (one.validation[0] == other.validation[0]).all()
    without = {k: v for k, v in data.items() if k != "seed"}
    assert (batches_of(without, seed=5).inputs == one.inputs).all()
    assert not (batches_of(without, seed=1).inputs == one.inputs).all()


@pytest.mark.parametrize("data", [WRITTEN, PICTURES], ids=["written", "pictures"])
def test_jitter_is_new_in_every_iteration_and_known_before(data: dict[str, Any]) -> None:
    given = {**data, "augment": {"jitter": 0.5}}
    b, plain = batches_of(given, batch_size=5), batches_of(data, batch_size=5)
    noise = [b.feed(i)["input"] - plain.feed(i)["input"] for i in range(8)]
    assert 0.35 < np.std(noise) < 0.65
    assert len({part.tobytes() for part in noise}) == 8
    assert (b.feed(3)["input"] == batches_of(given, batch_size=5).feed(3)["input"]).all()
    assert (b.feed(3)["target"] == plain.feed(3)["target"]).all()


def test_a_shift_moves_whole_pictures_and_paper_comes_in() -> None:
    for standardise in (False, True):
        data = {**PICTURES, "standardise": standardise}
        moved = batches_of({**data, "augment": {"shift": 2}})
        plain, seen = batches_of(data).inputs, set()
        for was, now in zip(plain, moved.feed(0)["input"], strict=True):
            paper = 0.0 if moved.scaling is None else -moved.scaling.mean[0] / moved.scaling.std[0]
            wide = np.pad(was[0], 2, constant_values=paper)
            places = [
                (2 - i, 2 - j)
                for i in range(5)
                for j in range(5)
                if np.allclose(now[0], wide[i : i + 8, j : j + 8])
            ]
            assert places
            seen.add(places[0])
        assert len(seen) > 10
        assert (moved.inputs == plain).all(), "the samples themselves stay"


def test_a_batch_that_somebody_set_is_left_as_it_is() -> None:
    run = Run(parse_spec(spec_of({**WRITTEN, "augment": {"jitter": 1.0}}, batch_size=5)))
    mine = np.full((5, 3), 2.5)
    run.set_value(2, "input", mine)
    assert (run.problem.feed(2)["input"] == mine).all()
    assert np.abs(run.problem.feed(4)["input"] - mine).min() > 0, "and jittered from then on"


def test_one_batch_is_kept_and_always_the_same() -> None:
    for shuffle in (False, True):
        data = {**PICTURES, "validation": 0.2, "standardise": True, "augment": {"jitter": 1.0}}
        more = {"batch_size": 6, "shuffle": shuffle}
        whole = batches_of(data, **more)
        one = batches_of({**data, "overfit_one_batch": True}, **more)
        assert one.samples == 6 and one.count == 1
        rows = np.sort(whole.rows(0))
        assert (one.feed(0)["input"] == whole.inputs[rows]).all()
        assert (one.feed(0)["input"] == one.feed(9)["input"]).all()
        assert one.validation is not None and len(one.validation[0]) == 8
    run = Run(parse_spec(spec_of({**data, "overfit_one_batch": True}, **more)))
    run.configure(0, lr=1.0)
    run.train(200)
    assert run.history.train_loss[199] < 0.05 < run.history.train_loss[0]


def test_what_a_person_wrote_may_be_as_long_as_the_limit_says() -> None:
    limits = SpecLimits(data_samples=2000)
    rows = [[i / 2000, 1.0] for i in range(2000)]
    data = {"inputs": rows, "targets": [0.0] * 2000, "columns": ["a", "b"], "validation": 0.1}
    given = spec_of(data, batch_size=30, shuffle=True)
    found = parse_spec(given, limits).problem.batches
    assert found is not None and found.samples == 1800 and found.targets.shape == (1800, 1)
    with pytest.raises(BackstepError, match="at most 1999"):
        parse_spec(given, SpecLimits(data_samples=1999))


@pytest.mark.parametrize(
    ("more", "where", "words"),
    [
        ({"standardise": 1}, "data.standardise", "true or false: 1"),
        ({"overfit_one_batch": "yes"}, "data.overfit_one_batch", "true or false"),
        ({"augment": 0.1}, "data.augment", "jitter"),
        ({"augment": {"jitter": -1}}, "data.augment.jitter", "at least 0: -1"),
        ({"augment": {"shift": 17}}, "data.augment.shift", "from 0 to 16 pixels: 17"),
        ({"augment": {"shift": 1}}, "data.augment.shift", "only pictures"),
        ({"augment": {"turn": 1}}, "data.augment.turn", "accepted: jitter, shift"),
        ({"seed": -1}, "data.seed", "at least 0"),
        ({"seed": 0.5}, "data.seed", "whole number"),
        ({"columns": ["a"]}, "data.columns", "each of the 3 columns: 1"),
        ({"classes": [1]}, "data.classes", "list of names"),
        ({"rows": 4}, "data.rows", "accepted: inputs"),
        ({"validation": 0.96}, "data.validation", "nothing is left"),
    ],
)
def test_errors_name_the_option(more: dict[str, Any], where: str, words: str) -> None:
    with pytest.raises(BackstepError) as caught:
        parse_spec(spec_of({**WRITTEN, **more}))
    assert caught.value.where == where and words in caught.value.message


def test_what_an_embedding_looks_up_is_left_alone() -> None:
    given = {
        "model": {"layers": [{"type": "embedding", "num_embeddings": 4, "embedding_dim": 2}]},
        "loss": "mse",
        "data": {"inputs": [[0.0], [3.0]], "targets": [[[0.0, 1.0]], [[1.0, 0.0]]]},
    }
    parse_spec(given)
    for name, option in (("standardise", True), ("augment", {"jitter": 0.1})):
        with pytest.raises(BackstepError, match="embedding"):
            parse_spec({**given, "data": {**given["data"], name: option}})  # type: ignore[dict-item]
