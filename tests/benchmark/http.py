"""One forward step over HTTP against a bare FastAPI route that answers with the same bytes.

    python -m tests.benchmark.http [--rounds 300]

Two servers run at once, both uvicorn with the settings of the command `backstep`: Backstep with its
SQLite store, and a bare FastAPI application. One client asks them in turns over a kept connection;
told are the medians of the round trips, and of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmark.bare import bare_server
from tests.serving import Server

TARGET = 2.0
LESSON = "network-2-3-1"
WARMUP = 50
STEP = {"count": 1, "unit": "node"}


class Client:
    """One kept connection that does no more than it must."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        assert place.hostname and place.port
        self.host = f"{place.hostname}:{place.port}"
        self.socket = socket.create_connection((place.hostname, place.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: Any) -> tuple[float, bytes]:
        """Seconds and body of the answer."""
        sent = json.dumps(body).encode()
        request = (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(sent)}\r\n\r\n"
        ).encode() + sent
        start = time.perf_counter()
        self.socket.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, answer = got.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(int(x.split(":")[1]) for x in lines if x.startswith("content-length:"))
        while len(answer) < length:
            answer += self._more()
        took = time.perf_counter() - start
        if not lines[0].split()[1].startswith("2"):
            raise SystemExit(f"POST {path}: {lines[0]}: {answer.decode()}")
        return took, answer

    def _more(self) -> bytes:
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server closed the connection")
        return part


def compare(ours: Client, folder: Path, rounds: int) -> None:
    session = json.loads(ours.post("/api/sessions", {"lesson": LESSON})[1])
    nodes, plan = session["graph"]["nodes"], session["plan"]
    forward = [i for i, step in enumerate(plan) if step["phase"] == "forward"]
    here = f"/api/sessions/{session['id']}"
    start = {"iteration": 0, "step": forward[0]}
    ours.post(f"{here}/seek", start)
    _, answer = ours.post(f"{here}/step", STEP)
    pairs = []
    with bare_server(folder, answer) as url:
        theirs = Client(url)
        for number in range(WARMUP + rounds):
            if number % len(forward) == 0:
                ours.post(f"{here}/seek", start)
            if number % 2:
                one, two = ours.post(f"{here}/step", STEP)[0], theirs.post("/step", STEP)[0]
            else:
                two, one = theirs.post("/step", STEP)[0], ours.post(f"{here}/step", STEP)[0]
            pairs.append((one, two))
    pairs = pairs[WARMUP:]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    print(f"a graph of {len(nodes)} nodes, answers of {len(answer)} bytes, {rounds} forward steps")
    print("| Backstep µs | bare route µs | ratio |\n|------------:|--------------:|------:|")
    print(f"| {a:11.0f} | {b:13.0f} | {ratio:5.2f} |")
    print(f"target: at most {TARGET}; {'met' if ratio <= TARGET else 'missed'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder).start()
        try:
            compare(Client(server.url), folder, asked.rounds)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
