"""Every layer equals PyTorch's, in values, gradients and buffers, in training and in evaluation
(`tests/reference/layers.py`), and trains at full speed to the same bits as step by step."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.errors import BackstepError
from app.engine.plan import forward_steps
from app.engine.stepper import Stepper
from app.engine.types import GRAD, VALUE, Array
from app.nn.layers import LAYERS
from app.train import trainer
from app.train.problem import ModelProblem
from app.train.run import Run
from app.train.spec import parse_spec

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "layers.json").read_text())
CASES: list[dict[str, Any]] = GOLDEN["cases"]
cases = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def spec_of(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "model": {"layers": case["layers"]},
        "loss": "mse",
        "optimizer": None,
        "data": {"inputs": case["inputs"], "targets": case["targets"]},
        "parameters": case["parameters"],
        "seed": GOLDEN["seed"],
    } | more


def close(found: Any, expected: Any, name: str) -> None:
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-9, atol=1e-12, err_msg=name)


def evaluated(run: Run) -> Array:
    """The prediction outside training, with the numbers after iteration 0."""
    problem = run.problem
    assert isinstance(problem, ModelProblem)
    model = problem.evaluation(problem.batches.samples)
    slots = dict(run.slots(1, 0))
    slots["input", VALUE] = problem.batches.inputs
    slots["target", VALUE] = problem.batches.targets
    walk = Stepper(forward_steps(model.graph), slots, {}, {})
    walk.seek(len(walk.plan))
    return walk.slots[model.prediction, VALUE]


@cases
def test_equals_pytorch(case: dict[str, Any]) -> None:
    run = Run(parse_spec(spec_of(case)))
    problem = run.problem
    assert isinstance(problem, ModelProblem)
    model = problem.model(problem.batches.samples)
    slots = run.slots(0, len(run.plan(0)))
    close(slots[model.prediction, VALUE], case["prediction"], "prediction")
    close(slots["loss", VALUE], case["loss"], "loss")
    for name, grad in case["grads"].items():
        close(slots[name, GRAD], grad, name)
    for name, value in case["buffers"].items():
        close(slots[name, VALUE], value, name)
    if case["input_grad"] is not None:
        close(slots["input", GRAD], case["input_grad"], "input")
    close(evaluated(run), case["evaluation"], "evaluation")


INFERRED = {"num_features", "normalized_shape", "embed_dim", "d_model", "in_channels"}


@pytest.mark.parametrize("name", GOLDEN["defaults"])
def test_arguments_that_are_left_out_mean_what_they_mean_in_pytorch(name: str) -> None:
    theirs: dict[str, Any] = GOLDEN["defaults"][name]
    ours = {f.name: f.default for f in fields(LAYERS[name]) if f.name not in INFERRED}
    other = {a: (ours[a], d) for a, d in theirs.items() if a in ours and ours[a] != d}
    if other:
        assert set(other) == {"dim"} and "dim" in LAYERS[name].differs, other
    if "batch_first" in theirs:
        assert "batch_first" in LAYERS[name].differs


def test_every_layer_is_compared() -> None:
    assert {name for name in LAYERS if f'"{name}"' in json.dumps(CASES)} == set(LAYERS)


def same(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


@cases
@pytest.mark.parametrize("cache", [trainer.CACHE, 0], ids=["", "in shared memory"])
def test_full_speed_and_stepping_give_the_same_bits(
    case: dict[str, Any], cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches of two, of which the last may be smaller."""
    monkeypatch.setattr(trainer, "CACHE", cache)
    monkeypatch.setattr(trainer, "SMALL", 0)
    size = 3 if len(case["inputs"]) == 5 else 2
    if len(case["inputs"]) == 3:
        size = 3
    spec = spec_of(case, optimizer={"type": "adam", "lr": 0.01}, batch_size=size)
    fast, stepped = Run(parse_spec(spec)), Run(parse_spec(spec))
    fast.train(7)
    for i in range(7):
        stepped.slots(i, len(stepped.plan(i)))
        stepped.slots(i + 1, 0)
    assert fast.history.table() == stepped.history.table()
    assert same(fast.slots(7, 0), stepped.slots(7, 0))


MIXED = ["a convolutional network", "dropout", "a transformer block", "lstm"]
METHODS: list[dict[str, Any]] = [{"checkpoint": 1}, {"accumulate": 2}, {"precision": "float16"}]


@pytest.mark.parametrize("method", METHODS, ids=[next(iter(method)) for method in METHODS])
@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("cache", [trainer.CACHE, 0], ids=["", "in shared memory"])
def test_other_plans_over_layers_give_the_same_bits_too(
    name: str, method: dict[str, Any], cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "CACHE", cache)
    monkeypatch.setattr(trainer, "SMALL", 0)
    case = next(case for case in CASES if case["name"] == name)
    even = len(case["inputs"]) // 2 * 2
    data = {"inputs": case["inputs"][:even], "targets": case["targets"][:even]}
    spec = spec_of(case, optimizer={"type": "sgd", "lr": 0.01}, data=data) | method
    fast, stepped = Run(parse_spec(spec)), Run(parse_spec(spec))
    fast.train(3)
    for i in range(3):
        stepped.slots(i + 1, 0)
    assert fast.history.table() == stepped.history.table()
    assert same(fast.slots(3, 0), stepped.slots(3, 0))
    if "checkpoint" in method:
        plain = Run(parse_spec(spec | {"checkpoint": None}))
        assert same(fast.slots(3, 0), plain.slots(3, 0))


WRONG: list[tuple[Any, Any, str]] = [
    ({"type": "conv2d", "out_channels": 1, "kernel_size": 9}, [[[[1.0]]]], "larger than"),
    ({"type": "conv2d", "out_channels": 1, "kernel_size": 1}, [[1.0]], r"\(C, H, W\)"),
    ({"type": "conv2d", "out_channels": 1, "kernel_size": 0}, [[[[1.0]]]], "kernel_size"),
    ({"type": "conv2d", "out_channels": 1, "kernel_size": [1]}, [[[[1.0]]]], "list of 2"),
    ({"type": "conv2d", "out_channels": 1, "kernel_size": 1, "stride": 0}, [[[[1.0]]]], "stride"),
    ({"type": "max_pool2d", "kernel_size": 2, "padding": 2}, [[[[1.0]]]], "half the window"),
    (
        {"type": "conv2d", "out_channels": 1, "kernel_size": 1, "stride": [1, 0]},
        [[[[1.0]]]],
        "stride must be at least 1",
    ),
    (
        {"type": "conv2d", "out_channels": 1, "kernel_size": 1, "padding": [1, 2, 3]},
        [[[[1.0]]]],
        "padding must be a number or a list of 2",
    ),
    ({"type": "max_pool2d", "kernel_size": [1, 2], "padding": [0, 2]}, [[[[1.0]]]], "half the"),
    ({"type": "avg_pool2d", "kernel_size": [1, 2.5]}, [[[[1.0]]]], "kernel_size"),
    ({"type": "rnn", "hidden_size": 1, "bidirectional": True, "fused": True}, [[[1.0]]], "fused"),
    ({"type": "lstm", "hidden_size": 1, "num_layers": 0}, [[[1.0]]], "num_layers"),
    ({"type": "batch_norm"}, [[1.0, 2.0]], "more than one value"),
    ({"type": "batch_norm", "num_features": 3}, [[1.0], [2.0]], "num_features"),
    ({"type": "layer_norm", "normalized_shape": 3}, [[1.0, 2.0]], "normalized_shape"),
    ({"type": "dropout", "p": 1.5}, [[1.0]], "from 0 to 1"),
    ({"type": "embedding", "num_embeddings": 3, "embedding_dim": 2}, [[0.5]], "whole"),
    ({"type": "embedding", "num_embeddings": 3, "embedding_dim": 2}, [[3], [0]], "from 0 to 2"),
    ({"type": "rnn", "hidden_size": 0}, [[[1.0]]], "hidden_size"),
    ({"type": "rnn", "hidden_size": 2, "nonlinearity": "sin"}, [[[1.0]]], "nonlinearity"),
    ({"type": "lstm", "hidden_size": 2}, [[1.0]], r"\(T, F\)"),
    ({"type": "gru", "hidden_size": 2, "truncate": -1}, [[[1.0]]], "truncate"),
    ({"type": "self_attention", "num_heads": 2}, [[[1.0, 2.0, 3.0]]], "divide"),
    ({"type": "branches", "branches": [["tanh"]]}, [[1.0]], "at least two"),
    ({"type": "branches", "branches": [["tanh"]] * 9}, [[1.0]], "at most 8"),
    ({"type": "branches", "branches": [["tanh"], ["tahn"]]}, [[1.0]], "tahn"),
    ({"type": "transformer_encoder_layer", "nhead": 1}, [[1.0, 2.0]], r"\(T, E\)"),
    ({"type": "transformer_encoder_layer", "nhead": 2}, [[[1.0, 2.0, 3.0]]], "divide"),
    (
        {"type": "transformer_encoder_layer", "nhead": 1, "activation": "tanh"},
        [[[1.0]]],
        "activation",
    ),
    ({"type": "transformer_encoder_layer", "nhead": 1, "dropout": -1}, [[[1.0]]], "from 0 to 1"),
]


@pytest.mark.parametrize(("layer", "inputs", "told"), WRONG)
def test_what_does_not_fit_is_told(layer: Any, inputs: Any, told: str) -> None:
    spec = {
        "model": {"layers": [layer]},
        "loss": "mse",
        "data": {"inputs": inputs, "targets": [[[0.0, 0.0]]] * len(inputs)},
    }
    with pytest.raises(BackstepError, match=told) as caught:
        parse_spec(spec)
    assert caught.value.where
    subject = caught.value.message.split(" ")[0]
    if subject in layer:
        assert caught.value.where == f"model.layers[0].{subject}"


DROPOUT = {
    "model": {"layers": [{"type": "linear", "out_features": 6}, "dropout", "tanh"]},
    "loss": "mse",
    "data": {
        "inputs": [[1.0, 2.0]] * 8,
        "targets": [[0.5] * 6] * 8,
        "validation": 0.25,
    },
}


def test_a_mask_is_the_same_again_and_another_one_next_time() -> None:
    one, other = Run(parse_spec(DROPOUT)), Run(parse_spec(DROPOUT))
    masks = [one.slots(i, 1)["1.mask", VALUE] for i in range(3)]
    assert set(np.unique(masks)) == {0.0, 2.0}
    assert not np.array_equal(masks[0], masks[1]) and not np.array_equal(masks[1], masks[2])
    other.train(3)
    assert np.array_equal(other.slots(1, 1)["1.mask", VALUE], masks[1])


def test_an_edited_mask_holds_for_its_iteration() -> None:
    run = Run(parse_spec(DROPOUT))
    before = run.slots(3, 1)["1.mask", VALUE]
    run.set_value(2, "1.mask", np.zeros((6, 6)))
    assert not np.any(run.slots(2, 1)["1.mask", VALUE])
    assert np.array_equal(run.slots(3, 1)["1.mask", VALUE], before)
    assert np.array_equal(run.slots(2, 1)["target", VALUE], np.full((6, 6), 0.5))


def test_validation_drops_nothing_and_uses_running_statistics() -> None:
    spec = DROPOUT | {
        "model": {"layers": ["batch_norm", {"type": "dropout", "p": 1.0}]},
        "data": {
            "inputs": [[1.0, 2.0], [3.0, 4.0], [5.0, 1.0], [2.0, 2.0]],
            "targets": [[0.5, 0.5]] * 4,
            "validation": 0.25,
        },
        "optimizer": {"type": "sgd", "lr": 0.0},
    }
    run = Run(parse_spec(spec))
    run.train(2)
    slots, batches = run.slots(2, 0), run.problem.batches
    assert batches is not None and batches.validation is not None
    mean, var = slots["0.running_mean", VALUE], slots["0.running_var", VALUE]
    inputs, targets = batches.validation
    expected = np.mean(((inputs - mean) / np.sqrt(var + 1e-5) - targets) ** 2)
    assert run.history.validation_loss[1] == pytest.approx(expected, rel=1e-12)


def test_running_statistics_move_behind_their_normalisation() -> None:
    case = next(case for case in CASES if case["name"] == "batch_norm, image")
    plan = Run(parse_spec(spec_of(case))).plan(0)
    phases = [step.phase for step in plan]
    assert phases.count("buffers") == 1
    at = phases.index("buffers")
    assert plan[at - 1].node == "0.normalised" and plan[at].node is None


def test_truncation_cuts_the_gradient_and_carries_the_state() -> None:
    case = next(case for case in CASES if case["name"] == "rnn, truncated, last step")
    run = Run(parse_spec(spec_of(case)))
    slots = run.slots(0, len(run.plan(0)))
    assert ("0.h_5", GRAD) in slots and ("0.h_4", GRAD) not in slots
    assert np.array_equal(slots["0.h_4", VALUE], slots["0.h_4_cut", VALUE])
    whole = next(case for case in CASES if case["name"] == "rnn")
    free = Run(parse_spec(spec_of(whole)))
    told = [c for r in free.stepper(0).records for c in r.contributions]
    assert told == []
    free.stepper(0).seek(len(free.plan(0)))
    told = [
        c
        for record in free.stepper(0).records
        for c in record.contributions
        if c.target == "0.weight_hh_l0"
    ]
    assert [c.source for c in told] == [f"0.z_{t}" for t in (5, 4, 3, 2, 1)]
