"""Samples side by side in the playground: what is said of each, and what every unit says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.lab.portrait import Portrait
from app.train.run import Run
from app.train.spec import parse_spec


def portrait_of(data: dict[str, Any], loss: str, outputs: int) -> tuple[Portrait, Any]:
    layers = [{"type": "linear", "out_features": 4}, "tanh"]
    layers += [{"type": "linear", "out_features": 3}, "relu"]
    layers += [{"type": "linear", "out_features": outputs}]
    run = Run(parse_spec({"model": {"layers": layers}, "loss": loss, "data": data, "seed": 2}))
    return Portrait(run), run.carried(0)


def test_a_row_for_each_class() -> None:
    portrait, slots = portrait_of(
        {"dataset": "digits", "flat": True, "samples": 200, "validation": 0.5}, "cross_entropy", 10
    )
    gallery = portrait.gallery
    assert gallery is not None and gallery.part == "validation"
    assert gallery.classes == list(range(10)) and gallery.grid == (10, 8)
    assert (gallery.targets == np.arange(10)[:, None]).all()
    weights, hidden, answer = portrait.maps(slots)
    assert weights.shape == (4, 8, 8) and portrait.shapes == [(8, 8), (10, 8), (10, 8)]
    # by hand, for all pictures at once
    w = {name: array for (name, slot), array in slots.items() if slot == "value"}
    first = np.tanh(gallery.inputs @ w["0.weight"].T + w["0.bias"])
    second = np.maximum(0, first @ w["2.weight"].T + w["2.bias"])
    logits = second @ w["4.weight"].T + w["4.bias"]
    assert hidden.reshape(3, -1).T == pytest.approx(second, abs=1e-12)
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert answer.reshape(10, -1).T == pytest.approx(probs, abs=1e-12)
    told = gallery.answers()
    assert np.array(told["said"]).reshape(-1).tolist() == logits.argmax(axis=1).tolist()
    assert np.array(told["answers"]).reshape(-1) == pytest.approx(probs.max(axis=1))
    assert np.shape(gallery.pixels) == (10, 8, 64)


def test_numbers_from_the_lowest_to_the_highest() -> None:
    rows = [[i % 7, i % 5, i % 3] for i in range(50)]
    data = {"inputs": rows, "targets": [[(7 * i) % 50 / 10] for i in range(50)]}
    portrait, slots = portrait_of(data, "mse", 1)
    assert portrait.gallery is not None and portrait.gallery.classes is None
    targets = portrait.gallery.targets.reshape(-1)
    assert (
        len(targets) == 36
        and (np.diff(targets) > 0).all()
        and targets[[0, -1]].tolist() == [0, 4.9]
    )
    assert portrait.shapes == [(3, 1), (6, 6), (6, 6)]  # three features one below the other
    assert portrait.maps(slots)[0].shape == (4, 3, 1)
    told = portrait.gallery.answers()
    assert told["said"] is None and np.shape(told["answers"]) == (6, 6)


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_very_few_samples(samples: int) -> None:
    inputs = [[i, 1.0, 2.0, 3.0] for i in range(samples)]
    for loss in ("mse", "bce_with_logits"):
        data = {"inputs": inputs, "targets": [[i % 2] for i in range(samples)]}
        portrait, slots = portrait_of(data, loss, 1)
        maps = portrait.maps(slots)
        assert len(portrait.pixels(maps, portrait.limits(maps))) > 0
