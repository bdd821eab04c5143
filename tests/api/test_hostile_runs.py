"""Absurd runs: whatever a spec asks for, there is a message that names the field, or numbers that
honestly say NaN; never a crash, never a wait, and the session is still there.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.calls import Caller
from tests.api.test_errors import error

PATIENCE = 6.0
OUT = {"type": "linear", "out_features": 1}
NET: list[Any] = [{"type": "linear", "out_features": 3}, "relu", OUT]
MOONS = {"dataset": "moons", "samples": 20, "validation": 0.25}
BASE: dict[str, Any] = {
    "model": {"layers": NET},
    "loss": "bce_with_logits",
    "optimizer": {"type": "sgd", "lr": 0.1},
    "data": MOONS,
    "batch_size": 6,
    "shuffle": True,
}
WRITTEN = {"inputs": [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "targets": [[0.0], [1.0], [1.0]]}


def moons(**more: Any) -> dict[str, Any]:
    return {"data": {**MOONS, **more}}


def rate(lr: Any) -> dict[str, Any]:
    return {"optimizer": {"type": "sgd", "lr": lr}}


DEEP: Any = "relu"
LISTS: Any = [1.0]
for _ in range(400):
    DEEP = {"type": "residual", "layers": [DEEP]}
    LISTS = [LISTS]
LOOKS = ("", "/history", "/data", "/batch", "/evaluate", "/gradient-noise?batches=2", "/doctor")
LOOKS += ("/state", "/frames", "/sharpness")


def written(**more: Any) -> dict[str, Any]:
    return {"data": {**WRITTEN, **more}}


RUNS: dict[str, dict[str, Any]] = {
    **{
        f"a rate of 1e300, {name}": {"optimizer": {"type": name, "lr": 1e300}}
        for name in ("sgd", "momentum", "rmsprop", "adagrad", "adam", "adamw")
    },
    "a rate of 0": rate(0),
    "a rate of 1e300 with clipping": {
        "optimizer": {"type": "sgd", "lr": 1e300},
        "clip": {"max_norm": 1},
    },
    "a batch larger than all samples": {"batch_size": 10**9},
    "one sample": moons(samples=1, validation=0),
    "one class": written(targets=[[1.0], [1.0], [1.0]]),
    "constant features": written(inputs=[[2.0, 2.0]] * 3),
    "constant features, standardised": written(inputs=[[2.0, 2.0]] * 3, standardise=True),
    "features of 1e308": written(inputs=[[1e308, -1e308]] * 3),
    "features of 1e308, standardised": written(
        inputs=[[1e308, -1e308], [-1e308, 1e308], [0.0, 1e308]], standardise=True
    ),
    "a feature that is no number": written(inputs=[["NaN", 1.0], [1.0, "Infinity"], [0.0, 0.0]]),
    "no numbers, standardised": written(inputs=[["NaN", 1.0]] * 3, standardise=True),
    "targets out of range": written(targets=[[-5.0], [1e9], [0.5]]),
    "jitter of 1e308": moons(augment={"jitter": 1e308}),
    "one batch alone of one sample": {
        "data": {**WRITTEN, "overfit_one_batch": True},
        "batch_size": 1,
    },
    "pictures shifted out of sight": {
        "model": {"layers": ["flatten", {"type": "linear", "out_features": 10}]},
        "loss": "cross_entropy",
        "data": {"dataset": "digits", "samples": 20, "augment": {"shift": 16}, "standardise": True},
    },
    "class numbers with one class only": {
        "model": {"layers": [{"type": "linear", "out_features": 2}]},
        "loss": "cross_entropy",
        "data": {**WRITTEN, "targets": [1, 1, 1]},
    },
    "all but one sample held back": {
        "data": {"dataset": "moons", "samples": 20, "validation": 0.95}
    },
}

REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "0 samples": (moons(samples=0), "data.samples", "at least 1: 0"),
    "nothing written": (written(inputs=[], targets=[]), "data.inputs", "empty"),
    "a million samples": (
        {"data": {"dataset": "moons", "samples": 10**6}},
        "data.samples",
        "at most",
    ),
    "1e99 samples": (moons(samples=1e99), "data.samples", "at most"),
    "more targets than inputs": (written(targets=[[1.0]] * 4), "data.targets", "4 and 3"),
    "a ragged row": (written(inputs=[[1.0], [1.0, 2.0], [1.0]]), "data.inputs", "length"),
    "words for numbers": (written(inputs=[["a", 1.0]] * 3), "data.inputs", "not a number: 'a'"),
    "everything held back": (written(validation=0.9), "data.validation", "nothing is left"),
    "a share of 2": (written(validation=2), "data.validation", "below 1: 2"),
    "a batch of 0": ({"batch_size": 0}, "batch_size", "at least 1: 0"),
    "a batch of half a sample": ({"batch_size": 0.5}, "batch_size", "whole number"),
    "a rate that is no number": (
        {"optimizer": {"type": "sgd", "lr": "NaN"}},
        "optimizer.lr",
        "number",
    ),
    "a rate of 1e999": (rate(10**400), "optimizer.lr", "must be a number"),
    "a negative rate": (rate(-1), "optimizer.lr", "at least 0: -1"),
    "a million units": (
        {"model": {"layers": [{"type": "linear", "out_features": 10**6}, OUT]}},
        "model",
        "at most",
    ),
    "ten thousand layers": ({"model": {"layers": ["relu"] * 10_000}}, "model", "at most"),
    "a seed of -1": ({"seed": -1}, "seed", "at least 0"),
    "a class that there is not": (
        {
            "model": {"layers": [{"type": "linear", "out_features": 2}]},
            "loss": "cross_entropy",
            "data": {**WRITTEN, "targets": [0, 1, 2]},
        },
        "data.targets",
        "from 0 to 1: 2",
    ),
    "own data by name only": ({"data": "moons"}, "data.type", "accepted"),
    "a data set that there is not": ({"data": {"dataset": "mnist"}}, "data.dataset", "digits"),
    "a loss that there is not": ({"loss": "bec"}, "loss", "known are mse"),
    "an image with a border of a million": (
        {
            "model": {
                "layers": [
                    {"type": "conv2d", "out_channels": 1, "kernel_size": 2, "stride": 10**6}
                    | {"padding": 10**6},
                    "flatten",
                ]
            },
            "data": {"dataset": "digits", "samples": 3},
            "loss": "cross_entropy",
        },
        "model",
        "BACKSTEP_GRAPH_ENTRIES",
    ),
    "a window of a million": (
        {
            "model": {
                "layers": [
                    {"type": "max_pool2d", "kernel_size": 10**6, "padding": 5 * 10**5},
                    "flatten",
                ]
            },
            "data": {"dataset": "digits", "samples": 3},
            "loss": "cross_entropy",
        },
        "model",
        "at most",
    ),
    "a stride of 1e300": (
        {
            "model": {"layers": [{"type": "avg_pool2d", "kernel_size": 2, "stride": 1e300}]},
            "data": {"dataset": "digits", "samples": 3},
            "loss": "cross_entropy",
        },
        "model.layers[0].stride",
        "at most 9007199254740992",
    ),
    "2^32 by 2^32 weights": (
        {"model": {"layers": [{"type": "linear", "out_features": 2**32}] * 2 + [OUT]}},
        "model",
        "BACKSTEP_ARRAY_ENTRIES",
    ),
    "three hundred layers of 1,000": (
        {"model": {"layers": [{"type": "linear", "out_features": 999}] * 300 + [OUT]}},
        "model",
        "BACKSTEP_GRAPH_ENTRIES",
    ),
    "layers inside layers inside layers": ({"model": {"layers": [DEEP]}}, "spec", "60 deep"),
    "lists inside lists inside lists": ({"data": {"inputs": LISTS, "targets": [1]}}, "spec", "60"),
    "a word of ten thousand letters": ({"loss": "x" * 10_000}, "loss", "known are mse"),
    "a list of ten thousand for a title": ({"zero_grad": [1] * 10_000}, "zero_grad", "1, 1"),
    "data as a list": ({"data": [1]}, "data", "object"),
    "no data": ({"data": None}, "data", "object"),
}


@pytest.mark.parametrize("name", RUNS)
def test_numbers_may_break_but_nothing_else(client: TestClient, name: str) -> None:
    started = time.perf_counter()
    caller = Caller(client, {"spec": {**BASE, **RUNS[name]}})
    told = caller.ok("POST", "/train", {"iterations": 30})
    assert told["position"]["iteration"] == 30
    for look in LOOKS:
        response = caller("GET", look)
        assert response.status_code == 200, (look, response.text[:300])
        assert (
            "nan" not in response.text.lower() or '"NaN"' in response.text or "NaN" in response.text
        )
    caller.ok("POST", "/step", {"count": 5})
    caller.ok("POST", "/seek", {"iteration": 0, "step": 3})
    if told["loss"] in ("NaN", "Infinity") or told["history"]["train_loss"][-1] == "NaN":
        ended = caller.ok("POST", "/train", {"iterations": 30, "until": {"nonfinite": True}})[
            "ended"
        ]
        assert ended["reason"] == "nonfinite" and ended["node"]
    assert time.perf_counter() - started < PATIENCE


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_by_its_field(client: TestClient, name: str) -> None:
    more, where, words = REFUSED[name]
    started = time.perf_counter()
    found = error(client.post("/api/sessions", json={"spec": {**BASE, **more}}), 422)
    assert (found["where"] or "").startswith(where) and words in found["message"], found
    assert len(found["message"]) <= 600
    assert time.perf_counter() - started < PATIENCE


@pytest.mark.parametrize(
    "body",
    [
        {"iterations": 10**12},
        {"epochs": 10**12},
        {"iterations": 10**30},
        {"epochs": 1, "iterations": 1},
        {"iterations": 1.5},
        {"iterations": 10**9, "until": {"loss_below": 0}},
    ],
)
def test_more_training_than_there_is_time(client: TestClient, body: Any) -> None:
    caller = Caller(client, {"spec": BASE})
    error(caller("POST", "/train", body), 422)
    assert caller.ok("GET")["position"]["iteration"] == 0


def test_a_change_that_cannot_be_kept(client: TestClient) -> None:
    huge = {"type": "value", "iteration": 0, "node": "0.bias", "value": [1, 2, 10**30]}
    error(client.post("/api/sessions", json={"spec": BASE, "changes": [huge]}), 422, "invalid")


def test_weights_too_long_for_a_landscape(client: TestClient) -> None:
    """They are finite, but their squares are not."""
    caller = Caller(client, {"spec": {**BASE, **rate(1e200)}})
    caller.ok("POST", "/train", {"iterations": 1})
    for plane in ("random", "trajectory"):
        found = error(caller("POST", "/landscape", {"plane": plane, "points": 3}), 422)
        assert found["where"] in ("iteration", "plane")


def test_what_no_picture_can_show_is_told_by_samples(client: TestClient) -> None:
    """What a linear layer behind a convolution looks for is no picture."""
    layers = [
        {"type": "conv2d", "out_channels": 2, "kernel_size": [3, 1]},
        "flatten",
        {"type": "linear", "out_features": 10},
    ]
    digits = {"dataset": "digits", "samples": 12}
    spec = {"model": {"layers": layers}, "loss": "cross_entropy", "data": digits}
    told = Caller(client, {"spec": spec}).ok("GET", "/maps")
    rows, wide = told["shape"]
    answers = told["columns"][-1]["maps"]
    assert told["gallery"] and len(answers) == 10
    assert all(len(map_) == rows and len(map_[0]) == wide for map_ in answers)
    spec["model"] = {"layers": ["flatten", {"type": "linear", "out_features": 10}]}
    told = Caller(client, {"spec": spec}).ok("GET", "/maps")
    assert len(told["columns"][0]["maps"]) == 10


def test_the_doctor_sees_the_arrays_of_a_graph_taken_apart(client: TestClient) -> None:
    """A step of theirs is no step of the graph that is shown."""
    layers = [{"type": "linear", "out_features": 2}, "relu", OUT]
    start = {"0.weight": [[0.0, 0.0]] * 2, "0.bias": [-1.0, -1.0]}
    sick = {"model": {"layers": layers}, "loss": "mse", "data": WRITTEN, "parameters": start}
    caller = Caller(client, {"spec": sick})
    whole = caller.ok("GET", "/doctor")
    caller.ok("PUT", "/scalars", {"scalars": True})
    apart = caller.ok("GET", "/doctor")
    assert [f["title"] for f in apart["findings"]] == [f["title"] for f in whole["findings"]]
    (dead,) = [f for f in apart["findings"] if f["check"] == "dead_relu"]
    assert dead["place"]["step"] is None and dead["measured"] == 1.0
