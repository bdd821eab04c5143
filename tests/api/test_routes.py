"""The table of all routes: each is called, documented with examples, and answers as documented."""

from __future__ import annotations

import json
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter

from app.web.api import models
from tests.api.calls import CHANGING, GOOD, NEEDS, STREAMS, WITH_BODY, Caller, routes

MODELS = {
    name: model
    for module in iter_modules(models.__path__, f"{models.__name__}.")
    for name, model in vars(import_module(module.name)).items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}
KEYS = sorted(GOOD)
named = pytest.mark.parametrize("key", KEYS, ids=lambda key: " ".join(key))

SPECIAL = {
    "fused": "bptt-three-steps",
    "steps": "bptt-three-steps",
    "matrix": "network-2-2-1",
    "forgotten": "forgotten-zero-grad",
}
"""Lessons of the examples that fit no other."""


def test_no_route_is_without_a_call(app: FastAPI) -> None:
    assert set(routes(app)) == set(GOOD) | STREAMS
    assert set(GOOD) >= CHANGING


@named
def test_each_answers_as_documented(app: FastAPI, client: TestClient, key: tuple[str, str]) -> None:
    response = GOOD[key](Caller(client, NEEDS.get(key)))
    route = routes(app)[key]
    assert response.status_code == (route.status_code or 200), response.text
    if response.status_code == 204:
        assert response.content == b""
        return
    assert response.headers["content-type"] == "application/json"
    json.loads(response.text, parse_constant=pytest.fail)  # a bare NaN is no JSON
    documented = route.responses.get(response.status_code, {}).get("model")
    if documented:
        TypeAdapter(documented).validate_json(response.content, strict=True)
    if "{id}" in key[1] and "lessons" not in key[1] and "check" not in key[1]:
        told = response.json()
        revision = told.get("revision", 1) if isinstance(told, dict) else 1
        assert response.headers["etag"] == f'"{revision}"'


@pytest.fixture(scope="module")
def openapi(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@named
def test_each_is_documented_with_examples(openapi: dict[str, Any], key: tuple[str, str]) -> None:
    operation = openapi["paths"][key[1]][key[0].lower()]
    assert operation["summary"] and operation["tags"][0] in {t["name"] for t in openapi["tags"]}
    for status, response in operation["responses"].items():
        for kind, media in response.get("content", {}).items():
            if kind == "application/json":
                there = media.get("example") or media["schema"]
                assert there, (status, kind)
                assert media.get("example") != {"made": ""}
    if key in WITH_BODY:
        media = operation["requestBody"]["content"]["application/json"]
        assert media["examples"]
        assert {"400", "413", "415", "422"} <= set(operation["responses"])
    if any(p["in"] == "query" for p in operation.get("parameters", [])):
        assert "422" in operation["responses"]
    for p in operation.get("parameters", []):
        if p["required"]:
            assert p["schema"]["examples"], "the API page begins with it"
    if key in CHANGING:
        assert "412" in operation["responses"]
        assert "if-match" in [p["name"] for p in operation["parameters"]]


def test_examples_have_the_form_that_they_are_examples_of(openapi: dict[str, Any]) -> None:
    seen = 0
    for path, operations in openapi["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                media = response.get("content", {}).get("application/json", {})
                schema, example = media.get("schema", {}), media.get("example")
                name = schema.get("$ref", "").rpartition("/")[2]
                model = MODELS.get(name)
                if example is None or model is None:
                    continue
                TypeAdapter(model).validate_python(example)
                seen += 1
                assert "made" not in example, (path, status)
    assert seen > 60


def test_request_examples_work_as_they_stand(client: TestClient, openapi: dict[str, Any]) -> None:
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for name, example in media.get("examples", {}).items():
                spec = SPECIAL.get(name, "x-plus-2-squared")
                caller = Caller(client, {"lesson": spec})
                node = "0.weight" if name == "matrix" else "x"
                if path.endswith("/restore"):
                    caller.ok("POST", "/train", {"iterations": 2})
                real = path.format(id=caller.session["id"], name=node)
                response = client.request(method, real, json=example["value"])
                assert response.status_code in (200, 201), (path, name, response.text)


def test_nothing_of_another_form_of_refusal_is_documented(openapi: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(openapi)
    assert openapi["components"]["schemas"]["Refusal"]
