"""A page's one script does what its modules do, each of them once and in their order; the separate
files stay what is written and read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import paths
from app.web import bundle
from app.web.modules import ModuleError
from app.web.source_map import digits
from tests.conftest import need_command

PAGES = ["main", "home", "lab", "docs"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "static", lambda: tmp_path)
    (tmp_path / "js" / "parts").mkdir(parents=True)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / "js" / name).write_text(text)


SMALL = {
    "main.js": 'import { add, text as words } from "./parts/add.js";\n'
    'import * as log from "./log.js";\n'
    "\n"
    "export async function run() {\n"
    '  const { twice } = await import("./late.js");\n'
    '  const { add: again } = await import("./parts/add.js");\n'
    "  log.say(words, add(1, 2), await twice(4), again === add);\n"
    "}\n"
    "run();\n",
    "log.js": 'export const said = [];\nsaid.push("log");\n'
    "export const say = (...all) => console.log(JSON.stringify([...said, ...all]));\n",
    "late.js": 'import { add } from "./parts/add.js";\n'
    'import { said } from "./log.js";\n'
    'import { half } from "./parts/half.js";\n'
    'said.push("late");\n'
    "export const twice = async (n) => add(n, n) + half(n);\n",
    "parts/add.js": 'import { said } from "../log.js";\nsaid.push("add");\n'
    "export function add(a, b) {\n  return a + b;\n}\n"
    "export const text = `one\n    two ${1 /* 1 */}`;\n",
    "parts/half.js": "export class Half {}\nexport const half = (n) => n / 2;\n",
}


def test_modules_run_once_in_their_order_and_late_ones_when_asked(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node = need_command("node", "Node is not installed")
    write(folder, SMALL)
    made = bundle.scripts("main")
    assert made.late is not None
    place = tmp_path_factory.mktemp("made")
    (place / "late.mjs").write_bytes(made.late.plain)
    first = made.first.plain.decode().replace(f"/bundle/main.late.js?v={made.tag}", "./late.mjs")
    (place / "main.mjs").write_text(first)
    told = subprocess.check_output([node, "main.mjs"], cwd=place, text=True)
    assert json.loads(told) == ["log", "add", "late", "one\n    two 1", 3, 10, True]
    assert b"half" not in made.first.plain


def test_a_saved_file_makes_a_new_address(folder: Path) -> None:
    write(folder, SMALL)
    before = bundle.url("main.js")
    assert before == bundle.url("main.js")
    write(folder, {"parts/half.js": "export const half = (n) => 0.5 * n;\n"})
    assert bundle.url("main.js") != before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('import "./no.js";\n', "cannot stand in one script"),
        ('import { a } from "./no.js";\n', "no such module: js/no.js"),
        ("export default 1;\n", "cannot stand in one script"),
        ("export let a = 1;\n", "cannot stand in one script"),
        ('export { a } from "./b.js";\n', "cannot stand in one script"),
        ('import { b } from "./b.js";\n', "import each other"),
    ],
)
def test_what_cannot_be_put_together_is_refused_in_words(
    folder: Path, text: str, says: str
) -> None:
    write(folder, {"a.js": text, "b.js": 'import { a } from "./a.js";\nexport const b = a;\n'})
    with pytest.raises(ModuleError, match=says):
        bundle.scripts("a")


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_ours_is_found_again_by_the_source_map(page: str) -> None:
    made = bundle.scripts(page)
    for asset, map_ in ((made.first, made.first_map), (made.late, made.late_map)):
        if asset is None or map_ is None:
            continue
        lines = asset.plain.decode().splitlines()
        told = json.loads(map_.plain)
        source = line = checked = 0
        for text, group in zip(lines, told["mappings"].split(";"), strict=False):
            if not group:
                continue
            _, by, down, _ = read_digits(group)
            source, line = source + by, line + down
            original = (
                paths.static() / told["sources"][source].removeprefix("/static/")
            ).read_text()
            if not text.startswith("return{") and re.fullmatch(r"[\w\s(){};.,=]+", text):
                assert text.strip().split("  ")[0] in original.splitlines()[line]
                checked += 1
        assert checked > 20
    assert digits(0) == "A" and digits(-1) == "D" and digits(16) == "gB"


def read_digits(group: str) -> list[int]:
    numbers, value, shift = [], 0, 0
    for letter in group:
        digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".index(letter)
        value |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    return numbers


@pytest.mark.parametrize("page", ["/", "/walk/neuron", "/lab/learning-rate", "/docs"])
def test_a_page_asks_for_one_script_and_one_style_sheet_and_keeps_them(
    client: TestClient, page: str
) -> None:
    html = client.get(page).text
    addresses = re.findall(r'(?:src|href)="(/bundle/[^"]+)"', html)
    assert sorted(address.split("?")[0].rsplit(".")[-1] for address in addresses) == ["css", "js"]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert client.get(address + "0").headers["cache-control"] == "no-cache"
    assert "/static/css/" not in html


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "nothing.css", "tokens+nothing.css", "..%2fmain.js", "main.txt", ".js"]
    + ["lab.late.js", "%00.js", "..+tokens.css", "types.ts"],
)
def test_nothing_else_is_a_bundle(client: TestClient, name: str) -> None:
    assert client.get(f"/bundle/{name}").status_code == 404


def test_the_walk_page_is_small() -> None:
    page = (paths.templates() / "walk.html").read_text("utf-8")
    names = re.findall(r'bundle\("([^"]+)"\)', page)
    sizes = {name: len(bundle._find(name)[0].packed or b"") for name in names}
    assert {name.rpartition(".")[2] for name in names} == {"js", "css"}
    assert sum(sizes.values()) < 64_000, sizes
