"""A recurrent layer as one op: the numbers of the layer step by step within 1e-12, PyTorch's like
those, and at full speed the bits of stepping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.engine.types import GRAD, VALUE
from app.train.problem import ModelProblem
from app.train.run import Run
from app.train.spec import parse_spec
from tests.train.test_layers import CASES as GOLDEN
from tests.train.test_layers import close, same, spec_of

ARGUMENTS: list[dict[str, Any]] = [
    {},
    {"return_sequences": False},
    {"nonlinearity": "relu", "bias": False},
    {"truncate": 2},
    {"truncate": 3, "return_sequences": False, "nonlinearity": "relu"},
]


def _is_rnn(layer: Any) -> bool:
    one_way = isinstance(layer, dict) and not layer.get("bidirectional")
    return layer == "rnn" or (one_way and layer["type"] == "rnn")


def _fused(layers: list[Any]) -> list[Any]:
    return [dict(layer, fused=True) if _is_rnn(layer) else layer for layer in layers]


RNN = [case for case in GOLDEN if any(_is_rnn(layer) for layer in case["layers"])]


def run_of(arguments: dict[str, Any], *, fused: bool) -> Run:
    """Two layers, so that gradients go back into a sequence too."""
    rng = np.random.default_rng(4)
    x, t = rng.normal(size=(3, 7, 2)), rng.normal(size=(3, 1))
    layers: list[Any] = [
        {"type": "rnn", "hidden_size": 4, "truncate": arguments.get("truncate", 0)},
        {"type": "rnn", "hidden_size": 3, **arguments},
        *(["flatten"] if arguments.get("return_sequences", True) else []),
        {"type": "linear", "out_features": 1},
    ]
    spec = {
        "model": {"layers": _fused(layers) if fused else layers},
        "loss": "mse",
        "optimizer": {"type": "sgd", "lr": 0.05},
        "data": {"inputs": x.tolist(), "targets": t.tolist()},
    }
    return Run(parse_spec(spec))


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_fused_is_the_same_as_step_by_step(arguments: dict[str, Any]) -> None:
    fused, unrolled = run_of(arguments, fused=True), run_of(arguments, fused=False)
    assert len(fused.graph(0).ops) < len(unrolled.graph(0).ops) / 3
    for run in (fused, unrolled):
        run.train(20)
    np.testing.assert_allclose(
        fused.history.train_loss, unrolled.history.train_loss, rtol=1e-12, atol=0
    )
    one, other = fused.slots(20, 0), unrolled.slots(20, 0)
    for node in unrolled.graph(0).kind("parameter"):
        for slot in (VALUE, GRAD):
            np.testing.assert_allclose(
                one[node.name, slot], other[node.name, slot], rtol=1e-12, atol=1e-13
            )


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_full_speed_and_stepping_give_the_same_bits(arguments: dict[str, Any]) -> None:
    fast, stepped = run_of(arguments, fused=True), run_of(arguments, fused=True)
    fast.train(5)
    for i in range(6):
        stepped.slots(i, 0)
    assert fast.history.table() == stepped.history.table()
    assert same(fast.slots(5, 0), stepped.slots(5, 0))


@pytest.mark.parametrize("case", RNN, ids=[case["name"] for case in RNN])
def test_equals_pytorch(case: dict[str, Any]) -> None:
    run = Run(parse_spec(spec_of(case, model={"layers": _fused(case["layers"])})))
    problem = run.problem
    assert isinstance(problem, ModelProblem)
    model = problem.model(problem.batches.samples)
    assert any(node.op_name == "rnn_layer" for node in model.graph.ops)
    slots = run.slots(0, len(run.plan(0)))
    close(slots[model.prediction, VALUE], case["prediction"], "prediction")
    for name, grad in case["grads"].items():
        close(slots[name, GRAD], grad, name)
