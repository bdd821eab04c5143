"""Training with an end that is waited for, and going on from the best weights, over HTTP."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.sessions.desk import Desk
from tests.api.calls import Caller
from tests.api.test_errors import error
from tests.lab.test_until import BOWL, MOONS, OVERFIT


def test_the_answer_says_what_ended_it_and_where(client: TestClient) -> None:
    caller = Caller(client, {"spec": BOWL})
    told = caller.ok("POST", "/train", {"until": {"loss_below": 1e-6}})
    assert told["ended"]["reason"] == "loss_below"
    at = told["ended"]["iteration"]
    assert told["position"]["iteration"] == at and told["position"]["step"] == 0
    assert len(told["history"]["iteration"]) == at
    walked = caller.ok("POST", "/step", {"count": 1, "unit": "iteration"})
    assert walked["position"]["iteration"] == at + 1
    history = caller.ok("GET", "/history")["train_loss"]
    assert history[at] < 1e-6 <= history[at - 1]


def test_an_iteration_under_way_is_not_taken_back(client: TestClient) -> None:
    caller = Caller(client, {"spec": BOWL})
    caller.ok("POST", "/step", {"count": 3})
    told = caller.ok("POST", "/train", {"iterations": 50, "until": {"loss_below": 2.0}})
    assert told["ended"]["reason"] == "loss_below" and told["position"]["iteration"] == 1
    told = caller.ok("POST", "/train", {"iterations": 0, "until": {"loss_below": 2.0}})
    assert told["ended"]["reason"] == "iterations" and told["position"]["iteration"] == 1


def test_without_a_condition_the_iterations_end_it(client: TestClient) -> None:
    told = Caller(client, {"spec": MOONS}).ok("POST", "/train", {"epochs": 2})
    assert told["ended"]["reason"] == "iterations" and told["ended"]["iteration"] == 8
    assert told["best"]["iteration"] in (4, 8)


def test_a_number_that_breaks_is_a_place_to_walk_to(client: TestClient) -> None:
    caller = Caller(client, {"spec": {**BOWL, "optimizer": {"type": "sgd", "lr": 1e300}}})
    told = caller.ok("POST", "/train", {"iterations": 100, "until": {"nonfinite": True}})
    ended = told["ended"]
    assert ended["reason"] == "nonfinite" and ended["node"]
    frames = caller.ok(
        "GET",
        f"/frames?iteration={ended['iteration']}&start={ended['step']}&stop={ended['step'] + 1}",
    )["frames"]
    assert any(write["value"]["nonfinite"] for write in frames[0]["writes"])


def test_early_stopping_with_the_best_weights_kept(client: TestClient, app: FastAPI) -> None:
    caller = Caller(client, {"spec": OVERFIT})
    body = {"until": {"validation_patience": 6}, "restore_best": True}
    told = caller.ok("POST", "/train", body)
    assert told["ended"]["reason"] == "validation_patience"
    now, source = told["position"]["iteration"], told["best"]["iteration"]
    assert told["changes"] == [{"type": "restore", "iteration": now, "source": source}]
    assert source < now and told["revision"] == 3
    was, here = (caller.ok("GET", f"/evaluate?iteration={i}") for i in (source, now))
    assert here["validation"] == was["validation"]
    assert here["validation"]["loss"] == told["best"]["validation_loss"]
    assert len(caller.ok("GET", "/history")["train_loss"]) == now, "the way there is kept"

    after = caller.ok("POST", "/train", {"iterations": 20})["history"]["train_loss"]
    shared = caller.client.post(
        "/api/sessions",
        json={"spec": OVERFIT, "changes": told["changes"], "position": {"iteration": now + 20}},
    ).json()
    again = caller.client.get(f"/api/sessions/{shared['id']}/history").json()["train_loss"]
    assert again == after, "spec and changes are the whole run"

    desk: Desk = app.state.desk
    desk.cabinet.distrust(caller.session["id"])
    assert caller.ok("GET", "/history")["train_loss"] == after, "from the store, too"


def test_former_weights_are_taken_up_again_by_hand(client: TestClient) -> None:
    caller = Caller(client, {"spec": MOONS})
    first = caller.ok("GET", "/nodes/0.weight")["value"]["data"]
    caller.ok("POST", "/train", {"iterations": 10})
    known = caller.ok("PUT", "/nodes/0.bias", {"value": [1, 2, 3, 4]})["revision"]
    told = caller.ok("POST", "/restore", {"iteration": 0}, headers={"if-match": f'"{known}"'})
    assert [change["type"] for change in told["changes"]] == ["value", "restore"]
    assert told["position"]["iteration"] == 10
    assert caller.ok("GET", "/nodes/0.weight")["value"]["data"] == first
    assert caller.ok("GET", "/nodes/0.bias")["value"]["data"] != [1, 2, 3, 4], (
        "gone with the others"
    )
    told = caller.ok("PUT", "/nodes/0.bias", {"value": [4, 3, 2, 1]})
    assert [change["type"] for change in told["changes"]] == ["value", "restore", "value"]
    log = copy.deepcopy(told["changes"])
    shared = caller.client.post(
        "/api/sessions", json={"spec": MOONS, "changes": log, "position": {"iteration": 10}}
    ).json()
    for name in ("0.weight", "0.bias"):
        path = f"/api/sessions/{shared['id']}/nodes/{name}"
        assert (
            caller.client.get(path).json()["value"] == caller.ok("GET", f"/nodes/{name}")["value"]
        )


def test_in_the_middle_of_an_update_they_count_from_the_next_iteration(client: TestClient) -> None:
    caller = Caller(client, {"spec": MOONS})
    caller.ok("POST", "/train", {"iterations": 2})
    of = caller.ok("GET")["position"]["of"]
    caller.ok("POST", "/step", {"count": of - 1})
    told = caller.ok("POST", "/restore", {"iteration": 1})
    assert told["changes"] == [{"type": "restore", "iteration": 3, "source": 1}]


@pytest.mark.parametrize(
    ("path", "body", "where", "words"),
    [
        ("/train", {"restore_best": True, "iterations": 1}, "restore_best", "held back"),
        ("/train", {"until": {"loss_below": []}}, "until.loss_below", "number"),
        ("/train", {"until": {"lucky": True}}, "until.lucky", "known are"),
        ("/train", {"until": 1}, "until", "object"),
        ("/train", {"iterations": 10**9, "until": {"loss_below": 0}}, "iteration", "at most"),
        ("/train", {}, "body", "until"),
        ("/restore", {}, "iteration", "no validation loss"),
        ("/restore", {"iteration": 0}, "iteration", "before iteration 0"),
        ("/restore", {"iteration": -1}, "iteration", "at least 0"),
    ],
)
def test_hostile_bodies(client: TestClient, path: str, body: Any, where: str, words: str) -> None:
    caller = Caller(client, {"spec": BOWL})
    found = error(caller("POST", path, body), 422)
    assert found["where"] == where and words in found["message"], found
    assert caller.ok("GET")["revision"] == 1, "nothing was changed"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "restore", "iteration": 3, "source": 3},
        {"type": "restore", "iteration": 3, "source": -1},
        {"type": "restore", "iteration": 3},
    ],
)
def test_a_log_with_a_future_in_it_is_refused(client: TestClient, change: Any) -> None:
    error(client.post("/api/sessions", json={"spec": BOWL, "changes": [change]}), 422)
