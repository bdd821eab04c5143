"""Experiments over HTTP: they move nothing, and their limits are told."""

from __future__ import annotations

import threading
import time
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from app.web.api import long
from tests.api.calls import Caller

PAIR = [{"node": "w"}, {"node": "b"}]
SLOPE = {
    "program": "L = (w*x + b)**2",
    "values": {"w": 2, "x": 3, "b": 1},
    "parameters": ["w", "b"],
    "optimizer": {"type": "sgd", "lr": 0.2},
}


def test_the_doctor_looks_and_moves_nothing(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 12})
    before = caller.ok("GET")
    told = caller.ok("GET", "/doctor")
    assert told["iteration"] == 12
    assert [finding["check"] for finding in told["findings"]][0] == "exploding"
    assert caller.ok("GET") == before
    assert caller.ok("GET", "/doctor?iteration=0")["findings"] == []


def test_a_cure_is_a_lane_beside_the_sick_one(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 360})
    told = caller.ok("GET", "/doctor")
    finding = told["findings"][0]
    assert finding["measured"] == "Infinity" and finding["place"]["step"] is not None
    lanes: list[Any] = [{"lr": 0.2}, *(cure["changes"] for cure in finding["cures"])]
    body = {"spec": told["spec"], "lanes": lanes, "iterations": 360}
    answer = client.post("/api/sweeps", json=body)
    assert answer.status_code == 200, answer.text
    kinds = [lane["verdict"]["kind"] for lane in answer.json()["lanes"]]
    assert kinds[0] == "diverges" and "right" in kinds[1:]


def test_changes_by_hand_are_part_of_the_sick_spec(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("PATCH", "", {"lr": 0.01, "zero_grad": False})
    told = caller.ok("GET", "/doctor")
    assert told["spec"]["optimizer"]["lr"] == 0.01 and told["spec"]["zero_grad"] is False
    assert "forgotten_zero_grad" in [finding["check"] for finding in told["findings"]]


def test_a_cure_is_tried_and_moves_nothing(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 12})
    before = caller.ok("GET")
    told = caller.ok("POST", "/doctor", {"check": "exploding", "cure": "lower_rate"})
    sick, cured = told["lanes"]
    assert told["healed"] and told["comparable"] and "“Exploding gradient” is gone." in told["says"]
    assert cured["spec"]["optimizer"]["lr"] == 0.02 and cured["final"] < 1e-6 < sick["final"]
    assert caller.ok("GET") == before
    again = Caller(client, {"spec": cured["spec"]}).ok("POST", "/train", {"iterations": 60})
    assert again["history"]["train_loss"] == cured["loss"]
    long = caller("POST", "/doctor", {"check": "exploding", "cure": "clip", "iterations": 10**5})
    assert long.status_code == 422 and long.json()["error"]["where"] == "iterations"
    other = caller("POST", "/doctor", {"check": "exploding", "cure": "tea"})
    assert other.status_code == 422 and "lower_rate" in other.json()["error"]["message"]


def test_the_doctor_can_be_read_as_a_text(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 12})
    answer = caller("GET", "/doctor", headers={"accept": "text/plain"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("After 12 iterations. 2 of 13 checks found something: Exploding")
    assert "cure lower_rate: Take a tenth of the learning rate: 0.02." in answer.text
    assert caller.ok("GET", "/doctor?vitals=false")["vitals"] is None


def test_vitals_have_a_limit(client: TestClient) -> None:
    caller = Caller(client, {"lesson": "network-2-3-1"})
    caller.ok("POST", "/train", {"iterations": 20})
    told = caller.ok("GET", "/vitals?looks=11")
    assert told["iterations"] == list(range(0, 21, 2)) and len(told["layers"]) == 2
    refused = caller("GET", "/vitals?looks=61")
    assert refused.status_code == 422 and refused.json()["error"]["where"] == "looks"


def test_looking_too_far_ahead_is_refused(client: TestClient) -> None:
    answer = Caller(client)("GET", "/doctor?iteration=9000000")
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "limit"


def test_a_thirteenth_lane_is_refused(client: TestClient) -> None:
    body = {"spec": SLOPE, "lanes": [{"lr": 0.1}] * 13, "iterations": 5}
    answer = client.post("/api/sweeps", json=body)
    assert answer.status_code == 422
    assert "at most 12 lanes" in answer.json()["error"]["message"]


def test_the_sharpness_over_time(client: TestClient) -> None:
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 8})
    before = caller.ok("GET")
    points = caller.ok("GET", "/sharpness?points=4")["points"]
    assert [point["iteration"] for point in points] == [0, 2, 4, 6, 8]
    assert abs(points[0]["sharpness"] - 20) < 1e-3 and points[0]["lr"] > points[0]["limit"]
    assert caller.ok("GET") == before
    refused = caller("GET", "/sharpness?points=21")
    assert refused.status_code == 422 and refused.json()["error"]["where"] == "points"


def test_the_range_test(client: TestClient) -> None:
    body = {"spec": SLOPE, "low": 1e-4, "high": 1, "iterations": 100}
    told = client.post("/api/range-test", json=body).json()
    assert told["interval"][1] < 0.1 < told["diverges"] < 1
    wrong = client.post("/api/range-test", json={**body, "high": 1e-6})
    assert wrong.status_code == 422 and wrong.json()["error"]["where"] == "high"
    many = client.post("/api/range-test", json={**body, "iterations": 10**6})
    assert many.json()["error"]["code"] == "limit"


def test_a_landscape_moves_nothing(client: TestClient) -> None:
    caller = Caller(client, {"spec": {**SLOPE, "optimizer": {"type": "sgd", "lr": 0.02}}})
    caller.ok("POST", "/train", {"iterations": 10})
    before = caller.ok("GET")
    told = caller.ok("POST", "/landscape", {"plane": "parameters", "parameters": PAIR})
    assert told["axes"] == ["w", "b"] and len(told["loss"]) == len(told["loss"][0]) == 25
    assert told["here"]["loss"] == told["path"][-1]["loss"] < told["path"][0]["loss"] == 49
    assert caller.ok("GET") == before
    large = caller("POST", "/landscape", {"points": 102})
    assert large.status_code == 422 and large.json()["error"]["code"] == "limit"


def test_a_landscape_can_be_ended(client: TestClient) -> None:
    layers = [{"type": "linear", "out_features": 200}, {"type": "tanh"}] * 3
    data = {"dataset": "moons", "samples": 1000}
    model = {"layers": [*layers, {"type": "linear", "out_features": 1}]}
    caller = Caller(client, {"spec": {"model": model, "loss": "mse", "data": data}})
    ended = threading.Event()

    def end() -> None:
        while not ended.is_set():
            caller("DELETE", "/landscape")
            time.sleep(0.1)

    thread = threading.Thread(target=end)
    thread.start()
    try:
        told = caller.ok("POST", "/landscape", {"points": 101})
    finally:
        ended.set()
        thread.join()
    assert not told["complete"] and told["loss"][-1] is None


def test_progress_comes_before_the_result_to_who_asks_for_a_stream(client: TestClient) -> None:
    asked = {"accept": "text/event-stream"}
    body = {"spec": SLOPE, "lanes": [{"lr": 0.01}], "iterations": 5}
    with client.stream("POST", "/api/sweeps", json=body, headers=asked) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    assert text.startswith("event: result\ndata: ")  # too short for progress
    plain = client.post("/api/sweeps", json=body).json()
    assert orjson.loads(text.split("data: ")[1]) == plain
    wrong = {"spec": SLOPE, "low": 1, "high": 0.1}
    with client.stream("POST", "/api/range-test", json=wrong, headers=asked) as answer:
        text = "".join(answer.iter_text())
    refused = client.post("/api/range-test", json=wrong).json()
    assert text.startswith("event: error\n") and orjson.loads(text.split("data: ")[1]) == refused


def test_a_cure_tells_its_progress(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "LOOK_SECONDS", 0.001)  # it is done in less than the usual moment
    caller = Caller(client, {"spec": SLOPE})
    caller.ok("POST", "/train", {"iterations": 360})
    (finding, *_) = caller.ok("GET", "/doctor")["findings"]
    cure = {"check": finding["check"], "cure": finding["cures"][0]["name"], "iterations": 5_000}
    asked = {"accept": "text/event-stream"}
    with client.stream("POST", f"{caller.path}/doctor", json=cure, headers=asked) as answer:
        events = "".join(answer.iter_text()).split("\n\n")
    *progress, (kind, result) = [event.split("\ndata: ") for event in events if event]
    assert kind == "event: result" and orjson.loads(result) == caller.ok("POST", "/doctor", cure)
    told = [orjson.loads(data) for name, data in progress if name == "event: progress"]
    assert told and all(0 <= one["done"] <= one["of"] == 10_000 for one in told)
    with client.stream(
        "POST", f"{caller.path}/doctor", json={**cure, "cure": "none"}, headers=asked
    ) as answer:
        assert "".join(answer.iter_text()).startswith("event: error\n")


def test_a_landscape_of_a_spec_needs_no_session(client: TestClient) -> None:
    spec = {"program": "L = 0.5*(x**2 + 25*y**2)", "values": {"x": -4, "y": 1.5}}
    body = {"spec": spec, "lane": {"lr": 0.02}, "iterations": 3, "plane": "parameters",
            "parameters": [{"node": "x"}, {"node": "y"}], "points": 3,
            "ranges": [[-1, 1], [0, 0]]}  # fmt: skip
    told = client.post("/api/landscape", json=body).json()
    x, y = -4 * 0.98**3, 1.5 * 0.5**3
    assert told["loss"][0][2] == pytest.approx(0.5 * ((x + 1) ** 2 + 25 * y**2))
    assert [place["iteration"] for place in told["path"]] == [0, 1, 2, 3]
    lanes = {**body, "lanes": [{"lr": 0.02}, {"lr": 0.04}]}
    shared = client.post("/api/landscape", json=lanes).json()
    assert [path[-1]["iteration"] for path in shared["paths"]] == [3, 3]
    too_long = client.post("/api/landscape", json={**lanes, "iterations": 10**6}).json()["error"]
    assert too_long["where"] == "iterations"
    assert too_long["message"].endswith("(BACKSTEP_SWEEP_ITERATIONS)")
    numbers = {**lanes, "spec": {**spec, "scalars": True}}
    assert client.post("/api/landscape", json=numbers).json()["paths"] == shared["paths"]
    refused = client.post("/api/landscape", json={**body, "iterations": 10**6})
    assert refused.status_code == 422 and refused.json()["error"]["where"] == "iterations"
