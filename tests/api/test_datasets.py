"""Data over HTTP: what there is, rows for drawing, and tables that people bring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Limits, Settings
from app.train.datasets import DATASETS
from app.train.spec import parse_spec
from tests.api.test_errors import error

CSV = {"content-type": "text/csv"}


def test_the_list_says_what_one_needs_to_choose(client: TestClient) -> None:
    told = client.get("/api/datasets").json()
    assert [row["name"] for row in told["datasets"]] == list(DATASETS)
    tasks = {row["name"]: row["task"] for row in told["datasets"]}
    assert tasks["sine"] == "regression" and tasks["xor"] == "binary"
    assert tasks["digits"] == "multiclass" and tasks["copy"] == tasks["parity"] == "sequence"
    digits = next(row for row in told["datasets"] if row["name"] == "digits")
    assert digits["shape"] == [1, 8, 8] and digits["outputs"] == digits["classes"] == 10
    assert {"samples", "noise", "variety", "flat"} == {p["name"] for p in digits["parameters"]}
    assert told["limits"]["samples"] == 20_000
    assert "standardise" in [option["name"] for option in told["options"]]


@pytest.mark.parametrize("name", DATASETS)
def test_rows_are_those_that_a_spec_trains_on(client: TestClient, name: str) -> None:
    path = f"/api/datasets/{name}?samples=20&noise=0.2&seed=7&validation=0.25&standardise=true"
    told = client.get(path).json()
    row = DATASETS[name]
    out = 10 if name == "digits" else 1
    data = {"dataset": name, "samples": 20, "noise": 0.2, "validation": 0.25}
    layers: list[Any] = [{"type": "linear", "out_features": out}]
    if name == "parity":
        layers = [{"type": "rnn", "hidden_size": 2, "return_sequences": False}, *layers]
    if name == "digits":
        layers = ["flatten", *layers]
    spec = {"model": {"layers": layers}, "loss": row.loss, "data": data, "seed": 7}
    batches = parse_spec(spec).problem.batches
    assert batches is not None and batches.validation is not None
    np.testing.assert_allclose(told["train"]["inputs"], batches.inputs, atol=1e-12)
    assert told["train"]["targets"] == batches.targets.tolist()
    assert told["validation"]["targets"] == batches.validation[1].tolist()
    assert told["train"]["samples"] == 15 and told["validation"]["samples"] == 5
    mean = batches.inputs.mean(axis=(0, 2, 3) if name == "digits" else None)
    if batches.inputs.shape[-1] == 1 or name == "digits":
        np.testing.assert_allclose(told["scaling"]["mean"], np.atleast_1d(mean), atol=1e-12)
    assert told["notes"] == []


def test_parameters_of_its_own_count(client: TestClient) -> None:
    told = client.get("/api/datasets/copy?samples=3&length=4&delay=1").json()
    assert told["shape"] == told["target_shape"] == [4, 1]
    told = client.get("/api/datasets/digits?samples=2&flat=true").json()
    assert told["shape"] == [64]


def test_many_rows_are_cut_and_the_answer_says_so(client: TestClient) -> None:
    told = client.get("/api/datasets/moons?samples=20000&validation=0.5").json()
    assert len(told["train"]["inputs"]) == 2000 and told["train"]["samples"] == 10_000
    assert told["notes"] == ["4,000 of 20,000 samples are shown, the first of each part"]
    told = client.get("/api/datasets/digits?samples=15000").json()
    assert len(told["train"]["inputs"]) == 2000


@pytest.mark.parametrize(
    ("path", "status", "where", "words"),
    [
        ("mnist", 404, "name", "gaussians"),
        ("moons?samples=0", 422, "data.samples", "at least 1: 0"),
        ("moons?samples=1e99", 422, "data.samples", "at most 20000"),
        ("moons?samples=many", 422, "data.samples", "whole number"),
        ("moons?noise=NaN", 422, "data.noise", "must be a number"),
        ("moons?turns=2", 422, "data.turns", "accepted: samples, noise"),
        ("moons?validation=1", 422, "data.validation", "below 1"),
        ("moons?seed=-1", 422, "seed", "at least 0"),
        ("moons?standardise=maybe", 422, "standardise", "true or false"),
        ("moons?augment=1", 422, "data.augment", "jitter"),
        ("parity?length=1000000", 422, "data.length", "at most 64"),
    ],
)
def test_hostile_questions(
    client: TestClient, path: str, status: int, where: str, words: str
) -> None:
    found = error(client.get(f"/api/datasets/{path}"), status)
    assert found["where"] == where and words in found["message"], found


def test_a_file_may_be_sent_as_it_is(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    content = paths["/api/datasets/csv"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "text/csv"}
    text = "länge;art\n1,5;a\n2,5;b\n"
    sent = client.post("/api/datasets/csv", content=text.encode(), headers=CSV)
    pasted = client.post("/api/datasets/csv", json={"text": text})
    assert sent.status_code == pasted.status_code == 200
    assert sent.json() == pasted.json() and sent.json()["columns"] == ["länge"]
    path = "/api/datasets/csv?target=1&task=values"
    told = client.post(path, content=b"1.5,2\n3,4\n", headers=CSV).json()
    assert told["targets"] == [[1.5], [3.0]]


@pytest.mark.parametrize(
    ("content", "query", "where", "words"),
    [
        (b"a,b\n\xff\xfe,2", "", "line 2", "UTF-8"),
        (b"PK\x03\x04\0\0", "", "text", "no text"),
        (b"", "", "text", "nothing here"),
        (b"1,2\n3,4", "?colour=red", "colour", "not known"),
        (b"1,2\n3,4", "?header=maybe", "header", "true or false"),
        (b"1,2\n3,x", "?task=values", "line 2, column 2 (y)", "number"),
    ],
)
def test_hostile_files(
    client: TestClient, content: bytes, query: str, where: str, words: str
) -> None:
    sent = client.post(f"/api/datasets/csv{query}", content=content, headers=CSV)
    found = error(sent, 422)
    assert found["where"] == where and words in found["message"], found


def test_a_table_as_long_as_the_limit_becomes_a_session(client: TestClient) -> None:
    lines = "\n".join(f"{i % 100 / 100},{i % 7},{'ab'[i % 2]}" for i in range(20_000))
    told = client.post("/api/datasets/csv", json={"text": lines}).json()
    assert told["samples"] == 20_000
    data = {name: told[name] for name in ("inputs", "targets", "columns", "classes")}
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 1}]},
        "loss": told["loss"],
        "data": {**data, "validation": 0.2, "standardise": True},
        "batch_size": 100,
        "shuffle": True,
    }
    made = client.post("/api/sessions", json={"spec": spec})
    assert made.status_code == 201, made.text
    path = made.headers["location"]
    assert client.post(f"{path}/train", json={"epochs": 1}).json()["position"]["iteration"] == 160
    one_more = client.post("/api/datasets/csv", json={"text": f"{lines}\n1,1,a"})
    assert one_more.status_code == 422
    assert "at most 20,000 lines" in error(one_more, 422)["message"]


def test_a_body_that_is_too_large(tmp_path: Any) -> None:
    store = f"sqlite:///{tmp_path / 'b.db'}"
    app = create_app(Settings(store=store, browser=False, limits=Limits(body_bytes=100)))
    with TestClient(app) as client:
        sent = client.post("/api/datasets/csv", content=b"1,2\n" * 50, headers=CSV)
        error(sent, 413, "too_large")
