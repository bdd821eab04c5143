"""One file for a page's modules: same text, right order, and a word when a module cannot go in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app import paths
from app.web import bundle


def make(root: Path, **modules: str) -> None:
    (root / "js").mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (root / "js" / f"{name}.js").write_text(text, "utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "static", lambda: tmp_path)
    return tmp_path


def run(text: str, tmp_path: Path) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on this machine: bundles are not run")
    file = tmp_path / "bundle.mjs"
    file.write_text(text, "utf-8")
    return subprocess.run([node, file], capture_output=True, text=True, check=True).stdout.strip()


def test_modules_become_one_in_the_right_order(here: Path) -> None:
    make(
        here,
        a='import { one, two as zwei } from "./b.js";\nimport * as c from "./c.js";\n'
        "console.log(one, zwei(), c.THREE, new c.Four().n);\n",
        b='import { THREE } from "./c.js";\nexport const one = THREE - 2;\n'
        "export function two() {\n  return 2;\n}\n",
        c="export const THREE = 3; // said once\nexport class Four {\n  n = 4;\n}\n",
    )
    text = bundle.script("js/a.js")
    assert "said once" not in text
    assert not re.search(r"^(import|export)", text, re.MULTILINE)
    assert run(text, here) == "1 2 3 4"


def test_what_is_imported_later_keeps_its_address(here: Path) -> None:
    make(here, a='export const later = () => import("./b.js");\n', b="export const x = 1;\n")
    assert 'import("/static/js/b.js")' in bundle.script("js/a.js")


def test_a_circle_and_an_odd_export_are_refused(here: Path) -> None:
    make(
        here,
        a='import { b } from "./b.js";\nexport const a = b;\n',
        b='import { a } from "./a.js";\nexport const b = a;\n',
        odd="export default 1;\n",
    )
    with pytest.raises(ValueError, match="circle"):
        bundle.script("js/a.js")
    with pytest.raises(ValueError, match="odd.js"):
        bundle.script("js/odd.js")


@pytest.mark.parametrize("name", ["main.js", "tokens+base.css"])
def test_the_address_says_which_version_it_is(name: str) -> None:
    assert re.fullmatch(rf"/bundle/{re.escape(name)}\?v=[0-9a-f]{{16}}", bundle.url(name))


@pytest.mark.parametrize(
    "name", ["../main.js", "nobody.js", "tokens+nobody.css", "main.txt", ".js"]
)
def test_nothing_else_is_a_bundle(name: str) -> None:
    with pytest.raises(bundle.HTTPException):
        bundle.url(name)


def test_the_walk_page_is_small() -> None:
    page = (paths.templates() / "walk.html").read_text("utf-8")
    names = re.findall(r'bundle\("([^"]+)"\)', page)
    sizes = {name: len(bundle._asset(name).packed or b"") for name in names}
    assert {name.rpartition(".")[2] for name in names} == {"js", "css"}
    assert sum(sizes.values()) < 64_000, sizes
