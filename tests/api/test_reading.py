"""Looking moves nothing, rounds nothing, and knows words for what is not finite."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.api.calls import Caller
from tests.sessions.specs import NETWORK

NEURON = {"lesson": "neuron"}


def test_frames_rebuild_every_state(client: TestClient) -> None:
    """What a frame writes is all that changes from one state to the next."""
    c = Caller(client, {"spec": NETWORK})
    for iteration in (0, 1, 2):
        told = c.ok("GET", f"/frames?iteration={iteration}")
        nodes = c.ok("GET", f"/state?iteration={iteration}&step=0")["nodes"]
        assert [f["index"] for f in told["frames"]] == list(range(told["of"]))
        for frame in told["frames"]:
            for write in frame["writes"]:
                node = nodes.setdefault(
                    write["node"], {"name": write["node"], "value": None, "grad": None, "state": {}}
                )
                place = node if write["slot"] in ("value", "grad") else node["state"]
                place[write["slot"]] = write["value"]
            there = c.ok("GET", f"/state?iteration={iteration}&step={frame['index'] + 1}")
            assert there["position"] == frame["position"]
            assert {n: v for n, v in nodes.items() if n} == {
                n: v for n, v in there["nodes"].items() if n
            }
    assert c.ok("GET")["position"] == c.session["position"], "nothing has moved"


def test_a_dropout_says_that_its_mask_is_the_same_on_the_way_back(client: TestClient) -> None:
    frames = Caller(client, {"lesson": "overfitting-dropout"}).ok("GET", "/frames")["frames"]
    says = [f["says"] for f in frames if f["op"] == "mul"]
    assert len(says) == 2
    assert "left out" in says[0] and "the same as on the way forward" in says[1]


def test_parts_of_frames(client: TestClient) -> None:
    c = Caller(client, NEURON)
    whole = c.ok("GET", "/frames")["frames"]
    assert c.ok("GET", "/frames?start=2&stop=5")["frames"] == whole[2:5]
    assert c.ok("GET", "/frames?start=7")["frames"] == whole[7:]
    assert c.ok("GET", "/frames?start=5&stop=3")["frames"] == []
    assert c.ok("GET", "/frames?start=5000&stop=9000")["frames"] == []


def test_numbers_are_never_rounded(client: TestClient) -> None:
    x = 0.1 + 0.2
    c = Caller(client, {"spec": {"program": "L = (x - 1/3)**2", "values": {"x": x}}})
    assert c.session["spec"]["values"]["x"] == x
    assert c.ok("GET", "/nodes/x?step=1")["value"]["data"] == x
    c.ok("PUT", "/nodes/x", {"value": 1e-300})
    assert c.ok("GET", "/nodes/x?step=1")["value"]["data"] == 1e-300
    c.ok("PUT", "/nodes/x", {"value": x})
    loss = c.ok("POST", "/step", {"unit": "iteration"})["loss"]
    assert loss == (x - 1 / 3) ** 2


@pytest.mark.parametrize(("word", "square"), [("NaN", "NaN"), ("-Infinity", "Infinity")])
def test_what_is_not_finite_travels_as_a_word(client: TestClient, word: str, square: str) -> None:
    spec = {"program": "L = x**2", "values": {"x": word}}
    c = Caller(client, {"spec": spec})
    assert c.session["spec"] == spec
    last = c.ok("POST", "/step", {"unit": "iteration"})
    assert last["loss"] == square
    for path in ("", "/state", "/history", "/frames", "/nodes/x", "/nodes/L?iteration=0&step=3"):
        text = c("GET", path).text
        json.loads(text, parse_constant=pytest.fail)
        assert any(f'"{told}"' in text for told in ("NaN", "Infinity", "-Infinity")), path
    assert c.ok("GET", "/history")["train_loss"] == [square]
    check = c.ok("POST", "/gradient-check")
    assert check["ok"] is False


def test_a_bare_nan_is_understood(client: TestClient) -> None:
    """As Python's json module writes it; it is stored and told as a word."""
    body = '{"spec": {"program": "L = x**2", "values": {"x": NaN}}}'
    made = client.post("/api/sessions", content=body, headers={"content-type": "application/json"})
    assert made.status_code == 201
    assert made.json()["spec"]["values"] == {"x": "NaN"}


def npy(c: Caller, path: str, accept: str = "application/x-npy") -> Any:
    response = c("GET", path, headers={"accept": accept})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == accept
    return np.load(io.BytesIO(response.content))


@pytest.mark.parametrize("accept", ["application/x-npy", "application/octet-stream"])
def test_arrays_as_numpy_files(client: TestClient, accept: str) -> None:
    c = Caller(client, {"spec": NETWORK})
    c.ok("POST", "/train", {"iterations": 2})
    told = c.ok("GET", "/nodes/0.weight")
    for slot in ("value", "grad"):
        array = npy(c, f"/nodes/0.weight?slot={slot}", accept)
        assert array.dtype == np.float64 and array.tolist() == told[slot]["data"]
    assert npy(c, "/nodes/0.weight?slot=exp_avg").tolist() == told["state"]["exp_avg"]["data"]


def test_an_empty_slot_has_no_file(client: TestClient) -> None:
    c = Caller(client, NEURON)
    response = c("GET", "/nodes/0.weight?slot=grad", headers={"accept": "application/x-npy"})
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "0.weight has no grad at this moment"


def test_large_arrays_are_told_whole_by_their_node_only(client: TestClient) -> None:
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 100}]},
        "loss": {"type": "mse"},
        "data": {"inputs": [[0.0] * 50], "targets": [[0.0] * 100]},
    }
    c = Caller(client, {"spec": spec})
    there = c.ok("GET", "/state?step=1")["nodes"]["0.weight"]["value"]
    assert there["shape"] == [100, 50] and there["data"] is None and there["norm"] > 0
    whole = c.ok("GET", "/nodes/0.weight")["value"]["data"]
    assert npy(c, "/nodes/0.weight").tolist() == whole


def test_looking_ahead_does_not_count_as_seen(client: TestClient) -> None:
    c = Caller(client, NEURON)
    c.ok("GET", "/frames?iteration=5")
    c.ok("GET", "/state?iteration=7&step=2")
    session = c.ok("GET")
    assert (session["revision"], session["seen"]) == (1, {"iteration": 0, "step": 0})
    assert c.ok("GET", "/history")["iteration"] == []


def test_history_in_parts(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    whole = c.ok("POST", "/train", {"iterations": 8})["history"]
    assert whole["iteration"] == list(range(8))
    assert all(len(column) == 8 for column in whole.values())
    part = c.ok("GET", "/history?start=2&stop=5")
    assert part == {name: column[2:5] for name, column in whole.items()}
    assert whole["lr"] == pytest.approx([0.05 * 0.99**i for i in range(8)])


def test_a_long_history_is_answered_short_when_asked(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    assert "history" not in c.ok("POST", "/train", {"iterations": 400, "history": False})
    whole, short = c.ok("GET", "/history"), c.ok("GET", "/history?most=20")
    assert len(whole["iteration"]) == 400 and len(short["iteration"]) <= 20
    kept = short["iteration"]
    assert kept[0] == 0 and kept[-1] == 399
    assert short == {name: [column[i] for i in kept] for name, column in whole.items()}
    assert max(short["train_loss"]) == max(whole["train_loss"])
    assert c("GET", "/history?most=7").status_code == 422


def test_elements_of_a_matrix_product(client: TestClient) -> None:
    c = Caller(client, {"lesson": "network-2-3-1"})
    frame = next(f for f in c.ok("GET", "/frames")["frames"] if f["phase"] == "forward")
    value = frame["writes"][0]["value"]["data"]
    for j, entry in enumerate(value[0]):
        told = c.ok("GET", f"/element?node={frame['node']}&step={frame['index']}&index=0,{j}")
        assert entry in [ref["value"] for ref in told["refs"].values()]
        assert told["symbols"].startswith("<math") and told["numbers"].startswith("<math")


def test_answers_are_small_when_asked(client: TestClient) -> None:
    c = Caller(client, {"lesson": "network-2-3-1"})
    response = c("GET", "/frames", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) * 5 < len(response.content)


def test_a_graph_is_that_of_its_iteration(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    c.ok("POST", "/train", {"iterations": 2})
    c.ok("PATCH", "", {"regularisation": {"l2": 0.1}})
    names = [{n["name"] for n in c.ok("GET", f"/graph?iteration={i}")["nodes"]} for i in (1, 2)]
    assert names[1] - names[0] >= {"l2.lambda", "l2.penalty"} and names[0] < names[1]
    assert {n["name"] for n in c.ok("GET", "/graph")["nodes"]} == names[1]
