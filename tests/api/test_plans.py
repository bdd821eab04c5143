"""Other plans, shown: proof, memory, underflow, approaches."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.train.plans.faults import Fault
from app.train.plans.listed import PLANS
from app.train.plans.method import FIELDS
from app.web.api.examples import PLAN
from tests.api.calls import Caller

LINE = {
    "program": "L = (w*x + b)**2",
    "values": {"w": 2, "x": 3, "b": 1},
    "parameters": ["w", "b"],
}
BY_HAND = {"w": "g = 2*(w*x + b)*x", "b": "g = 2*(w*x + b)"}


def test_the_parts_add_up(client: TestClient) -> None:
    c = Caller(client, {"spec": PLAN | {"precision": None}})
    told = c.ok("GET", "/proof?iteration=3")
    assert told["iteration"] == 3 and told["worst"] < 1e-12
    for row in told["parameters"]:
        assert len(row["parts"]) == 2
        np.testing.assert_allclose(row["sum"], row["large_batch"], rtol=1e-12)


def test_checkpoints_save_memory_and_recompute(client: TestClient) -> None:
    deep = [{"type": "linear", "out_features": 8}, "tanh"] * 4
    spec = PLAN | {"model": {"layers": deep + PLAN["model"]["layers"]}, "accumulate": 1}
    told = Caller(client, {"spec": spec | {"precision": None, "checkpoint": 3}}).ok(
        "GET", "/memory"
    )
    assert told["plan"]["peak"] < told["plain"]["peak"] and told["recomputed"] > 0
    assert len(told["plan"]["bytes"]) == len(told["plan"]["phases"])
    assert told["plan"]["bytes"][told["plan"]["peak_at"]] == told["plan"]["peak"]


def test_what_float16_loses(client: TestClient) -> None:
    spec = PLAN | {"data": {"inputs": [[1e-3], [2e-3]], "targets": [[1e-6], [2e-6]]}}
    spec |= {"parameters": {"0.weight": [[1e-3]], "0.bias": [0.0]}}
    lost = Caller(client, {"spec": spec | {"precision": {"loss_scale": None}}}).ok(
        "GET", "/underflow"
    )
    kept = Caller(client, {"spec": spec}).ok("GET", "/underflow")
    assert lost["loss_scale"] is None and kept["loss_scale"] == 2**16
    assert sum(row["lost"] for row in lost["parameters"]) > 0
    assert sum(row["lost"] for row in kept["parameters"]) == 0


def test_an_update_that_is_skipped_is_told_as_one(client: TestClient) -> None:
    c = Caller(client, {"spec": PLAN | {"precision": {"loss_scale": 2.0**100}}})
    frames = c.ok("GET", "/frames?iteration=0")["frames"]
    updates = [frame for frame in frames if frame["phase"] == "update"]
    assert updates
    for frame in updates:
        assert "left out" in frame["says"]
        assert len(frame["lines"]) == 1, "no rule is worked out that did not run"
        ref = next(iter(frame["refs"].values()))
        start = c.ok("GET", f"/nodes/{frame['node']}?iteration=0&step=0")["value"]["data"]
        assert ref["value"] == np.array(start).reshape(-1)[0]


def test_one_slope_several_ways(client: TestClient) -> None:
    c = Caller(client, {"spec": LINE})
    told = c("GET", "/approaches", params={"manual": json.dumps(BY_HAND)}).json()
    rows = {row["approach"]: row for row in told["rows"]}
    assert rows["manual"]["gradient"] == {"w": 42, "b": 14} and rows["manual"]["error"] == 0
    assert rows["automatic, reverse mode"]["evaluations"] == 1
    assert rows["numerical, central"]["evaluations"] == 4
    assert len(told["sweep"]["epsilon"]) == len(told["sweep"]["central"])


@pytest.mark.parametrize(
    ("path", "where", "words"),
    [
        ("/proof", "accumulate", "at least 2"),
        ("/underflow", "precision", "float16"),
        ("/approaches?epsilon=2", "epsilon", "between 0 and 1"),
        ("/approaches?epsilon=nan", "epsilon", "between 0 and 1"),
        ("/approaches?manual=w", "manual", "JSON object"),
        ("/approaches?manual=[1]", "manual", "JSON object"),
        ('/approaches?manual={"q":"g=1"}', "manual.q", "no parameter"),
        ('/approaches?manual={"w":"g=1*"}', "manual.w", ""),
        ("/memory?iteration=99999999", "iteration", "at most"),
        ("/memory?iteration=-1", "iteration", "at least 0"),
    ],
)
def test_what_cannot_be_shown_is_said(
    client: TestClient, path: str, where: str, words: str
) -> None:
    response = Caller(client, {"spec": LINE})("GET", path)
    found: dict[str, Any] = response.json()["error"]
    assert response.status_code == 422 and found["where"] == where and words in found["message"]


def test_the_rows_of_a_micro_batch_are_said_to_be_fixed_and_are(client: TestClient) -> None:
    c = Caller(client, {"lesson": "gradient-accumulation"})
    editable = {node["name"]: node["editable"] for node in c.session["graph"]["nodes"]}
    assert not editable["input"] and not editable["target"] and editable["0.weight"]
    assert c.ok("GET", "/nodes/input")["editable"] is False
    value = next(n["shape"] for n in c.session["graph"]["nodes"] if n["name"] == "input")
    answer = client.put(f"{c.path}/nodes/input", json={"value": np.zeros(value).tolist()})
    assert answer.status_code == 422
    assert "accumulate" in answer.json()["error"]["message"]


def test_every_plan_is_in_the_catalogue_under_its_field(client: TestClient) -> None:
    rows = {row["name"]: row for row in client.get("/api/catalogue").json()["plans"]}
    assert list(rows) == list(PLANS) and set(rows) == set(FIELDS)
    assert all(row["summary"] and row["parameters"] for row in rows.values())
    taken = {p["name"] for p in rows["fault"]["parameters"]}
    assert taken == {field.name for field in fields(Fault)}
