"""Penalties as nodes: their gradients are λ·w and λ·sign w; coupled decay is the same thing."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.types import GRAD, VALUE
from app.render.fragment import symbol
from tests.train.plans.specs import NETWORK, PROGRAM, end, run_of


def test_gradients_gain_what_calculus_says() -> None:
    plain = end(run_of(NETWORK))
    both = end(run_of(NETWORK | {"regularisation": {"l1": 0.03, "l2": 0.2}}))
    start = run_of(NETWORK).slots(0, 0)
    for node in run_of(NETWORK).graph(0).kind("parameter"):
        w = start[node.name, VALUE]
        more = 0.2 * w + 0.03 * np.sign(w) if node.name.endswith("weight") else 0.0
        np.testing.assert_allclose(both[node.name, GRAD], plain[node.name, GRAD] + more, rtol=1e-12)


def test_the_loss_is_the_sum_of_its_parts() -> None:
    run = run_of(NETWORK | {"regularisation": {"l1": 0.03, "l2": 0.2, "biases": True}})
    slots = end(run)
    start = run.slots(0, 0)
    w = [start[n.name, VALUE] for n in run.graph(0).kind("parameter")]
    penalty = sum(0.1 * np.sum(x * x) + 0.03 * np.sum(np.abs(x)) for x in w)
    np.testing.assert_allclose(slots["loss", VALUE], slots["data_loss", VALUE] + penalty)
    assert run.graph(0).output == "loss"


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_coupled_decay_is_an_l2_penalty(momentum: float) -> None:
    sgd = {"type": "sgd", "lr": 0.1, "momentum": momentum}
    penalised = run_of(NETWORK | {"optimizer": sgd, "regularisation": {"l2": 0.1, "biases": True}})
    decayed = run_of(NETWORK | {"optimizer": sgd | {"weight_decay": 0.1}})
    a, b = penalised.slots(20, 0), decayed.slots(20, 0)
    for node in decayed.graph(0).kind("parameter"):
        np.testing.assert_allclose(a[node.name, VALUE], b[node.name, VALUE], rtol=1e-9, atol=1e-12)


def test_decoupled_decay_is_not() -> None:
    adam = run_of(
        NETWORK
        | {"optimizer": {"type": "adam", "lr": 0.1}, "regularisation": {"l2": 0.1, "biases": True}}
    )
    adamw = run_of(NETWORK | {"optimizer": {"type": "adamw", "lr": 0.1, "weight_decay": 0.1}})
    a, b = adam.slots(5, 0)["0.weight", VALUE], adamw.slots(5, 0)["0.weight", VALUE]
    assert np.max(np.abs(a - b)) > 1e-3


def test_programs_penalise_all_their_parameters() -> None:
    run = run_of(PROGRAM | {"regularisation": {"l2": 1.0}})
    gain = end(run)["b", GRAD] - end(run_of(PROGRAM))["b", GRAD]
    np.testing.assert_allclose(gain, 1.0)


def test_a_weight_with_an_exponent_of_its_own_is_still_written_as_mathematics() -> None:
    layers = [{"type": "rnn", "hidden_size": 1}, {"type": "rnn", "hidden_size": 1}]
    spec = {
        "model": {"input_shape": [2, 1], "layers": layers},
        "loss": {"type": "mse"},
        "data": {"inputs": [[[1], [2]]], "targets": [[[0], [1]]]},
        "regularisation": {"l1": 0.1},
    }
    for node in run_of(spec).graph(0).nodes.values():
        assert "^" not in symbol(node.latex) and "{" not in symbol(node.latex), node.latex
