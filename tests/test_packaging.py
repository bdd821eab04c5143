"""What is built is what is served: the wheel's own command, in an environment of its own, far from
the repository."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import need
from tests.serving import ROOT, Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need(importlib.util.find_spec("hatchling"), "hatchling is not installed: pip install hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("backstep-*.whl")
    return built


def test_the_wheel_holds_every_file_that_is_served(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("static", "templates"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"app/{path.relative_to(ROOT).as_posix()}" in inside
    for path in (ROOT / "app").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in inside
    assert not [name for name in inside if "node_modules" in name or name.startswith("tests/")]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a fresh environment, which borrows only our dependencies, not the checkout: a
    path file adds this environment's packages without reading the path files among them."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / ("python.exe" if os.name == "nt" else "python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-deps", str(wheel)], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", where], text=True).strip()
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(packages, "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return scripts / ("backstep.exe" if os.name == "nt" else "backstep")


def test_the_installed_command_serves_pages_and_files(
    installed: Path, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server(command=[str(installed)], cwd=tmp_path)
    with server.client() as client:
        for path, kind in {
            "/": "text/html; charset=utf-8",
            "/docs": "text/html; charset=utf-8",
            "/api/health": "application/json",
            "/api/lessons": "application/json",
            "/static/js/store.js": "text/javascript; charset=utf-8",
            "/static/icon.svg": "image/svg+xml",
            "/vendor/math.ttf": "font/ttf",
        }.items():
            answer = client.get(path)
            assert (path, answer.status_code) == (path, 200)
            assert answer.headers["content-type"] == kind
    code, _ = server.end()
    assert code == 0
    assert server.errors() == ""


def test_the_installed_command_does_not_read_the_checkout(installed: Path) -> None:
    python = installed.with_name("python" + installed.suffix)
    command = [str(python), "-c", "from app import paths; print(paths.static())"]
    found = subprocess.check_output(command, text=True, cwd="/").strip()
    assert not Path(found).is_relative_to(ROOT)
