"""The checks of form, run as tests: one command runs everything that the machine can."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import need, need_command
from tests.serving import ROOT

JS = ROOT / "tests" / "js"
INSTALLED = JS / "node_modules" / ".bin"


def clean(*command: str | Path, cwd: Path = ROOT) -> None:
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if ended.returncode:
        pytest.fail(ended.stdout[-6_000:] + ended.stderr[-2_000:], pytrace=False)


def python_tool(name: str, *arguments: str) -> None:
    need(importlib.util.find_spec(name), f'{name} is not installed: pip install -e ".[dev]"')
    clean(sys.executable, "-m", name, *arguments)


def node_tool(name: str, *arguments: str | Path) -> None:
    need_command("node", "Node is not installed")
    tool = INSTALLED / name
    need(tool.exists(), f"{name} is not installed: npm --prefix tests/js install")
    clean(tool, *arguments)


def test_ruff_finds_nothing() -> None:
    python_tool("ruff", "check", ".")


def test_ruff_would_format_nothing() -> None:
    python_tool("ruff", "format", "--check", ".")


def test_mypy_finds_nothing() -> None:
    python_tool("mypy")


def test_javascript_tests_pass() -> None:
    node = need_command("node", "Node is not installed")
    clean(node, "--test", cwd=JS)


def test_tsc_finds_nothing() -> None:
    node_tool("tsc", "--project", JS / "tsconfig.json")


def test_eslint_finds_nothing() -> None:
    node_tool("eslint", "--config", JS / "eslint.config.js", "--max-warnings=0", "static/js", JS)


def own_files(*suffixes: str) -> list[Path]:
    """The repository's files, as git lists them; without git, those of the known folders."""
    folders = ("app", "static", "templates", "tests", ".ci", ".github")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    found += [path for path in ROOT.iterdir() if path.is_file()]
    skipped = {"node_modules", "__pycache__"}
    return [it for it in found if it.suffix in suffixes and not skipped & set(it.parts)]


def test_no_page_style_or_script_names_another_host() -> None:
    address = re.compile(
        r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE
    )
    loads = re.compile(r"(?:src|href|url|import|fetch|from)[\s=(\"'`]*$", re.IGNORECASE)
    for path in own_files(".html", ".css", ".js", ".svg"):
        if "tests" in path.relative_to(ROOT).parts:
            continue
        text = path.read_text("utf-8")
        for found in address.finditer(text):
            before = text[max(0, found.start() - 20) : found.start()]
            assert not loads.search(before), f"{path.relative_to(ROOT)}: loads {found[0]}"


def test_no_inline_script_style_or_handler_in_a_template() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\son[a-z]+\s*=", re.IGNORECASE)
    for path in own_files(".html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        data = re.sub(r'<script type="application/json"[^>]*>', "", text)
        assert not inline.search(data), path.relative_to(ROOT)


def test_dark_is_the_same_by_choice_and_by_the_system() -> None:
    chosen = re.compile(r'^:root\[data-theme="dark"\] \{(.*?)^\}', re.MULTILINE | re.DOTALL)
    system = re.compile(
        r'\(prefers-color-scheme: dark\) \{\s*:root:not\(\[data-theme="light"\]\) \{(.*?)\}',
        re.DOTALL,
    )
    seen = 0
    for path in own_files(".css"):
        text = path.read_text("utf-8")
        both = [[body.split() for body in way.findall(text)] for way in (chosen, system)]
        assert both[0] == both[1], path.relative_to(ROOT)
        seen += len(both[0])
    assert seen >= 3


def test_the_readme_says_the_very_commands_that_are_tested() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = dict(re.findall(r"^## (Start|Test)\n+```sh\n(.+)\n```", readme, re.MULTILINE))
    assert commands["Start"].endswith(".venv/bin/backstep")
    assert commands["Test"].endswith("-m pytest")
