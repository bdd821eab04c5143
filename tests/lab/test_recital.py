"""A few sequences in the playground: what each unit says at every step, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.lab.portrait import Portrait
from app.train.run import Run
from app.train.spec import parse_spec


def spec(data: dict[str, Any], *layers: Any, loss: str = "bce_with_logits") -> dict[str, Any]:
    return {
        "model": {"layers": [*layers, {"type": "linear", "out_features": 1}]},
        "loss": loss,
        "data": {"samples": 30, "noise": 0.0, "validation": 0.5, **data},
        "seed": 3,
    }


def portrait_of(given: dict[str, Any]) -> tuple[Portrait, Any]:
    run = Run(parse_spec(given))
    return Portrait(run), run.carried(0)


def test_states_and_answers_are_the_networks_own() -> None:
    portrait, slots = portrait_of(
        spec({"dataset": "copy", "length": 5, "delay": 1}, {"type": "rnn", "hidden_size": 3})
    )
    recital = portrait.recital
    assert recital is not None and recital.part == "validation"
    hidden, answer = portrait.maps(slots)
    assert hidden.shape == (3, 6, 5) and answer.shape == (1, 6, 5)
    assert portrait.shapes == [(6, 5), (6, 5)]
    # by hand: Elman's net, one step after the other
    w = {name: array for (name, slot), array in slots.items() if slot == "value"}
    state = np.zeros((6, 3))
    for t in range(5):
        x = recital.inputs[:, t : t + 1]
        into = x @ w["0.weight_ih_l0"].T + w["0.bias_ih_l0"]
        state = np.tanh(into + state @ w["0.weight_hh_l0"].T + w["0.bias_hh_l0"])
        assert hidden[:, :, t].T == pytest.approx(state, abs=1e-12)
        logits = state @ w["1.weight"].T + w["1.bias"]
        probs = 1 / (1 + np.exp(-logits[:, 0]))
        assert np.array(recital.answers()["answers"])[:, t] == pytest.approx(probs, abs=1e-12)
        assert np.array(recital.answers()["said"])[:, t].tolist() == (probs > 0.5).tolist()
    assert np.array_equal(recital.targets[:, 1:], recital.inputs[:, :-1])  # one step later
    assert len(portrait.pixels([hidden, answer], portrait.limits([hidden, answer]))) == 4 * 30


@pytest.mark.parametrize(("cell", "gates"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_one_answer_for_a_whole_sequence(cell: str, gates: int) -> None:
    given = spec(
        {"dataset": "parity", "length": 4, "flat": True},
        {"type": "embedding", "num_embeddings": 2, "embedding_dim": 2},
        {"type": cell, "hidden_size": 5},
        {"type": cell, "hidden_size": 3, "return_sequences": False},
    )
    portrait, slots = portrait_of(given)
    assert [(c.title, c.units) for c in portrait.columns] == [
        ("embedding", 2),
        (cell, 5),
        (cell, 3),
        ("", 1),
    ]
    assert portrait.columns[0].looked_up == 2
    assert slots[portrait.columns[1].weight, "value"].shape == (5 * gates, 2)
    assert portrait.columns[1].first == (10 if gates > 1 else 0)
    assert portrait.shapes == [(6, 4), (6, 4), (6, 4), (6, 1)]
    table, *_, answer = portrait.maps(slots)
    assert portrait.recital is not None
    tokens = portrait.recital.inputs
    assert np.array_equal(table[1], slots["0.weight", "value"][tokens, 1])
    assert answer.shape == (1, 6, 1) and portrait.recital.targets.shape == (6, 1)


def test_other_sequences_are_shown_too() -> None:
    """One op of all steps, two layers in one; and numbers to be hit."""
    portrait, slots = portrait_of(
        spec({"dataset": "copy"}, {"type": "rnn", "hidden_size": 2, "fused": True, "num_layers": 2})
    )
    assert [array.shape for array in portrait.maps(slots)] == [(2, 6, 8), (2, 6, 8), (1, 6, 8)]
    inputs = [[[0.5], [1.5]], [[1.0], [2.0]]]
    data = {"inputs": inputs, "targets": [[2.0], [3.0]]}
    given = {
        "model": {
            "layers": [
                {"type": "gru", "hidden_size": 2, "return_sequences": False},
                {"type": "linear", "out_features": 1},
            ]
        },
        "loss": "mse",
        "data": data,
    }
    portrait, slots = portrait_of(given)
    assert portrait.recital is not None
    maps = portrait.maps(slots)
    told = portrait.recital.answers()
    assert told["said"] is None and np.array(told["answers"]) == pytest.approx(maps[-1][0])
    assert portrait.recital.scene["inputs"] == [[0.5, 1.5], [1.0, 2.0]]
