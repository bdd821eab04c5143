"""The smaller rooms: lessons, catalogue, experiments, pages."""

from __future__ import annotations

import math
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.engine.op import OPS
from app.lessons import lessons, topics
from app.nn.layers import LAYERS
from app.train.optimizers import OPTIMIZERS
from app.web.api.catalogue import TABLES
from tests.api.calls import Caller
from tests.sessions.specs import LINE, NETWORK


def test_the_shelf(client: TestClient) -> None:
    told = client.get("/api/lessons").json()
    assert [lesson["id"] for lesson in told["lessons"]] == list(lessons())
    assert told["topics"] == topics()
    for lesson in told["lessons"]:
        picture = lesson["picture"]
        assert picture["nodes"] and picture["edges"] and lesson["question"]
        for node in picture["nodes"]:
            assert 0 <= node["x"] <= picture["width"] - node["width"]
            assert 0 <= node["y"] <= picture["height"] - node["height"]


@pytest.mark.parametrize("id", lessons())
def test_a_lesson_tells_all_of_itself(client: TestClient, id: str) -> None:
    told, lesson = client.get(f"/api/lessons/{id}").json(), lessons()[id]
    assert told["spec"] == lesson.spec and told["takeaway"] == lesson.takeaway
    assert len(told["notes"]) == len(lesson.notes)


def test_the_shelf_is_a_path_that_can_be_followed(client: TestClient) -> None:
    path, here = [], next(iter(lessons()))
    while here:
        path.append(here)
        after = client.get(f"/api/lessons/{here}").json()["next"]
        assert after is None or after["title"] == lessons()[after["id"]].title
        here = after and after["id"]
    assert path == list(lessons())


def test_the_catalogue_is_read_off_the_tables(client: TestClient) -> None:
    told = client.get("/api/catalogue").json()
    assert set(told) == set(TABLES)
    for name, rows in TABLES.items():
        assert [row["name"] for row in told[name]] == list(rows)
        for row in told[name]:
            assert row["summary"], (name, row["name"])
            for parameter in row["parameters"]:
                assert {"name", "default", "required"} <= set(parameter)
    assert len(told["ops"]) + len(told["losses"]) == len(OPS)
    assert len(told["layers"]) == len(LAYERS)
    sgd = next(row for row in told["optimizers"] if row["name"] == "sgd")
    defaults = {p["name"]: p["default"] for p in sgd["parameters"]}
    assert {"type": "sgd", **defaults} == OPTIMIZERS["sgd"]().spec
    assert [p["name"] for p in sgd["parameters"]][0] == "lr"


@pytest.mark.parametrize("spec", [LINE, NETWORK])
def test_gradients_are_checked_where_the_session_stands(
    client: TestClient, spec: dict[str, Any]
) -> None:
    c = Caller(client, {"spec": spec})
    c.ok("POST", "/seek", {"iteration": 4, "step": 2})
    told = c.ok("POST", "/gradient-check")
    assert told["position"]["iteration"] == 4 and told["ok"] is True
    assert told["worst"] < 1e-4 and "agree" in told["verdict"]
    assert {entry["node"] for entry in told["entries"]} <= {
        n["name"] for n in c.session["graph"]["nodes"]
    }
    assert c.ok("POST", "/gradient-check", {"epsilon": 1e-6})["epsilon"] == 1e-6
    assert c.ok("GET")["revision"] == 2, "checking changes nothing"


def test_a_sweep_compares_rates(client: TestClient) -> None:
    body = {
        "lesson": "gradient-descent",
        "lanes": [{"lr": 0.001}, {"lr": 0.1}, {"lr": 1.5, "label": "far"}],
        "iterations": 2_000,
    }
    response = client.post("/api/sweeps", json=body)
    lanes = response.json()["lanes"]
    assert [lane["lr"] for lane in lanes] == [0.001, 0.1, 1.5]
    assert [lane["verdict"]["kind"] for lane in lanes][1:] == ["right", "diverges"]
    assert lanes[2]["label"] == "far"
    assert lanes[2]["final"] in ("NaN", "Infinity")
    assert all(len(lane["loss"]) == 2_001 for lane in lanes)
    assert math.isclose(lanes[1]["loss"][1], lanes[1]["loss"][0] * 0.8**2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lanes": []}, "must be a list"),
        ({"lanes": [{"lr": 0.1}] * 13}, "at most 12 lanes"),
        ({"iterations": 6_000}, "at most 5,000 iterations"),
        ({"iterations": 0}, "at least 1"),
        ({"lanes": [{"lr": "fast"}]}, "must be a number"),
        ({"spec": LINE}, "give either"),
    ],
)
def test_sweeps_that_cannot_be(client: TestClient, change: dict[str, Any], words: str) -> None:
    body = {"lesson": "gradient-descent", "lanes": [{"lr": 0.1}], "iterations": 5}
    response = client.post("/api/sweeps", json=body | change)
    assert response.status_code == 422
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "Watch a network learn"),
        ("/walk", "A network of your own"),
        ("/walk/neuron", 'data-lesson="neuron"'),
        ("/walk/session/abc", 'data-session="abc"'),
        ("/walk/session/%22%3E%3Cscript%3E", "&#34;&gt;&lt;script&gt;"),
        ("/lab/learning-rate", 'id="lab"'),
        ("/docs", "REST API"),
    ],
)
def test_pages(client: TestClient, path: str, words: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-security-policy" in response.headers
    assert words in response.text


LINKS = [(id, link.href) for id, lesson in lessons().items() for link in lesson.links]


@pytest.mark.parametrize(("id", "href"), LINKS)
def test_where_a_lesson_goes_on_there_is_a_page(client: TestClient, id: str, href: str) -> None:
    assert client.get(href.partition("#")[0]).status_code == 200
    assert href != f"/walk/{id}"
    told = client.get(f"/api/lessons/{id}").json()["links"]
    assert href in [link["href"] for link in told]
