"""A session's samples over HTTP: what is drawn, what an iteration sees, how good the network is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.api.calls import Caller
from tests.api.test_errors import error
from tests.sessions.specs import LINE

SPEC: dict[str, Any] = {
    "model": {"layers": [{"type": "linear", "out_features": 1}]},
    "loss": "bce_with_logits",
    "optimizer": {"type": "sgd", "lr": 1.0},
    "data": {"dataset": "gaussians", "samples": 23, "validation": 0.3, "standardise": True},
    "batch_size": 5,
    "shuffle": True,
    "seed": 3,
}


@pytest.fixture
def caller(client: TestClient) -> Caller:
    return Caller(client, {"spec": SPEC})


def test_samples_are_in_the_units_that_they_came_in(caller: Caller) -> None:
    told = caller.ok("GET", "/data")
    path = "/api/datasets/gaussians?samples=23&validation=0.3&standardise=true&seed=3"
    same = caller.client.get(path).json()
    for part in ("train", "validation", "scaling"):
        assert told[part] == same[part]
    assert told["train"]["samples"] == 16 and told["columns"] is None


def test_an_epoch_is_an_order_cut_into_batches_the_last_one_smaller(caller: Caller) -> None:
    batches = [caller.ok("GET", f"/batch?iteration={i}") for i in range(8)]
    for epoch in (0, 1):
        four = batches[4 * epoch : 4 * epoch + 4]
        assert [b["size"] for b in four] == [len(b["rows"]) for b in four] == [5, 5, 5, 1]
        assert sum((b["rows"] for b in four), []) == four[0]["order"] == four[3]["order"]
        assert sorted(four[0]["order"]) == list(range(16))
        assert [b["batch"] for b in four] == [0, 1, 2, 3] and four[0]["epoch"] == epoch
    assert batches[0]["order"] != batches[4]["order"], "shuffled anew"
    assert [b["samples_before"] for b in batches] == [0, 5, 10, 15, 16, 21, 26, 31]


def test_the_batch_s_rows_are_the_samples_that_stand_in_the_input(caller: Caller) -> None:
    told, batch = caller.ok("GET", "/data"), caller.ok("GET", "/batch?iteration=6")
    node = caller.ok("GET", "/nodes/input?iteration=6&step=1")["value"]["data"]
    rows = np.array(told["train"]["inputs"])[batch["rows"]]
    mean, std = (np.array(told["scaling"][name]) for name in ("mean", "std"))
    np.testing.assert_allclose(node, (rows - mean) / std, rtol=1e-12)


def test_the_data_step_says_which_samples_they_are(caller: Caller, client: TestClient) -> None:
    for i in (2, 7):
        rows = caller.ok("GET", f"/batch?iteration={i}")["rows"]
        frame = caller.ok("GET", f"/frames?iteration={i}&stop=1")["frames"][0]
        named = f"{'samples' if len(rows) > 1 else 'sample'} {', '.join(map(str, rows))} of 16"
        assert f"Epoch {i // 4}, batch {i % 4}: {named}" in frame["says"]
        assert "drawn anew for every epoch" in frame["says"]
    parts = Caller(client, {"spec": {**SPEC, "batch_size": 4, "shuffle": False, "accumulate": 2}})
    says = [f["says"] for f in parts.ok("GET", "/frames")["frames"] if f["phase"] == "data"]
    assert "micro-batch 1 of 2: samples 0, 1 of 16" in says[0]
    assert "micro-batch 2 of 2: samples 2, 3 of 16" in says[1]
    whole = Caller(client, {"spec": {**SPEC, "batch_size": None, "shuffle": False}})
    says = whole.ok("GET", "/frames?stop=1")["frames"][0]["says"]
    assert says.startswith("This iteration's samples"), "nothing to tell apart"


def test_an_edit_by_hand_is_seen_among_the_samples(caller: Caller) -> None:
    rows = caller.ok("GET", "/batch")["rows"]
    caller.ok("PUT", "/nodes/input", {"value": [[1.0, -1.0]] * 5})
    told = caller.ok("GET", "/data")
    mean, std = (np.array(told["scaling"][name]) for name in ("mean", "std"))
    there = np.array(told["train"]["inputs"])[rows]
    np.testing.assert_allclose(there, [np.array([1.0, -1.0]) * std + mean] * 5, rtol=1e-12)


def test_training_makes_it_better(caller: Caller) -> None:
    before = caller.ok("GET", "/evaluate")
    caller.ok("POST", "/train", {"epochs": 20})
    after = caller.ok("GET", "/evaluate")
    assert (before["iteration"], after["iteration"]) == (0, 80)
    assert after["train"]["loss"] < before["train"]["loss"] / 2
    assert after["validation"]["accuracy"] == 1.0 and after["classes"] == 2
    matrix = np.array(after["validation"]["confusion"])
    assert matrix.sum() == 7 and np.trace(matrix) == 7
    assert caller.ok("GET", "/evaluate?iteration=0") == before, "the past is still there"


@pytest.mark.parametrize("name", ["data", "batch", "evaluate"])
def test_a_program_has_none(client: TestClient, name: str) -> None:
    found = error(Caller(client, {"spec": LINE})("GET", f"/{name}"), 422, "invalid")
    assert "program" in found["message"]


@pytest.mark.parametrize("name", ["data", "batch", "evaluate"])
def test_too_far_ahead(caller: Caller, name: str) -> None:
    error(caller("GET", f"/{name}?iteration=999999999"), 422, "limit")
    error(caller("GET", f"/{name}?iteration=-1"), 422)


def test_gradient_noise_as_arrows(caller: Caller) -> None:
    caller.ok("POST", "/train", {"iterations": 6})
    told = caller.ok("GET", "/gradient-noise?batches=3")
    assert told["iteration"] == 6 and told["parameters"] == 3
    assert [len(group["batches"]) for group in told["sizes"]] == [3, 3, 1]
    assert told["sizes"][1]["batches"][0]["rows"] == caller.ok("GET", "/batch")["rows"]
    told = caller.ok("GET", "/gradient-noise?sizes=2,4&iteration=0")
    assert [group["size"] for group in told["sizes"]] == [2, 4]
    for query, where in (("batches=65", "batches"), ("sizes=a", "sizes"), ("sizes=99", "sizes")):
        found = error(caller("GET", f"/gradient-noise?{query}"), 422)
        assert found["where"] == where
