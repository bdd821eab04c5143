"""The least that a FastAPI server can do, under the settings of the command `backstep`: what the
other benchmarks measure Backstep against.

    python -m tests.benchmark.bare BODY      says its address on the first line
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

from app.cli import listen
from tests.serving import ROOT

BLANK = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Blank</title>
<link rel="icon" href="data:,"><button type="button">Next step</button></html>"""


def application(body: bytes) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/step")
    async def step() -> Response:
        return Response(body, media_type="application/json")

    @app.get("/")
    async def blank() -> Response:
        return Response(BLANK, media_type="text/html")

    return app


def main() -> None:
    listener = listen("127.0.0.1", 0)
    body = Path(sys.argv[1]).read_bytes()
    config = uvicorn.Config(
        application(body), log_level="warning", access_log=False, server_header=False
    )
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def bare_server(folder: Path, body: bytes = b"{}") -> Iterator[str]:
    """Its address, while it runs."""
    place = folder / "body"
    place.write_bytes(body)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmark.bare", str(place)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
