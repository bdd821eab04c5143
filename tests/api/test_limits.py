"""Every limit of the settings is reached once: the call is refused, the message names the setting,
and `where` says which of the caller's fields asked for too much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.main import create_app
from app.settings import Limits, Settings
from tests.api.calls import CLASSES, XOR, Caller
from tests.api.test_errors import error
from tests.sessions.specs import LINE

Call = Callable[[TestClient], Response]


def made(spec: Any) -> Call:
    return lambda client: client.post("/api/sessions", json={"spec": spec})


def on(method: str, path: str, body: Any = None, spec: Any = LINE, before: Any = None) -> Call:
    """A call on a fresh session, after a `before` that may train it."""

    def call(client: TestClient) -> Response:
        caller = Caller(client, {"spec": spec})
        if before:
            caller.ok(*before)
        return caller(method, path, body)

    return call


def free(path: str, **body: Any) -> Call:
    return lambda client: client.post(path, json={"spec": LINE, **body})


WIDE = {"program": "L = sum(a*a)", "values": {"a": [1.0] * 20}}
TABLE = {"text": "1,2,3\n4,5,6\n7,8,9"}

REFUSED: dict[str, tuple[int, Call, str | None]] = {
    "graph_nodes": (4, made(LINE), "line 1"),
    "array_entries": (10, made(WIDE), "values.a"),
    "graph_entries": (19, made(WIDE), "line 1"),
    "data_samples": (9, made(XOR), "data.samples"),
    "program_characters": (5, made(LINE), "program"),
    "program_depth": (1, made({"program": "L = (a*(a+1))**2", "values": {"a": 1}}), "line 1"),
    "body_bytes": (50, made(LINE), "body"),
    "steps_per_request": (3, on("POST", "/step", {"count": 4}), "count"),
    "frames_per_request": (3, on("GET", "/frames?start=0&stop=9"), "stop"),
    "iterations_per_request": (3, on("POST", "/train", {"iterations": 4}), "iteration"),
    "iterations_per_session": (3, on("POST", "/seek", {"iteration": 4}), "iteration"),
    "changes_per_session": (
        1,
        on("PATCH", "", {"lr": 0.2}, before=("PUT", "/nodes/w", {"value": 1})),
        None,
    ),
    "sessions": (0, made(LINE), None),
    "sweep_lanes": (1, free("/api/sweeps", lanes=[{"lr": 1}, {"lr": 2}], iterations=1), "lanes"),
    "sweep_iterations": (9, free("/api/range-test", iterations=10), "iterations"),
    "sharpness_points": (1, free("/api/sharpness", iterations=4, points=2), "points"),
    "vitals_looks": (3, on("GET", "/vitals?looks=4"), "looks"),
    "noise_batches": (3, on("GET", "/gradient-noise?batches=4", spec=CLASSES), "batches"),
    "landscape_points": (8, free("/api/landscape", points=3), "points"),
}
"""The limit, a call that goes beyond it, and the beginning of `where`."""

ELSEWHERE = {
    "streams_per_session": "tests/api/test_events.py",
}
QUIET = {
    "inline_entries": "larger arrays have data null, and their own address",
    "data_rows_shown": "the answer tells how many there are",
    "snapshot_bytes": "going back then takes a little longer",
    "sessions_in_memory": "the others are read from the store",
}


def test_every_limit_is_here() -> None:
    named = {item.name for item in fields(Limits)}
    assert named == set(REFUSED) | set(ELSEWHERE) | set(QUIET)
    for name, path in ELSEWHERE.items():
        assert f"BACKSTEP_{name.upper()}" in Path(path).read_text()


@pytest.mark.parametrize("name", REFUSED)
def test_beyond_it_the_setting_is_named(tmp_path: Path, name: str) -> None:
    allowed, call, where = REFUSED[name]
    limits = Limits(**{name: allowed})
    store = f"sqlite:///{tmp_path / 'limits.db'}"
    with TestClient(create_app(Settings(store=store, browser=False, limits=limits))) as client:
        status = {"body_bytes": 413, "sessions": 503}.get(name, 422)
        found = error(call(client), status)
    assert f"BACKSTEP_{name.upper()}" in found["message"], found
    if where:
        assert (found["where"] or "").startswith(where), found
