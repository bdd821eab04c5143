"""A real Backstep server: the command, in a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"Backstep is at (http://\S+)")
PATIENCE = 20.0


class Server:
    """Start it with a store; end it politely, or kill it and start it anew on the same store."""

    def __init__(
        self,
        folder: Path,
        *,
        command: Sequence[str] = (sys.executable, "-m", "app"),
        cwd: Path = ROOT,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.command = command
        self.cwd = cwd
        # A data folder of its own, so that no test ever touches the user's sessions.
        self.environment = {
            **os.environ,
            "XDG_DATA_HOME": str(folder / "data"),
            **(environment or {}),
        }
        self.url = ""
        self.said = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def store(self) -> str:
        return f"sqlite:///{self.folder / 'backstep.db'}"

    def start(self, *options: str) -> Server:
        arguments = ["--port", "0", "--no-browser", "--store", self.store, *options]
        with open(self.folder / "stderr.txt", "a") as errors:
            self.process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=self.cwd,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        self.said = self.process.stdout.readline() if ready else ""
        found = ADDRESS.search(self.said)
        if found is None:
            self.kill()
            raise AssertionError(f"no address said: {self.said!r}, stderr: {self.errors()}")
        self.url = found[1]
        return self

    def errors(self) -> str:
        return (self.folder / "stderr.txt").read_text()

    def client(self, **more: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, **more)  # type: ignore[arg-type]

    def end(self, sig: int = signal.SIGINT) -> tuple[int, float]:
        """Ask it to end; the exit code, and how many seconds that took."""
        assert self.process is not None
        started = time.monotonic()
        self.process.send_signal(sig)
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.kill()
        return code, time.monotonic() - started

    def kill(self) -> None:
        """As a power cut would. Safe to call twice."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None
