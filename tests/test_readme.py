"""What the README and its neighbours say is true: commands run as pasted, additions work as shown,
files, links and options that they name are there."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import need_command
from tests.picture import MOST, PICTURE, SIZE
from tests.serving import ROOT, Server

README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / ".github").glob("*.md"))]
ADDRESS = "http://127.0.0.1:8000"
MARK = b"\x1e"


def section(title: str) -> str:
    found = re.search(
        rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL
    )
    assert found is not None, title
    return found[1]


def blocks(title: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)


def test_the_walk_over_http_works_as_pasted(server: Server, tmp_path: Path) -> None:
    need_command("curl", "curl is not installed")
    bash = need_command("bash", "bash is not installed")
    pasted = "".join(blocks("Over HTTP", "sh"))
    assert ADDRESS in pasted
    lines = pasted.replace(ADDRESS, server.url)
    # The same lines; only, curl's failures end them, and its answers can be told apart.
    wrapped = "curl() { command curl --noproxy '*' --fail-with-body \"$@\" && printf '\\036'; }\n"
    ended = subprocess.run(
        [bash, "-euo", "pipefail", "-c", wrapped + lines], capture_output=True, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stdout[-2_000:] + ended.stderr[-2_000:]
    answers = ended.stdout.split(MARK)
    assert answers.pop() == b""
    calls = [line for line in lines.splitlines() if line.startswith("curl ")]
    assert len(answers) == len(calls)

    def taken(word: str) -> bytes:
        place = next(i for i, call in enumerate(calls) if word in call)
        del calls[place]
        return answers.pop(place)

    weight = np.load(io.BytesIO(taken("x-npy")))
    assert taken("text/plain").startswith(b"After 37 iterations. ")
    assert json.loads(taken("vitals"))["iterations"][-1] == 37
    maps = json.loads(taken("/maps"))
    folded, numbers = json.loads(taken("/graph?")), json.loads(taken("/scalars"))
    assert [node["name"] for node in folded["nodes"]][-1] == "L"
    assert numbers["spec"]["scalars"] is True and numbers["position"]["iteration"] == 37
    assert [column["units"] for column in maps["columns"]] == [4, 1]
    still, slower, going = (
        json.loads(taken(word)) for word in ("-X DELETE $net", "$net  ", "$net/play")
    )
    assert going["playing"] and slower["settings"]["lr"] == 0.05
    assert not still["playing"] and still["position"]["iteration"] <= 5000
    plan, step, back, phase, state, frames, effect, rate, training, seek, check, gone = (
        json.loads(text) if text else None for text in answers[:12]
    )
    assert [entry["phase"] for entry in plan][:3] == ["data", "zero_grad", "forward"]
    assert step["position"] == {"iteration": 0, "step": 4, "of": len(plan)}
    assert len(step["frames"]) == 4 and all(frame["says"] for frame in step["frames"])
    assert back["position"]["step"] == 3 and phase["position"]["step"] > 3
    assert state["nodes"]["z"]["grad"]["data"] == pytest.approx(0.14373484045721513)
    assert frames["frames"][0]["contributions"][0]["to"] == "z"
    assert effect["effect"]["node"] == "w" and effect["effect"]["actual"] != 0
    assert rate["settings"]["lr"] == 0.25
    assert len(training["history"]["train_loss"]) == training["position"]["iteration"] == 100
    assert seek["position"]["iteration"] == 37
    assert check["ok"] is True and weight.shape == ()
    assert gone is None
    formula, network, sweep, sharp, rates, ground, shared, digits, table, catalogue = map(
        json.loads, answers[12:]
    )
    assert formula["spec"]["program"] == "L = (w*x + b)**2"
    assert "0.weight" in {node["name"] for node in network["graph"]["nodes"]}
    assert [lane["verdict"]["kind"] for lane in sweep["lanes"]][-1] == "diverges"
    assert [point["iteration"] for point in sharp["points"]] == [0, 10, 20, 30, 40, 50, 60]
    assert rates["interval"][0] < rates["interval"][1]
    assert len(ground["loss"]) == 11 and ground["path"][-1]["iteration"] == 40
    assert [path[-1]["iteration"] for path in shared["paths"]] == [40, 40]
    assert len(digits["train"]["inputs"]) == 16 and digits["shape"] == [1, 8, 8]
    assert table["classes"] == ["a", "b"] and table["columns"] == ["width", "height"]
    assert {"ops", "layers", "losses", "optimizers", "schedules", "datasets"} <= set(catalogue)


ADDED = """
from app.lessons import lessons
from app.train.run import Run
from app.train.spec import parse_spec

run = Run(parse_spec(lessons()["cube"].spec))
slots = run.slots(0, len(run.plan(0)) - 1)
assert float(slots["x", "grad"]) == 12.0, slots
model = {"input_shape": [1], "layers": [{"type": "linear", "out_features": 1}, {"type": "cube"}]}
data = {"inputs": [[1.0]], "targets": [[1.0]]}
spec = {"model": model, "loss": {"type": "mse"}, "optimizer": {"type": "sgd", "lr": 0.1}}
Run(parse_spec({**spec, "data": data})).train(3)

import tempfile
from fastapi.testclient import TestClient
from app.main import create_app
from app.settings import Settings
with tempfile.TemporaryDirectory() as folder:
    app = create_app(Settings(store=f"sqlite:///{folder}/made.db", browser=False))
    with TestClient(app) as client:
        assert "cube" in {op["name"] for op in client.get("/api/catalogue").json()["ops"]}
        assert "cube" in {it["id"] for it in client.get("/api/lessons").json()["lessons"]}
        path = client.post("/api/sessions", json={"lesson": "cube"}).headers["location"]
        frames = client.get(f"{path}/frames").json()["frames"]
        back = next(frame for frame in frames if frame["phase"] == "backward")
        assert back["says"] and back["lines"][-1]["numbers"] and back["code"]["numpy"]
"""


@pytest.mark.slow
def test_an_op_a_layer_and_a_lesson_are_added_as_shown(tmp_path: Path) -> None:
    """In a copy of the repository, with its own tests run over what was added."""
    skipped = shutil.ignore_patterns("node_modules", "__pycache__", "browser", "benchmark", "img")
    for name in ("app", "static", "templates", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    text = section("Add an op, a layer, a lesson")
    places = [tmp_path / name for name in re.findall(r"`(app/\S+\.py)`", text)]
    op, layer = blocks("Add an op, a layer, a lesson", "python")
    (lesson,) = blocks("Add an op, a layer, a lesson", "toml")
    for place, code in zip(places, (op, layer), strict=True):
        with open(place, "a") as file:
            file.write(f"\n\n{code}")
    (tmp_path / "app" / "lessons" / "cube.toml").write_text(lesson, "utf-8")
    rooms = [f"tests/{name}" for name in ("engine", "nn", "lessons")]
    for command in (
        ["-c", ADDED],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "cube", *rooms],
        ["-m", "mypy", "--no-incremental", str(places[0]), str(places[1])],
        ["-m", "ruff", "check", *map(str, places)],
        ["-m", "ruff", "format", "--check", *map(str, places)],
    ):
        ended = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stdout[-3_000:] + ended.stderr[-3_000:]
        if "pytest" in command:
            passed = re.search(r"(\d+) passed", ended.stdout)
            assert passed is not None and int(passed[1]) >= 10, ended.stdout[-500:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_that_are_named_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)", text)
    assert links or page.name != "README.md"
    for link in links:
        assert (page.parent / link).exists(), link
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`((?:app|static|tests|templates|\.ci)/[\w./-]*)`", prose):
        assert (ROOT / name).exists(), name
    for module in re.findall(r"python -m (tests(?:\.\w+)+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


def test_every_option_is_told_and_no_other() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    told = set(re.findall(r"^\| `(--[a-z-]+)", section("Start"), re.MULTILINE))
    known = set(re.findall(r"^  (--[a-z-]+)", ended.stdout, re.MULTILINE))
    assert told == known - {"--help", "--version"}


def test_routes_that_are_named_exist(server: Server) -> None:
    with server.client() as client:
        paths: dict[str, Any] = client.get("/openapi.json").json()["paths"]
        assert client.get("/docs").status_code == 200
    known = {re.sub(r"\{\w+\}", "", path).rstrip("/") for path in paths}
    text = "".join(blocks("Over HTTP", "sh"))
    for name in re.findall(r"\$session/(\w[\w-]*)", text):
        assert f"/api/sessions//{name}" in known, name
    for name in re.findall(r"\$server(/api/[\w-]+)", text):
        assert name in known, name


def test_the_picture_is_ours_and_small() -> None:
    assert PICTURE.relative_to(ROOT).as_posix() in README
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) <= MOST
    assert struct.unpack(">II", data[16:24]) == (SIZE["width"], SIZE["height"])


def test_the_documents_name_no_place_of_this_machine() -> None:
    for page in [*PAGES, ROOT / "tests" / "benchmark" / "README.md"]:
        assert not re.search(r"/(?:home|root|tmp|work)/\w", page.read_text("utf-8")), page.name
