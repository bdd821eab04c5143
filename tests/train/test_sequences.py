"""Sequences of two tokens: what is to be remembered, and that a recurrent net can learn it."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.train.datasets import DATASETS
from app.train.run import Run
from app.train.scores import evaluated
from app.train.spec import parse_spec


def drawn(name: str, **arguments: Any) -> tuple[Any, Any]:
    return DATASETS[name](**arguments).make(np.random.default_rng(1))


def test_copy_says_again_what_came_some_steps_ago() -> None:
    tokens, said = drawn("copy", samples=50, length=7, delay=3)
    assert set(np.unique(tokens)) == {0.0, 1.0}
    assert (said[:, 3:] == tokens[:, :4]).all() and (said[:, :3] == 0).all()


def test_parity_counts_the_ones() -> None:
    tokens, odd = drawn("parity", samples=64, length=5)
    assert (odd[:, 0] == tokens.sum(axis=(1, 2)) % 2).all()
    assert len(np.unique(tokens.reshape(64, 5), axis=0)) > 20
    tokens, running = drawn("parity", samples=64, length=5, running=True)
    for step in range(5):
        assert (running[:, step, 0] == tokens[:, : step + 1].sum(axis=(1, 2)) % 2).all()


def test_a_recurrent_net_learns_to_copy() -> None:
    spec = {
        "model": {
            "layers": [{"type": "rnn", "hidden_size": 6}, {"type": "linear", "out_features": 1}]
        },
        "loss": "bce_with_logits",
        "optimizer": {"type": "adam", "lr": 0.03},
        "data": {"dataset": "copy", "samples": 80, "length": 5, "delay": 1, "validation": 0.25},
        "seed": 1,
    }
    run = Run(parse_spec(spec))
    run.train(150)
    found = evaluated(run, 150)
    assert found["train"]["accuracy"] == 1.0 and found["validation"]["accuracy"] == 1.0


def test_tokens_in_a_row_are_looked_up_by_an_embedding() -> None:
    tokens, said = drawn("copy", samples=9, length=4, delay=1)
    flat, same = drawn("copy", samples=9, length=4, delay=1, flat=True)
    assert flat.shape == (9, 4)
    assert np.array_equal(flat, tokens[:, :, 0]) and np.array_equal(same, said)
