"""Training that is watched: pictures while it goes on, changes without a new beginning, an exact
stop.
"""

from __future__ import annotations

import base64
import time
from typing import Any

import httpx
import numpy as np
import pytest

from app.lab.portrait import Portrait
from app.train.run import Run
from app.train.spec import parse_spec
from tests.api.test_events import events, new
from tests.serving import Server
from tests.train.specs import hidden

SPEC: dict[str, Any] = {
    "model": hidden(3),
    "loss": "bce_with_logits",
    "optimizer": {"type": "sgd", "lr": 0.3},
    "data": {"dataset": "circle", "samples": 100, "validation": 0.5},
    "batch_size": 10,
    "shuffle": True,
    "seed": 4,
}


def stands(client: httpx.Client, path: str) -> dict[str, Any]:
    """What it says when it stands still."""
    for _ in range(200):
        told: dict[str, Any] = client.get(f"{path}/play").json()
        if not told["playing"]:
            return told
        time.sleep(0.05)
    raise AssertionError("it goes on and on")


def test_a_watched_run_is_the_run_that_nobody_watches(server: Server) -> None:
    with server.client() as client, server.client() as other:
        path = new(client, SPEC)
        with client.stream("GET", f"{path}/live") as stream:
            seen = events(stream.iter_lines())
            name, scene = next(seen)
            assert name == "scene" and [c["units"] for c in scene["columns"]] == [3, 1]
            assert len(scene["samples"]["train"]["inputs"]) == 50
            name, first = next(seen)
            assert name == "picture" and first["iteration"] == 0 and not first["playing"]
            assert other.post(f"{path}/play", json={"iterations": 900}).json()["playing"]
            pictures = [first]
            while not (pictures[-1]["reason"] and not pictures[-1]["playing"]):
                name, picture = next(seen)
                pictures.append(picture)
                if len(pictures) == 2:  # while it goes on
                    answer = other.patch(path, json={"lr": 0.2, "regularisation": {"l2": 0.001}})
                    assert answer.status_code == 200
        last = pictures[-1]
        assert (last["iteration"], last["reason"]) == (900, "done")
        steps = [picture["iteration"] for picture in pictures]
        assert steps == sorted(steps)
        session = other.get(path).json()
        assert session["position"] == {"iteration": 900, "step": 0, "of": len(session["plan"])}
        alone = other.post(
            "/api/sessions", json={"spec": SPEC, "changes": session["changes"]}
        ).json()
        trained = other.post(f"/api/sessions/{alone['id']}/train", json={"iterations": 900}).json()
        watched = other.get(f"{path}/history").json()
        assert watched["train_loss"] == trained["history"]["train_loss"]
        points = [point for picture in pictures for point in picture["points"]]
        lowest = min(point[3] for point in points if point[3] != "NaN")
        assert lowest == min(watched["train_loss"])  # no batch is hidden


def test_pixels_are_the_neurons_values(server: Server) -> None:
    run = Run(parse_spec(SPEC))
    run.train(50)
    portrait = Portrait(run, 16)
    slots = run.carried(50)
    maps = portrait.maps(slots)
    with server.client() as client:
        path = new(client, SPEC)
        client.post(f"{path}/train", json={"iterations": 50})
        told = client.get(f"{path}/maps?size=16").json()
    for column, ours in zip(told["columns"], maps, strict=True):
        assert np.array_equal(np.array(column["maps"]), ours)
    # by hand: the hidden neurons over the plane, from the top left
    (low, high), (bottom, top) = told["domain"]
    x, y = np.meshgrid(np.linspace(low, high, 16), np.linspace(top, bottom, 16))
    weight, bias = slots["0.weight", "value"], slots["0.bias", "value"]
    by_hand = np.tanh(weight[1, 0] * x + weight[1, 1] * y + bias[1])
    assert maps[0][1] == pytest.approx(by_hand, abs=1e-12)
    pixels = np.frombuffer(portrait.pixels(maps, portrait.limits(maps)), np.int8)
    assert len(pixels) == 3 * 8 * 8 + 16 * 16
    roots = pixels[-256:].reshape(16, 16) / 127
    assert np.sign(roots) * roots**2 == pytest.approx(maps[-1][0], abs=1 / 120)
    assert ((roots > 0) == (maps[-1][0] > 0)).all()
    scores = portrait.scores(slots)
    with server.client() as client:
        evaluated = client.get(f"{path}/evaluate").json()
    for which in ("train", "validation"):
        assert scores[which]["confusion"] == evaluated[which]["confusion"]
        assert scores[which]["loss"] == pytest.approx(evaluated[which]["loss"])


def test_it_stops_before_what_it_waits_for(server: Server) -> None:
    with server.client() as client:
        path = new(client, {**SPEC, "optimizer": {"type": "sgd", "lr": 1e300}, "loss": "mse"})
        client.post(f"{path}/play", json={"iterations": 5000})
        told = stands(client, path)
        assert told["reason"] == "nonfinite" and "first number" in told["says"]
        at = told["position"]["iteration"]
        assert f"iteration {at}" in told["says"].lower()
        state = client.get(f"{path}/state?iteration={at}&step=0").json()["nodes"]
        assert all(state[n]["value"]["nonfinite"] == 0 for n in ("0.weight", "2.bias"))
        path = new(client, SPEC)
        client.post(f"{path}/play", json={"until": {"loss_below": 0.3}, "iterations": 50_000})
        told = stands(client, path)
        assert told["reason"] == "loss_below" and "last 5 batches" in told["says"]
        losses = client.get(f"{path}/history").json()["train_loss"]
        assert np.mean([*losses[-4:], told["batch_loss"]]) < 0.3 <= np.mean(losses[-5:])


def test_the_best_weights_are_taken_up_again(server: Server) -> None:
    with server.client() as client:
        path = new(client, SPEC)
        until = {"until": {"validation_patience": 5}, "restore_best": True, "iterations": 20_000}
        client.post(f"{path}/play", json=until)
        told = stands(client, path)
        assert told["reason"] == "validation_patience" and "taken up again" in told["says"]
        at = told["position"]["iteration"]
        history = client.get(f"{path}/history").json()["validation_loss"]
        best = min((loss, i) for i, loss in enumerate(history) if loss is not None)
        assert f"of iteration {best[1] + 1}," in told["says"]
        score = client.get(f"{path}/evaluate?iteration={at}").json()
        assert score["validation"]["loss"] == pytest.approx(best[0])


def test_refusals_and_other_ways_to_end(server: Server) -> None:
    with server.client() as client, server.client() as other:
        path = new(client, SPEC)
        refused = client.post(f"{path}/play", json={"until": {"dead_unit": True}})
        assert refused.status_code == 422 and "only a ReLU" in refused.json()["error"]["message"]
        assert client.post(f"{path}/play", json={"speed": 0}).status_code == 422
        client.post(f"{path}/play", json={"speed": 20})
        time.sleep(0.3)
        client.post(f"{path}/step", json={"count": 1, "unit": "iteration"})  # somebody else
        assert stands(client, path)["reason"] == "moved"
        with client.stream("GET", f"{path}/live") as stream:
            seen = events(stream.iter_lines())
            next(seen)
            other.post(f"{path}/play", json={})
            other.delete(path)
            assert [name for name, _ in seen][-1] == "deleted"
        program = new(client, {"program": "L = (w - 1)**2", "values": {"w": 3}})
        refused = client.get(f"{program}/maps")
        assert refused.status_code == 422 and "program" in refused.json()["error"]["message"]
        apart = new(client, {**SPEC, "batch_size": 2, "scalars": True})
        for route in ("maps", "live"):
            refused = client.get(f"{apart}/{route}")
            assert refused.status_code == 422 and "apart" in refused.json()["error"]["message"]


def test_what_was_reached_is_there_after_a_power_cut(start_server: Any) -> None:
    server = start_server()
    with server.client() as client:
        path = new(client, SPEC)
        client.post(f"{path}/play", json={"speed": 200, "iterations": 100_000})
        time.sleep(1.3)
        reached = client.get(path).json()["position"]["iteration"]
    server.kill()
    server.start()
    with server.client() as client:
        told = client.get(path).json()
        assert 0 < told["position"]["iteration"] <= reached + 400
        assert client.get(f"{path}/play").json()["playing"] is False


def test_bytes_of_a_picture_fit_its_scene(server: Server) -> None:
    with server.client() as client:
        path = new(client, {**SPEC, "data": {"dataset": "sine", "samples": 30}, "loss": "mse"})
        with client.stream("GET", f"{path}/live") as stream:
            seen = events(stream.iter_lines())
            (_, scene), (_, picture) = next(seen), next(seen)
        size = sum(
            column["units"] * int(np.prod(shape))
            for column, shape in zip(scene["columns"], scene["shapes"], strict=True)
        )
        assert len(base64.b64decode(picture["maps"])) == size
        assert scene["classes"] == 0 and "accuracy" not in picture["scores"]["train"]


def test_what_is_said_of_sequences(server: Server) -> None:
    spec = {
        "model": {
            "layers": [{"type": "gru", "hidden_size": 2}, {"type": "linear", "out_features": 1}]
        },
        "loss": "bce_with_logits",
        "data": {"dataset": "copy", "samples": 20, "noise": 0, "length": 3, "delay": 1},
    }
    with server.client() as client:
        path = new(client, spec)
        told = client.get(f"{path}/maps").json()
        with client.stream("GET", f"{path}/live") as stream:
            seen = events(stream.iter_lines())
            (_, scene), (_, picture) = next(seen), next(seen)
    shown = told["sequences"]
    assert shown["part"] == "train" and scene["sequences"]["inputs"] == shown["inputs"]
    assert [row[1:] for row in shown["targets"]] == [row[:-1] for row in shown["inputs"]]
    assert picture["answers"] == shown["answers"] and picture["said"] == shown["said"]
    assert [np.shape(column["maps"]) for column in told["columns"]] == [(2, 6, 3), (1, 6, 3)]
    assert told["columns"][0]["steps"] == ["0.h_1", "0.h_2", "0.h_3"]
    right = np.equal(shown["said"], shown["targets"]).all(axis=1)
    assert len(right) == 6 and scene["shapes"] == [[6, 3], [6, 3]]


def test_what_is_said_of_samples_that_are_no_points(server: Server) -> None:
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 2}]},
        "loss": "cross_entropy",
        "data": {
            "inputs": [[1, 2, 3], [2, 1, 0], [0, 0, 1], [3, 1, 2]],
            "targets": [0, 1, 1, 0],
            "classes": ["cat", "dog"],
        },
    }
    with server.client() as client:
        path = new(client, spec)
        told = client.get(f"{path}/maps").json()
        with client.stream("GET", f"{path}/live") as stream:
            seen = events(stream.iter_lines())
            (_, scene), (_, picture) = next(seen), next(seen)
    assert told["gallery"]["targets"] == [[0, 0], [1, 1]] and told["sequences"] is None
    assert told["gallery"]["said"] == picture["said"]
    assert told["gallery"]["answers"] == picture["answers"]
    assert scene["gallery"]["inputs"] == [[[1, 2, 3], [3, 1, 2]], [[2, 1, 0], [0, 0, 1]]]
    assert scene["labels"] == ["cat", "dog"]
    assert np.shape(told["columns"][0]["maps"]) == (2, 3, 1)  # a weight for each feature
