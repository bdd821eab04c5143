"""What the benchmarks of pages share: our server, a bare one, and one browser for both."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from tests.benchmark.bare import bare_server
from tests.browser.conftest import FLAGS
from tests.serving import Server


class Pages(NamedTuple):
    browser: Browser
    server: Server
    blank: str
    """The address of a page with a button and nothing else."""


@contextmanager
def beside(chromium: str) -> Iterator[Pages]:
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        server = Server(folder).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            with bare_server(folder) as blank:
                yield Pages(browser, server, blank)
        finally:
            browser.close()
            server.kill()


def arguments(told: str | None, rounds: int) -> argparse.ArgumentParser:
    """`told`: the benchmark's own docstring."""
    parser = argparse.ArgumentParser(description=told.splitlines()[0] if told else "")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    return parser


def processor(server: Server) -> float:
    """Seconds of processor time that the server has had; where the system does not say: 0."""
    assert server.process is not None
    try:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
