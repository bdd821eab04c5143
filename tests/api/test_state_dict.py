"""A PyTorch `state_dict`, written as JSON, goes into a session as it is: values and gradients over
HTTP are then PyTorch's (`tests/reference/layers.py`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.api.calls import Caller

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "layers.json").read_text()
)["cases"]
NAMED = (
    "a convolutional network",
    "words, lstm, gru, all steps classified",
    "lstm of two layers, both ways",
    "pairs that differ",
    "transformer_encoder_layer, norm first, causal",
)


def spec_of(case: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": {"layers": case["layers"]},
        "loss": {"type": "mse"},
        "optimizer": {"type": "sgd", "lr": 0.1},
        "data": {"inputs": case["inputs"], "targets": case["targets"]},
        "parameters": case["parameters"],
    }


@pytest.mark.parametrize("name", NAMED)
def test_gives_pytorchs_values_and_gradients(client: TestClient, name: str) -> None:
    case = next(case for case in CASES if case["name"] == name)
    c = Caller(client, {"spec": spec_of(case)})
    last = max(line["index"] for line in c.session["plan"] if line["phase"] == "backward")
    c.ok("POST", "/seek", {"iteration": 0, "step": last + 1})
    assert c.ok("GET")["loss"] == pytest.approx(case["loss"], rel=1e-9)
    for parameter, grad in case["grads"].items():
        node = c.ok("GET", f"/nodes/{parameter}")
        assert node["value"]["data"] == case["parameters"][parameter]
        np.testing.assert_allclose(node["grad"]["data"], grad, rtol=1e-9, atol=1e-12)


def test_what_does_not_fit_the_layers_is_named(client: TestClient) -> None:
    case = next(case for case in CASES if case["name"] == "linear")
    for parameters, where, told in (
        ({"fc.weight": [[1.0]]}, "parameters.fc.weight", "known are 0.weight, 0.bias"),
        ({"0.bias": [1.0]}, "parameters.0.bias", "must have the shape (3,)"),
        ({"0.bias": [1.0, "x", 2.0]}, "parameters.0.bias[1]", "not a number"),
    ):
        spec = spec_of(case) | {"parameters": parameters}
        answer = client.post("/api/sessions", json={"spec": spec})
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert told in error["message"] and error["where"].endswith(where)
