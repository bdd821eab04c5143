"""Whatever is wrong, the answer has one shape and says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.main import create_app
from app.settings import Limits, Settings
from tests.api.calls import CHANGING, GOOD, JSON, WITH_BODY, Caller
from tests.sessions.specs import LINE

with_body = pytest.mark.parametrize("key", WITH_BODY, ids=lambda key: " ".join(key))


def error(response: Response, status: int, code: str = "") -> dict[str, Any]:
    """The one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    told: dict[str, Any] = response.json()
    assert set(told) == {"error"}
    found: dict[str, Any] = told["error"]
    assert set(found) - {"revision"} == {"code", "message", "where"}
    assert isinstance(found["code"], str) and (not code or found["code"] == code), found
    assert isinstance(found["message"], str) and len(found["message"]) > 10
    assert found["where"] is None or isinstance(found["where"], str)
    assert "Traceback" not in response.text and "pydantic" not in response.text
    return found


def sent(caller: Caller, key: tuple[str, str], content: bytes, headers: dict[str, str]) -> Response:
    path = key[1].format(id=caller.session["id"], name="w")
    return caller.client.request(key[0], path, content=content, headers=headers)


@with_body
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "Expecting property name"),
        (b"nonsense", "Expecting value at character 0"),
        (b'{"value": 1,}', "character"),
        (b'"\xff"', "UTF-8"),
        (b"[" * 100_000, ""),
    ],
)
def test_bodies_that_are_not_json(
    client: TestClient, key: tuple[str, str], content: bytes, words: str
) -> None:
    caller = Caller(client)
    found = error(sent(caller, key, content, JSON), 400)
    assert words in found["message"]
    assert caller.ok("GET")["revision"] == 1


@with_body
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_bodies_that_do_not_say_that_they_are_json(
    client: TestClient, key: tuple[str, str], kind: str
) -> None:
    found = error(sent(Caller(client), key, b'{"count": 1}', {"content-type": kind}), 415)
    assert "Content-Type: application/json" in found["message"]


@with_body
@pytest.mark.parametrize("content", [b"1", b"null", b"[]", b'"text"', b'{"nonsense": 1}'])
def test_bodies_of_another_form(client: TestClient, key: tuple[str, str], content: bytes) -> None:
    optional = key[1].endswith(("/step", "/gradient-check"))
    response = sent(Caller(client), key, content, JSON)
    if content == b"null" and optional and response.status_code == 200:
        return
    error(response, 422, "invalid")


@with_body
def test_bodies_that_are_too_large(tmp_path: Any, key: tuple[str, str]) -> None:
    limits = Limits(body_bytes=500)
    store = f"sqlite:///{tmp_path / 's.db'}"
    with TestClient(create_app(Settings(store=store, browser=False, limits=limits))) as client:
        caller = Caller(client)
        large = b'{"value": "' + b"x" * 600 + b'"}'
        for content in (large, iter([large[:300], large[300:]])):
            path = key[1].format(id=caller.session["id"], name="w")
            response = client.request(key[0], path, content=content, headers=JSON)
            assert "BACKSTEP_BODY_BYTES" in error(response, 413, "too_large")["message"]


# goes back to what a call before it has made
NEEDS_A_PAST = ("POST", "/api/sessions/{id}/restore")
ID_ROUTES = [key for key in GOOD if "/sessions/{id}" in key[1]]


@pytest.mark.parametrize("key", ID_ROUTES, ids=lambda key: " ".join(key))
@pytest.mark.parametrize("id", ["nobody", "%00", "x" * 3000, "%F0%9F%98%80", "..%2F.."])
def test_sessions_that_are_not_there(client: TestClient, key: tuple[str, str], id: str) -> None:
    caller = Caller(client)
    caller.path = f"/api/sessions/{id}"
    found = error(GOOD[key](caller), 404, "not_found")
    assert len(found["where"]) <= 220


@pytest.mark.parametrize("key", sorted(CHANGING), ids=lambda key: " ".join(key))
@pytest.mark.parametrize("tag", ['"0"', "2", '"two"', "", 'W/"7", "9"'])
def test_a_stale_revision_changes_nothing(
    client: TestClient, key: tuple[str, str], tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(client)
    before = caller.ok("GET")
    with monkeypatch.context() as patch:
        patch.setitem(client.headers, "if-match", tag)  # type: ignore[arg-type]
        response = GOOD[key](caller)
    found = error(response, 412, "stale_revision")
    assert found["revision"] == 1 and "revision 1" in found["message"]
    assert caller.ok("GET") == before


@pytest.mark.parametrize("key", sorted(CHANGING - {NEEDS_A_PAST}), ids=lambda key: " ".join(key))
@pytest.mark.parametrize("tag", ['"1"', "1", "*", 'W/"1"', '"0", "1"'])
def test_a_known_revision_does(
    client: TestClient, key: tuple[str, str], tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(client)
    monkeypatch.setitem(client.headers, "if-match", tag)  # type: ignore[arg-type]
    assert GOOD[key](caller).status_code in (200, 204)


def test_two_clients_lose_no_update(client: TestClient) -> None:
    one, two = Caller(client), Caller(client)
    two.path = one.path
    known = {"if-match": one.made.headers["etag"]}
    first = one("PUT", "/nodes/w", {"value": 5}, headers=known)
    late = two("PUT", "/nodes/w", {"value": 7}, headers=known)
    current = error(late, 412)["revision"]
    assert late.headers["etag"] == first.headers["etag"] == f'"{current}"'
    again = two("PUT", "/nodes/w", {"value": 7}, headers={"if-match": late.headers["etag"]})
    assert again.json()["effect"]["before"] == first.json()["effect"]["after"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/api", 404, "GET /docs"),
        ("GET", "/api/nothing", 404, "GET /docs"),
        ("GET", "/nothing", 404, ""),
        ("GET", "/static/nothing.js", 404, "no such file"),
        ("GET", "/walk/nothing", 404, "no lesson of this name"),
        ("GET", "/api/lessons/nothing", 404, "there are x-plus-2-squared"),
        ("GET", "/api/sessions", 405, "it answers to POST"),
        ("DELETE", "/api/lessons", 405, "it answers to GET"),
        ("POST", "/api/sessions/x/nodes/w", 405, "it answers to GET, PUT"),
        ("PUT", "/api/health", 405, "PUT"),
        ("POST", "/", 405, ""),
    ],
)
def test_addresses(client: TestClient, method: str, path: str, status: int, words: str) -> None:
    response = client.request(method, path)
    assert words in error(response, status)["message"]
    assert (status == 405) == ("allow" in response.headers)


@pytest.mark.parametrize("path", ["/", "/walk/neuron", "/walk/nothing", "/playground", "/docs"])
def test_a_page_is_there_for_who_asks_only_whether_it_is(client: TestClient, path: str) -> None:
    page = {"accept": "text/html"}
    asked, got = client.head(path, headers=page), client.get(path, headers=page)
    assert asked.status_code == got.status_code
    assert asked.headers["content-length"] == got.headers["content-length"]


def test_a_whole_number_too_long_for_json_is_told_where_it_stands(client: TestClient) -> None:
    spec = {**LINE, "seed": 2**70}
    found = error(client.post("/api/sessions", json={"spec": spec}), 422)
    assert found["where"] == "seed" and "at most 4294967295" in found["message"]
    spec = {**LINE, "values": {**LINE["values"], "w": 10**30}}
    assert client.post("/api/sessions", json={"spec": spec}).json()["spec"]["values"]["w"] == 1e30


def test_a_browser_gets_a_page(client: TestClient) -> None:
    response = client.get("/walk/nothing", headers={"accept": "text/html,*/*"})
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")
    assert "no lesson of this name" in response.text
    error(client.get("/api/nothing", headers={"accept": "text/html"}), 404)


def test_a_crash_tells_nothing_of_the_inside(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        caller = Caller(client)
        monkeypatch.setattr("app.sessions.reader.state_view", lambda *_: 1 / 0)
        found = error(caller("GET", "/state"), 500, "internal")
        assert "ZeroDivisionError" not in str(found)
        assert caller("POST", "/step").status_code == 200


BAD: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/step", {"count": 1.5}, "count", "must be a whole number: 1.5"),
    ("POST", "/step", {"count": "1"}, "count", "must be a whole number: '1'"),
    ("POST", "/step", {"count": True}, "count", "must be a whole number: True"),
    ("POST", "/step", {"unit": "mile"}, "unit", "'node', 'phase', 'iteration' or 'epoch': 'mile'"),
    ("POST", "/step", {"cont": 1}, "cont", "field is not known: 'cont'"),
    ("POST", "/step", {"count": 10**15}, "count", "BACKSTEP_STEPS_PER_REQUEST"),
    ("POST", "/seek", {}, "iteration", "is missing: 'iteration'"),
    ("POST", "/seek", {"iteration": -1}, "iteration", "must be at least 0: -1"),
    ("POST", "/seek", {"iteration": 0, "step": 999}, "step", "iteration 0 has"),
    ("POST", "/seek", {"iteration": 10**9}, "iteration", "BACKSTEP_ITERATIONS_PER_SESSION"),
    ("POST", "/train", {}, "body", 'give either "iterations": n or "epochs": n'),
    ("POST", "/train", {"iterations": 1, "epochs": 1}, "body", "give either"),
    ("POST", "/train", {"iterations": -5}, "iterations", "must be at least 0: -5"),
    ("POST", "/train", {"iterations": 200_000}, "iteration", "BACKSTEP_ITERATIONS_PER_REQUEST"),
    ("PATCH", "", {}, "body", "give at least one of lr, zero_grad, clip and regularisation"),
    ("PATCH", "", {"lr": None}, "body", "lr cannot be null"),
    ("PATCH", "", {"lr": "0.1"}, "lr", "must be a number: '0.1'"),
    ("PATCH", "", {"clip": {"max_norm": 0}}, "clip.max_norm", "more than 0"),
    ("PATCH", "", {"momentum": 0.9}, "momentum", "accepted: lr, zero_grad, clip"),
    ("PUT", "/nodes/w", {}, "value", "is missing: 'value'"),
    ("PUT", "/nodes/w", {"value": [1]}, "", ""),
    ("PUT", "/nodes/w", {"value": [[1, 2]]}, "value", "w needs a single number"),
    ("PUT", "/nodes/w", {"value": 10**400}, "value", "too large for float64"),
    ("PUT", "/nodes/z", {"value": 1}, "z", "z is computed"),
    ("GET", "/frames?start=-1", None, "start", "must be at least 0"),
    ("GET", "/frames?iteration=one", None, "iteration", "must be a whole number: 'one'"),
    ("GET", "/frames?iteration=99999999", None, "iteration", "BACKSTEP_ITERATIONS"),
    ("GET", "/state?step=999", None, "step", "iteration 0 has"),
    ("GET", "/element?step=1", None, "node", "is missing: 'node'"),
    ("GET", "/element?node=z&index=a", None, "index", "whole numbers with commas"),
    ("GET", "/element?node=z&step=3&index=3", None, "index", "within"),
    ("GET", "/element?node=z&step=0", None, "step", "does not write"),
    ("GET", "/element?node=z&slot=other", None, "slot", "'value' or 'grad'"),
    ("POST", "/gradient-check", {"epsilon": 0}, "epsilon", "must be more than 0"),
    ("POST", "/gradient-check", {"epsilon": 0.5}, "epsilon", "1e-9 to 0.1"),
]


@pytest.mark.parametrize(("method", "path", "body", "where", "words"), BAD)
def test_what_cannot_be_done_is_said(
    client: TestClient, method: str, path: str, body: Any, where: str, words: str
) -> None:
    caller = Caller(client)
    response = caller(method, path, body)
    if not words:
        assert response.status_code == 200, "one number in a list is a number"
        return
    found = error(response, 422)
    assert words in found["message"] and found["where"] == where, found
    assert caller.ok("GET")["revision"] == 1


@pytest.mark.parametrize("name", ["nothing", "%00", "a%2Fb", "x" * 500])
def test_nodes_that_are_not_there(client: TestClient, name: str) -> None:
    caller = Caller(client)
    error(caller("GET", f"/nodes/{name}"), 404)
    error(caller("PUT", f"/nodes/{name}", {"value": 1}), 404)


SPECS: list[tuple[Any, str]] = [
    ({}, "give either"),
    ({"lesson": "neuron", "spec": LINE}, "give either"),
    ({"lesson": "nothing"}, ""),
    ({"spec": {}}, "model"),
    ({"spec": {"program": "L = (", "values": {}}}, "line 1"),
    ({"spec": {"program": "L = w + v", "values": {"w": 1}}}, "line 1"),
    ({"spec": {**LINE, "extra": 1}}, "extra"),
    ({"spec": LINE, "title": "x" * 300}, "title"),
    ({"spec": LINE, "position": {"iteration": 0, "step": 99}}, "position.step"),
    ({"spec": LINE, "position": {"iteration": 10**8}}, "iteration"),
    ({"spec": LINE, "changes": [1]}, "changes[0]"),
    ({"spec": LINE, "changes": [{"type": "value", "iteration": 0, "node": "z", "value": 1}]}, "z"),
]


@pytest.mark.parametrize(("body", "words"), SPECS)
def test_sessions_that_cannot_be_made(client: TestClient, body: Any, words: str) -> None:
    found = error(client.post("/api/sessions", json=body), 422 if words else 404)
    assert words in f"{found['where']} {found['message']}"
