"""A session's life over HTTP: made, moved, changed, shared, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.lessons import lessons
from app.main import create_app
from app.settings import Limits, Settings
from tests.api.calls import Caller
from tests.lessons.named import STOPPED_AT_ONCE
from tests.sessions.specs import LINE, NETWORK


def test_a_new_session(client: TestClient) -> None:
    c = Caller(client, {"lesson": "neuron"})
    s = c.session
    assert c.made.headers["location"] == c.path
    assert c.made.headers["etag"] == '"1"'
    assert s["title"] == lessons()["neuron"].title and s["lesson"] == "neuron"
    assert s["spec"] == lessons()["neuron"].spec
    assert s["position"] == {"iteration": 0, "step": 0, "of": len(s["plan"])}
    assert (s["loss"], s["changes"], s["revision"]) == (None, [], 1)
    assert {note["index"] for note in s["notes"]} <= {line["index"] for line in s["plan"]}
    assert s["notes"] and all(note["says"] for note in s["notes"])
    assert c.ok("GET") == s
    assert c.ok("GET", "/graph") == s["graph"] and c.ok("GET", "/plan") == s["plan"]


@pytest.mark.parametrize("lesson", lessons())
def test_every_lesson_can_be_walked(client: TestClient, lesson: str) -> None:
    c = Caller(client, {"lesson": lesson})
    of = c.session["position"]["of"]
    told = c.ok("POST", "/step", {"count": of})
    assert told["position"] == {"iteration": 0, "step": of, "of": of}
    assert [frame["index"] for frame in told["frames"]] == list(range(of))
    assert isinstance(told["loss"], float) != (lesson in STOPPED_AT_ONCE)
    assert c.ok("POST", "/step", {"count": -of})["position"]["step"] == 0


def test_positions_of_each_unit(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    of = c.session["position"]["of"]
    places = [
        ({"count": 1}, (0, 1)),
        ({"count": of - 1}, (0, of)),
        ({"count": 1}, (1, 1)),
        ({"count": 1, "unit": "iteration"}, (2, 0)),
        ({"count": 1, "unit": "epoch"}, (3, 0)),
        ({"count": 2, "unit": "epoch"}, (9, 0)),
        ({"count": -1, "unit": "iteration"}, (8, 0)),
        ({"count": -1, "unit": "epoch"}, (6, 0)),
        ({"count": -1}, (5, of - 1)),
        ({"count": 1, "unit": "phase"}, (5, of)),
        ({"count": -1000, "unit": "phase"}, (0, 0)),
    ]
    for body, (iteration, step) in places:
        told = c.ok("POST", "/step", body)
        there = told["position"]
        assert (there["iteration"], there["step"]) == (iteration, step), body
        assert told["counters"]["step"] == step and told["counters"]["epoch"] == iteration // 3
    assert told["seen"] == {"iteration": 9, "step": 0}
    assert told["counters"]["batches"] == 3


def test_training_from_anywhere(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    told = c.ok("POST", "/train", {"iterations": 4})
    assert told["position"]["iteration"] == 4 and told["loss"] == told["history"]["train_loss"][3]
    c.ok("POST", "/step", {"count": 3})
    assert c.ok("POST", "/train", {"iterations": 1})["position"]["iteration"] == 5
    assert c.ok("POST", "/train", {"epochs": 1})["position"]["iteration"] == 6
    c.ok("POST", "/seek", {"iteration": 1, "step": 0})
    again = c.ok("POST", "/train", {"iterations": 2})
    assert again["position"]["iteration"] == 3
    assert len(again["history"]["iteration"]) == 6, "what has been seen stays seen"
    assert again["history"]["train_loss"][:4] == told["history"]["train_loss"]
    assert c.ok("POST", "/train", {"iterations": 0})["revision"] == again["revision"]


def test_stepping_and_training_give_the_same_numbers(client: TestClient) -> None:
    one, two = Caller(client, {"spec": NETWORK}), Caller(client, {"spec": NETWORK})
    one.ok("POST", "/train", {"iterations": 3})
    for _ in range(3 * one.session["position"]["of"]):
        two.ok("POST", "/step", {"frames": False})
    assert two.ok("GET", "/state")["nodes"] == one.ok("GET", "/state")["nodes"]
    assert two.ok("GET", "/history") == one.ok("GET", "/history")


def test_an_edit_shows_at_once(client: TestClient) -> None:
    c = Caller(client, {"spec": LINE})
    c.ok("POST", "/seek", {"iteration": 0, "step": 6})
    told = c.ok("PUT", "/nodes/w", {"value": 1})
    assert told["position"]["step"] == 6 and told["loss"] == 16.0
    assert told["effect"] == {
        "node": "w",
        "before": 49.0,
        "after": 16.0,
        "predicted": -42.0,
        "actual": -33.0,
    }
    nodes = c.ok("GET", "/state")["nodes"]
    assert nodes["w"]["value"]["data"] == 1 and nodes["z"]["grad"]["data"] == 8.0
    assert told["changes"] == [{"type": "value", "iteration": 0, "node": "w", "value": 1.0}]


def test_settings_change_what_comes(client: TestClient) -> None:
    c = Caller(client, {"spec": NETWORK})
    told = c.ok("PATCH", "", {"lr": 0.5, "zero_grad": False, "clip": None})
    assert told["settings"] == {"lr": 0.5, "lr_now": 0.5, "zero_grad": False, "clip": None} | {
        "regularisation": None
    }
    phases = [line["phase"] for line in told["plan"]]
    assert "zero_grad" not in phases and "clip" not in phases
    assert told["position"]["of"] == len(phases) == len(c.ok("GET", "/frames")["frames"])
    assert c.ok("GET", "/plan") == told["plan"] == c.ok("GET")["plan"]


def test_a_shared_link_restores_everything(client: TestClient, settings: Settings) -> None:
    c = Caller(client, {"spec": NETWORK})
    c.ok("POST", "/train", {"iterations": 5})
    c.ok("PUT", "/nodes/2.bias", {"value": [0.5]})
    c.ok("PATCH", "", {"lr": 0.2})
    c.ok("POST", "/step", {"count": 30})
    s = c.ok("GET")
    link = {
        "spec": s["spec"],
        "changes": s["changes"],
        "position": {k: s["position"][k] for k in ("iteration", "step")},
    }
    with TestClient(create_app(Settings(store="sqlite://", browser=False))) as elsewhere:
        other = Caller(elsewhere, link)
        theirs = other.session
        for part in ("position", "counters", "loss", "settings", "seen", "changes", "plan"):
            assert theirs[part] == s[part], part
        assert other.ok("GET", "/state") == c.ok("GET", "/state")
        assert other.ok("GET", "/history") == c.ok("GET", "/history")
        assert other.ok("GET", "/frames") == c.ok("GET", "/frames")


def test_deleted_is_gone(client: TestClient) -> None:
    c = Caller(client)
    assert c("DELETE").status_code == 204
    assert c("GET").status_code == c("DELETE").status_code == 404


def test_a_restart_changes_nothing(settings: Settings) -> None:
    seen: list[Any] = []
    path = ""
    for start in range(2):
        with TestClient(create_app(settings)) as client:
            if not start:
                c = Caller(client, {"lesson": "network-2-3-1"})
                path = c.path
                c.ok("POST", "/train", {"iterations": 100})
                c.ok("PUT", "/nodes/input", {"value": [[0.3, 0.4]]})
                c.ok("POST", "/step", {"count": 5})
            parts = ("", "/state", "/frames", "/history", "/nodes/0.weight", "/frames?iteration=50")
            seen.append([client.get(path + part).json() for part in parts])
    assert seen[0] == seen[1]


def test_no_room_is_said_in_words(tmp_path: Any) -> None:
    store = f"sqlite:///{tmp_path / 's.db'}"
    with TestClient(
        create_app(Settings(store=store, browser=False, limits=Limits(sessions=1)))
    ) as client:
        c = Caller(client)
        full = client.post("/api/sessions", json={"spec": LINE})
        assert full.status_code == 503 and full.headers["retry-after"] == "60"
        assert "BACKSTEP_SESSIONS" in full.json()["error"]["message"]
        c("DELETE")
        Caller(client)


@pytest.mark.parametrize(
    ("limits", "spec", "words"),
    [
        (Limits(graph_nodes=4), LINE, "4 nodes"),
        (Limits(array_entries=3), NETWORK, "3"),
        (Limits(program_characters=5), LINE, "5 characters"),
        (Limits(program_depth=1), {"program": "L = ((x+1)+1)+1", "values": {"x": 1}}, "1"),
        (Limits(data_samples=3), NETWORK, "3 samples"),
    ],
)
def test_limits_of_a_spec(limits: Limits, spec: dict[str, Any], words: str) -> None:
    with TestClient(
        create_app(Settings(store="sqlite://", browser=False, limits=limits))
    ) as client:
        response = client.post("/api/sessions", json={"spec": spec})
        assert response.status_code == 422
        told = response.json()["error"]
        assert told["code"] == "limit" and words in told["message"], told
