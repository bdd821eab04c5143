"""The house stands only while imports point down. Read from the source, so that even an import
inside a function counts."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT

APP = ROOT / "app"
ROOF = 7
FLOORS = {
    "engine": 0,
    "render": 1,
    "nn": 2,
    "train": 3,
    "lab": 4,
    "lessons": 4,
    "sessions": 5,
    "web": 6,
    "main": ROOF,
    "cli": ROOF,
    "__main__": ROOF,
}
CELLAR = {"app": 4, "settings": 4, "paths": 3}  # used by the floors above the number, imports none
NUMBERS_ONLY = {"numpy"}  # what the engine may import beside the standard library
MODULES = sorted(APP.rglob("*.py"), key=lambda path: path.as_posix())


def room(module: str) -> str:
    """app.engine.graph -> engine, app.settings -> settings, app -> app."""
    return (module.split(".") + [""])[1] or "app"


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, full module name) of everything that a file imports."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            if base == ["app"]:
                yield from ((node.lineno, _named(alias.name)) for alias in node.names)
            else:
                yield node.lineno, ".".join(base)


def _named(name: str) -> str:
    is_module = (APP / name).is_dir() or (APP / f"{name}.py").is_file()
    return f"app.{name}" if is_module else "app"


def faults(path: Path) -> Iterator[str]:
    parts = path.relative_to(APP).with_suffix("").parts
    own = "app" if parts == ("__init__",) else parts[0]
    if own not in FLOORS and own not in CELLAR:
        yield f"{path.relative_to(ROOT)}: no floor for {own!r}; give it one in test_floors.py"
        return
    for line, module in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}"
        top = module.split(".")[0]
        if top != "app":
            outside = top not in sys.stdlib_module_names and top not in NUMBERS_ONLY
            if own == "engine" and outside:
                yield f"{where}: the engine knows NumPy and nothing else, not {top}"
            continue
        other = room(module)
        if other == own:
            continue
        if own in CELLAR:
            allowed = other in CELLAR
        elif other in CELLAR:
            allowed = FLOORS[own] > CELLAR[other]
        else:
            allowed = other in FLOORS and FLOORS[other] < FLOORS[own]
            allowed = allowed or (FLOORS[own] == ROOF and other in FLOORS)
        if not allowed:
            yield f"{where}: {own} may not import {module}; imports point down"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path: Path) -> None:
    assert not list(faults(path))


def test_the_engine_neither_reads_nor_writes() -> None:
    closed = {"io", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile", "urllib", "http"}
    for path in (APP / "engine").rglob("*.py"):
        for line, module in imports(path):
            assert module.split(".")[0] not in closed, f"{path.relative_to(ROOT)}:{line}: {module}"


def test_a_fault_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.setitem(globals(), "APP", tmp_path / "app")
    planted = {
        "engine/a.py": "def f():\n    from app.web import static\n",
        "engine/b.py": "import fastapi\n",
        "render/c.py": "from ..train import loop\n",
        "lab/d.py": "from app.lessons import table\n",
        "settings.py": "from app import engine\n",
        "sessions/fine.py": "from app.settings import Limits\nfrom app.engine.graph import Graph\n",
    }
    for name in ("web", "train", "lessons", "engine"):
        (tmp_path / "app" / name).mkdir(parents=True)
    found = {}
    for name, text in planted.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found[name] = len(list(faults(path)))
    assert found == {**dict.fromkeys(planted, 1), "sessions/fine.py": 0}


PROVIDED_AS = {"axe_playwright_python": "axe-playwright-python"}
WRITES_REFERENCES = {"torch"}  # only in tests/reference, whose scripts are run by hand
COMES_WITH = {"starlette": "fastapi", "pydantic": "fastapi"}


@pytest.mark.parametrize("folder", ["app", "tests"])
def test_every_package_used_is_declared(folder: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    if folder == "tests":
        lines += [line for extra in project["optional-dependencies"].values() for line in extra]
    declared = {line.split(">=")[0].split("[")[0].strip() for line in lines}
    for path in (ROOT / folder).rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        for line, module in imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in ("app", "tests"):
                continue
            if top in WRITES_REFERENCES and "reference" in path.parts:
                continue
            name = COMES_WITH.get(top, PROVIDED_AS.get(top, top))
            assert name in declared, f"{path.relative_to(ROOT)}:{line}: {top} is not in pyproject"
