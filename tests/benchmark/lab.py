"""The lab: twelve lanes against one, a landscape against a loop by hand, and what a viewer of an
event stream costs.

    python -m tests.benchmark.lab [--rounds 12]

Each pair is measured in turns in one run; told are the medians of the ratios of neighbours. What
runs in one process is measured in its processor's time, so that other work on the machine counts
less; what goes over HTTP by the clock. The landscape's losses must agree with those by hand to
1e-12, else nothing is compared.
"""

from __future__ import annotations

import app  # noqa: F401  isort: skip  holds BLAS to one thread, before NumPy is imported

import argparse
import json
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from app.lab.landscape import Survey, survey
from app.lab.sweep import sweep
from app.train.run import Run
from app.train.spec import parse_spec
from tests.benchmark.beside import processor
from tests.benchmark.http import STEP, Client
from tests.serving import Server

LANES, LANES_TARGET = 12, 12.0
POINTS_TARGET = 1.2
VIEWERS = 32
ITERATIONS = 400
WIDTH, SAMPLES, POINTS = 16, 200, 41
HIDDEN = [{"type": "linear", "out_features": WIDTH}, {"type": "tanh"}]
SPEC: dict[str, Any] = {
    "model": {"layers": [*HIDDEN, *HIDDEN, {"type": "linear", "out_features": 1}]},
    "loss": {"type": "bce_with_logits"},
    "data": {"dataset": "moons", "samples": SAMPLES},
    "seed": 1,
}
RATES = [round(0.05 * 1.4**k, 3) for k in range(LANES)]


def timed(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def turns(
    one: Callable[[], float], two: Callable[[], float], rounds: int
) -> list[tuple[float, float]]:
    """Pairs of neighbours; the first warms up."""
    pairs = []
    for number in range(rounds + 1):
        if number % 2:
            a, b = one(), two()
        else:
            b, a = two(), one()
        pairs.append((a, b))
    return pairs[1:]


def told(
    name: str, pairs: list[tuple[float, float]], target: float, unit: float, what: str
) -> None:
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(column) * unit for column in zip(*pairs, strict=True))
    met = "met" if ratio <= target else "missed"
    print(f"| {name} | {a:,.4g} : {b:,.4g} {what} | {ratio:.2f} | {target:g} | {met} |", flush=True)


def lanes(name: str, cost: Callable[[list[dict[str, float]]], float], rounds: int) -> None:
    """All twelve in one sweep, and one: the mean over the same twelve alone, as some rates cost
    more (tanh of large numbers does).
    """
    every = [{"lr": rate} for rate in RATES]

    def alone() -> float:
        return sum(cost([lane]) for lane in every) / LANES

    told(name, turns(lambda: cost(every), alone, rounds), LANES_TARGET, 1e3, "ms")


def by_hand(found: Survey, x: Any, t: Any) -> list[list[float]]:
    """The same grid with preallocated arrays and straight lines."""
    plane, n = found.plane, found.points
    a, b = np.linspace(*plane.a, n), np.linspace(*plane.b, n)
    w, row, step = (np.empty_like(plane.centre) for _ in range(3))
    sizes = [(WIDTH, 2), (WIDTH,), (WIDTH, WIDTH), (WIDTH,), (1, WIDTH), (1,)]
    parts, first = [], 0
    for size in sizes:
        count = int(np.prod(size))
        parts.append(w[first : first + count].reshape(size))
        first += count
    w1, b1, w2, b2, w3, b3 = parts
    w1t, w2t, w3t = w1.T, w2.T, w3.T
    h1, h2 = np.empty((len(x), WIDTH)), np.empty((len(x), WIDTH))
    z, e, tz = (np.empty((len(x), 1)) for _ in range(3))
    zero, share = np.zeros(()), 1.0 / len(x)
    dot, add, multiply, tanh, absolute = np.dot, np.add, np.multiply, np.tanh, np.absolute
    rows = []
    for j in range(n):
        np.multiply(plane.second, b[j], row)
        add(plane.centre, row, row)
        losses = []
        for i in range(n):
            multiply(plane.first, a[i], step)
            add(row, step, w)
            dot(x, w1t, h1)
            add(h1, b1, h1)
            tanh(h1, h1)
            dot(h1, w2t, h2)
            add(h2, b2, h2)
            tanh(h2, h2)
            dot(h2, w3t, z)
            add(z, b3, z)
            absolute(z, e)
            np.negative(e, e)
            np.exp(e, e)
            np.log1p(e, e)
            multiply(z, t, tz)
            np.maximum(z, zero, out=z)
            np.subtract(z, tz, z)
            add(z, e, z)
            losses.append(float(z.sum()) * share)
        rows.append(losses)
    return rows


def points(rounds: int) -> None:
    run = Run(parse_spec(SPEC))
    run.train(50)
    found = survey(run, 50, plane="trajectory", points=POINTS)
    batches = run.problem.batches
    assert batches is not None
    x, t = batches.inputs, batches.targets.astype(np.float64)
    ours, theirs = np.array(found.grid()["loss"]), np.array(by_hand(found, x, t))
    apart = float(np.max(np.abs(ours - theirs) / np.abs(theirs)))
    if not apart < 1e-12:
        raise SystemExit(f"the losses differ by {apart:.1e}")
    pairs = turns(lambda: timed(found.grid), lambda: timed(lambda: by_hand(found, x, t)), rounds)
    told(f"a point of a landscape, 2-16-16-1, {SAMPLES} samples", pairs, POINTS_TARGET,
         1e6 / POINTS**2, "µs")  # fmt: skip
    fastest = POINTS**2 / min(a for a, _ in pairs)
    print(f"  ours: {fastest:,.0f} points a second", flush=True)


def viewer(server: Server, path: str) -> socket.socket:
    """Somebody who follows the session, and has heard how it stands."""
    place = urlsplit(server.url)
    assert place.hostname and place.port
    line = socket.create_connection((place.hostname, place.port))
    line.sendall(f"GET {path}/events HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    line.recv(1 << 16)
    return line


def viewers(server: Server, rounds: int) -> None:
    """A step that many follow, beside the same step that nobody follows."""
    client = Client(server.url)
    paths = []
    for _ in range(2):
        session = json.loads(client.post("/api/sessions", {"lesson": "network-2-3-1"})[1])
        paths.append(f"/api/sessions/{session['id']}")
    lines = [viewer(server, paths[0]) for _ in range(VIEWERS)]

    def step(path: str) -> Callable[[], float]:
        def run() -> float:
            took = client.post(f"{path}/step", STEP)[0]
            time.sleep(0.004)  # what is still to be sent is no part of the next one
            return took

        return run

    pairs = turns(step(paths[0]), step(paths[1]), rounds * 25)
    more = statistics.median(a - b for a, b in pairs) / VIEWERS * 1e6
    a, b = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    print(f"| a step with {VIEWERS} viewers : with none | {a:.0f} : {b:.0f} µs | {a / b:.2f} | | |")
    print(f"  {more:.1f} µs a viewer and event, until the answer is here", flush=True)
    before = processor(server)
    count = 200
    for _ in range(count):
        client.post(f"{paths[0]}/step", STEP)
        client.post(f"{paths[0]}/step", {**STEP, "count": -1})
    time.sleep(0.2)
    followed = processor(server) - before
    before = processor(server)
    for _ in range(count):
        client.post(f"{paths[1]}/step", STEP)
        client.post(f"{paths[1]}/step", {**STEP, "count": -1})
    time.sleep(0.2)
    each = (followed - (processor(server) - before)) / (2 * count * VIEWERS) * 1e6
    print(f"  {each:.1f} µs of the server's processor a viewer and event, all sent", flush=True)
    for line in lines:
        line.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=12)
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| what | medians | ratio | target | |\n|---|---|---:|---:|---|")
    lanes(
        "12 lanes : 1 lane, in one process",
        lambda wanted: timed(lambda: sweep(SPEC, wanted, ITERATIONS)),
        asked.rounds,
    )
    points(asked.rounds)
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name)).start()
        try:
            client = Client(server.url)
            body = {"spec": SPEC, "iterations": ITERATIONS}
            lanes(
                "12 lanes : 1 lane, over HTTP",
                lambda wanted: client.post("/api/sweeps", {**body, "lanes": wanted})[0],
                asked.rounds,
            )
            viewers(server, asked.rounds)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
