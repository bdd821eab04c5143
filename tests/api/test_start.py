"""A store that cannot be had is said in words, before anybody waits for a page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT, Server


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("redis://host", "a store is given as sqlite:///FILE"),
        ("sqlite:////dev/null/there.db", "cannot be opened"),
        ("sqlite:///TEXT", "not a database"),
    ],
)
def test_stores_that_cannot_be(tmp_path: Path, store: str, words: str) -> None:
    text = tmp_path / "text"
    text.write_text("no database at all, but long enough to look at" * 50)
    ended = subprocess.run(
        [sys.executable, "-m", "app", "--no-browser", "--port", "0", "--store"]
        + [store.replace("TEXT", str(text))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == 1
    assert words in ended.stderr and "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_store_in_memory_will_do(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        server.start("--store", "sqlite://")
        with server.client() as client:
            assert client.post("/api/sessions", json={"lesson": "neuron"}).status_code == 201
        assert not list(tmp_path.glob("*.db"))
    finally:
        server.kill()
