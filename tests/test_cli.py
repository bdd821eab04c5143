"""The command: it says its address, says in words what is wrong, and ends at once."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from app import cli, settings
from app.settings import Limits, Settings, SettingsError
from app.train.limits import SpecLimits
from tests.serving import ROOT, Server

Start = Callable[..., Server]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_it_says_its_address_and_serves_there(server: Server) -> None:
    assert re.fullmatch(r"Backstep is at http://127\.0\.0\.1:\d+ .*\n", server.said)
    with server.client() as client:
        answer = client.get("/api/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_a_taken_port_is_said_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port), "--no-browser")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert f"port {port} is taken" in ended.stderr
    assert f"--port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "80x"], "not a port, 0 to 65535: '80x'"),
        (["--port", "65536"], "not a port, 0 to 65535: '65536'"),
        (["--host", "192.0.2.1"], "this machine has no address 192.0.2.1"),
        (["--host", "no such host"], "no such address here: no such host"),
    ],
)
def test_what_cannot_be_is_said_in_words(arguments: list[str], words: str) -> None:
    ended = run(*arguments, "--no-browser")
    assert ended.returncode in (1, 2)
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_is_said_in_words() -> None:
    ended = run(BACKSTEP_PORT="many")
    assert ended.returncode == 1
    assert ended.stderr == "backstep: BACKSTEP_PORT: not a whole number: 'many'\n"


@pytest.mark.skipif(os.name == "nt", reason="signals are another matter on Windows")
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_it_ends_at_once_even_with_an_open_stream(start_server: Start, sig: int) -> None:
    server = start_server()
    with server.client() as client:
        made = client.post("/api/sessions", json={"lesson": lesson(client)})
        assert made.status_code == 201, made.text
        with client.stream("GET", f"/api/sessions/{made.json()['id']}/events") as stream:
            assert stream.status_code == 200
            assert next(stream.iter_raw())
            code, seconds = server.end(sig)
    assert code == 0
    assert seconds < 2.0
    assert server.errors() == ""


def test_it_does_not_wait_for_half_a_request(start_server: Start) -> None:
    server = start_server()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /api/sessions HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\n{"
        )
        time.sleep(0.2)
        code, seconds = server.end()
    assert (code, server.errors()) == (0, "")
    assert seconds < 3.0  # one of them for answers that are nearly done


def test_it_does_not_wait_for_a_long_training(start_server: Start) -> None:
    server = start_server()
    with server.client() as client:
        made = client.post("/api/sessions", json={"lesson": lesson(client)}).json()

    def train() -> None:
        with server.client() as client, contextlib.suppress(httpx.HTTPError):
            client.post(f"/api/sessions/{made['id']}/train", json={"iterations": 100_000})

    waiting = threading.Thread(target=train)
    waiting.start()
    time.sleep(0.5)
    code, seconds = server.end()
    waiting.join()
    assert (code, server.errors()) == (0, "")
    assert seconds < 2.0


def lesson(client: httpx.Client) -> str:
    first: str = client.get("/api/lessons").json()["lessons"][0]["id"]
    return first


def test_python_without_the_packages_says_what_to_type(tmp_path: Path) -> None:
    # -S leaves site-packages out: a checkout in which nobody has installed anything.
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "app"], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == 1
    assert "-m venv .venv" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_lists_every_setting() -> None:
    text = cli.environment_help()
    for item in [*fields(Settings), *fields(Limits)]:
        assert item.name == "limits" or f"BACKSTEP_{item.name.upper()} " in text


def test_settings_come_from_the_environment_and_options_win(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BACKSTEP_PORT", "9000")
    monkeypatch.setenv("BACKSTEP_BROWSER", "no")
    monkeypatch.setenv("BACKSTEP_GRAPH_NODES", "12")
    chosen = cli.read(["--port", "9001", "--store", "sqlite:///here.db"])
    assert (chosen.port, chosen.store, chosen.browser) == (9001, "sqlite:///here.db", False)
    assert chosen.limits.graph_nodes == 12
    assert cli.read([]).port == 9000


@pytest.mark.parametrize("text", ["-1", "inf", "nan", "1e999", "a day"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="BACKSTEP_EXPIRY_DAYS"):
        Settings.from_environment({"BACKSTEP_EXPIRY_DAYS": text})


def test_every_setting_has_a_default_and_a_sentence() -> None:
    for name, default, says in settings.table():
        assert name.startswith("BACKSTEP_") and default is not None and len(says) > 10


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],
)
def test_the_address_is_one_to_type_into_a_browser(host: str, shown: str) -> None:
    with cli.listen(host, 0) as listener:
        assert cli.address(host, listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_no_text_browser_is_started_in_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not cli.has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert cli.has_screen()


def test_numpy_keeps_to_one_thread() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import app, os; print(os.environ['OPENBLAS_NUM_THREADS'])"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "NUM_THREADS" not in name},
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "1\n", ended.stderr


def test_the_lower_floors_have_the_same_limits_unless_told_otherwise() -> None:
    ours = {item.name: item.default for item in fields(Limits)}
    for item in fields(SpecLimits):
        assert ours[item.name] == item.default, item.name
