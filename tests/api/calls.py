"""One good call for every route, by name, so that no route is without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from httpx import Response

from app.web.api.examples import CLASSES, PLAN
from tests.sessions.specs import LINE
from tests.train.specs import hidden

XOR = {
    "model": hidden(2),
    "loss": "bce_with_logits",
    "data": {"dataset": "xor", "samples": 40, "validation": 0.25},
    "batch_size": 10,
}
JSON = {"content-type": "application/json"}


class Caller:
    """A client and a session that it made."""

    def __init__(self, client: TestClient, body: dict[str, Any] | None = None) -> None:
        self.client = client
        self.made = client.post("/api/sessions", json=body or {"spec": LINE})
        assert self.made.status_code == 201, self.made.text
        self.session: dict[str, Any] = self.made.json()
        self.path = f"/api/sessions/{self.session['id']}"

    def __call__(self, method: str, path: str = "", body: Any = None, **more: Any) -> Response:
        if body is not None:
            more["json"] = body
        response: Response = self.client.request(method, self.path + path, **more)
        return response

    def ok(self, method: str, path: str = "", body: Any = None, **more: Any) -> Any:
        response = self(method, path, body, **more)
        assert response.status_code == 200, response.text
        return response.json()


Call = Callable[[Caller], Response]

GOOD: dict[tuple[str, str], Call] = {
    ("GET", "/api/health"): lambda c: c.client.get("/api/health"),
    ("GET", "/api/lessons"): lambda c: c.client.get("/api/lessons"),
    ("GET", "/api/lessons/{id}"): lambda c: c.client.get("/api/lessons/neuron"),
    ("GET", "/api/catalogue"): lambda c: c.client.get("/api/catalogue"),
    ("GET", "/api/datasets"): lambda c: c.client.get("/api/datasets"),
    ("GET", "/api/datasets/{name}"): lambda c: c.client.get("/api/datasets/moons?samples=9"),
    ("POST", "/api/datasets/csv"): lambda c: c.client.post(
        "/api/datasets/csv", json={"text": "1,2,a\n3,4,b"}
    ),
    ("POST", "/api/sessions"): lambda c: c.client.post("/api/sessions", json={"lesson": "neuron"}),
    ("GET", "/api/sessions/{id}"): lambda c: c("GET"),
    ("DELETE", "/api/sessions/{id}"): lambda c: c("DELETE"),
    ("PATCH", "/api/sessions/{id}"): lambda c: c("PATCH", "", {"lr": 0.5}),
    ("GET", "/api/sessions/{id}/graph"): lambda c: c("GET", "/graph"),
    ("GET", "/api/sessions/{id}/plan"): lambda c: c("GET", "/plan"),
    ("GET", "/api/sessions/{id}/frames"): lambda c: c("GET", "/frames"),
    ("GET", "/api/sessions/{id}/state"): lambda c: c("GET", "/state"),
    ("GET", "/api/sessions/{id}/history"): lambda c: c("GET", "/history"),
    ("GET", "/api/sessions/{id}/data"): lambda c: c("GET", "/data"),
    ("GET", "/api/sessions/{id}/batch"): lambda c: c("GET", "/batch?iteration=4"),
    ("GET", "/api/sessions/{id}/evaluate"): lambda c: c("GET", "/evaluate?iteration=2"),
    ("GET", "/api/sessions/{id}/gradient-noise"): lambda c: c("GET", "/gradient-noise?batches=2"),
    ("GET", "/api/sessions/{id}/element"): lambda c: c("GET", "/element?node=z&step=3"),
    ("GET", "/api/sessions/{id}/proof"): lambda c: c("GET", "/proof"),
    ("GET", "/api/sessions/{id}/memory"): lambda c: c("GET", "/memory"),
    ("GET", "/api/sessions/{id}/underflow"): lambda c: c("GET", "/underflow"),
    ("GET", "/api/sessions/{id}/decay"): lambda c: c("GET", "/decay"),
    ("GET", "/api/sessions/{id}/approaches"): lambda c: c("GET", "/approaches"),
    ("GET", "/api/sessions/{id}/nodes/{name}"): lambda c: c("GET", "/nodes/w"),
    ("PUT", "/api/sessions/{id}/nodes/{name}"): lambda c: c("PUT", "/nodes/w", {"value": 1.5}),
    ("GET", "/api/sessions/{id}/scalars"): lambda c: c("GET", "/scalars"),
    ("PUT", "/api/sessions/{id}/scalars"): lambda c: c("PUT", "/scalars", {"scalars": True}),
    ("PUT", "/api/sessions/{id}/fused"): lambda c: c("PUT", "/fused", {"fused": False}),
    ("POST", "/api/sessions/{id}/step"): lambda c: c("POST", "/step"),
    ("POST", "/api/sessions/{id}/seek"): lambda c: c("POST", "/seek", {"iteration": 2, "step": 3}),
    ("POST", "/api/sessions/{id}/train"): lambda c: c("POST", "/train", {"iterations": 3}),
    ("POST", "/api/sessions/{id}/restore"): lambda c: (
        c("POST", "/train", {"iterations": 3}) and c("POST", "/restore", {"iteration": 1})
    ),
    ("DELETE", "/api/sessions/{id}/train"): lambda c: c("DELETE", "/train"),
    ("POST", "/api/sessions/{id}/play"): lambda c: c("POST", "/play", {"iterations": 5}),
    ("DELETE", "/api/sessions/{id}/play"): lambda c: c("DELETE", "/play"),
    ("GET", "/api/sessions/{id}/play"): lambda c: c("GET", "/play"),
    ("GET", "/api/sessions/{id}/maps"): lambda c: c("GET", "/maps?size=4"),
    ("POST", "/api/sessions/{id}/gradient-check"): lambda c: c("POST", "/gradient-check"),
    ("GET", "/api/sessions/{id}/doctor"): lambda c: c("GET", "/doctor"),
    ("POST", "/api/sessions/{id}/doctor"): lambda c: c(
        "POST", "/doctor", {"check": "forgotten_zero_grad", "cure": "zero_grad", "iterations": 5}
    ),
    ("GET", "/api/sessions/{id}/vitals"): lambda c: c("GET", "/vitals"),
    ("GET", "/api/sessions/{id}/sharpness"): lambda c: c("GET", "/sharpness"),
    ("POST", "/api/sessions/{id}/landscape"): lambda c: c("POST", "/landscape", {"points": 3}),
    ("DELETE", "/api/sessions/{id}/landscape"): lambda c: c("DELETE", "/landscape"),
    ("POST", "/api/landscape"): lambda c: c.client.post(
        "/api/landscape",
        json={"spec": LINE, "plane": "parameters", "parameters": [{"node": "w"}], "points": 5},
    ),
    ("POST", "/api/sharpness"): lambda c: c.client.post(
        "/api/sharpness", json={"spec": LINE, "iterations": 4, "points": 2}
    ),
    ("POST", "/api/range-test"): lambda c: c.client.post(
        "/api/range-test", json={"spec": LINE, "iterations": 20}
    ),
    ("POST", "/api/sweeps"): lambda c: c.client.post(
        "/api/sweeps", json={"spec": LINE, "lanes": [{"lr": 0.01}, {"lr": 9}], "iterations": 5}
    ),
}
NEEDS: dict[tuple[str, str], dict[str, Any]] = {
    **{
        ("GET", f"/api/sessions/{{id}}/{name}"): {"spec": CLASSES}
        for name in ("data", "batch", "evaluate", "gradient-noise")
    },
    ("GET", "/api/sessions/{id}/proof"): {"spec": PLAN},
    ("GET", "/api/sessions/{id}/underflow"): {"spec": PLAN},
    ("GET", "/api/sessions/{id}/decay"): {"lesson": "weight-decay"},
    ("GET", "/api/sessions/{id}/maps"): {"spec": XOR},
    ("POST", "/api/sessions/{id}/doctor"): {"spec": {**LINE, "zero_grad": False}},
}
"""Sessions of another spec, where a route asks for one."""
STREAMS = {("GET", "/api/sessions/{id}/events"), ("GET", "/api/sessions/{id}/live")}
CHANGING = {
    ("PATCH", "/api/sessions/{id}"),
    ("DELETE", "/api/sessions/{id}"),
    ("PUT", "/api/sessions/{id}/nodes/{name}"),
    ("POST", "/api/sessions/{id}/step"),
    ("POST", "/api/sessions/{id}/seek"),
    ("POST", "/api/sessions/{id}/train"),
    ("POST", "/api/sessions/{id}/restore"),
}
WITH_BODY = [key for key in GOOD if key[0] in ("POST", "PUT", "PATCH")]


def routes(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    """What the API page shows."""
    return {
        (method, route.path): route
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }
