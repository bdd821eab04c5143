"""Large graphs beside a blank page: time until they can be stepped, elements in the document, and
frames while they play.

    python -m tests.benchmark.large [--rounds 3] [--chromium /usr/bin/chromium]

Two graphs of about a thousand nodes, as they open (layers closed) and with every layer open: an
LSTM unrolled over many steps, and a deep network taken apart into numbers. Each plays while a blank
page, which changes nothing, counts its own frames right before and after; told is the median of the
ratios. A page's two slowest gaps between frames are told as well, for what a median hides.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmark.bare import bare_server
from tests.browser.conftest import FLAGS
from tests.serving import Server

FRAMES, SECONDS = 0.95, 4
SPEEDS = (1, 16)

COUNT = """(seconds) => new Promise((done) => {
  const gaps = [];
  let first, last;
  const tick = (now) => {
    first ??= now;
    if (last !== undefined) gaps.push(now - last);
    last = now;
    if (now - first < seconds * 1000) return requestAnimationFrame(tick);
    const slowest = gaps.toSorted((a, b) => b - a);
    done({ rate: gaps.length / ((last - first) / 1000), slow: slowest[1] });
  };
  requestAnimationFrame(tick);
})"""


def unrolled(steps: int = 120) -> dict[str, Any]:
    rows = [[[round(0.1 * (t % 9) - 0.4, 3), 0.2] for t in range(steps)]]
    return {
        "model": {
            "input_shape": [steps, 2],
            "layers": [
                {"type": "lstm", "hidden_size": 4, "return_sequences": False},
                {"type": "linear", "out_features": 1},
            ],
        },
        "loss": "mse",
        "data": {"inputs": rows, "targets": [[1.0]]},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }


def apart(depth: int = 32) -> dict[str, Any]:
    layers: list[Any] = []
    for _ in range(depth):
        layers += [{"type": "linear", "out_features": 3}, {"type": "tanh"}]
    layers.append({"type": "linear", "out_features": 1})
    return {
        "model": {"layers": layers},
        "loss": "mse",
        "data": {"inputs": [[1.0, 2.0]], "targets": [[1.0]]},
        "optimizer": {"type": "sgd", "lr": 0.1},
        "scalars": True,
    }


SPECS = {"LSTM over 120 steps": unrolled(), "32 layers taken apart": apart()}


def opened(browser: Browser, url: str) -> tuple[Page, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(60_000)
    page = context.new_page()
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("main[data-ready]")
    return page, time.perf_counter() - started


def play(page: Page, blank: Page, speed: int) -> tuple[float, float]:
    """Its share of a blank page's frames, and its second slowest gap in ms."""
    page.bring_to_front()
    page.select_option("select.speed", str(speed))
    page.locator("button.play").click()
    page.wait_for_timeout(300)
    ours = page.evaluate(COUNT, SECONDS)
    assert page.evaluate("document.querySelector('button.play').ariaLabel") != "Play"
    page.locator("button.play").click()
    blank.bring_to_front()
    theirs = blank.evaluate(COUNT, SECONDS)
    return ours["rate"] / theirs["rate"], ours["slow"]


def compare(browser: Browser, server: Server, address: str, rounds: int) -> None:
    blank = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    blank.goto(address)
    print("| | nodes | steps | s to make | s to open | elements | speed | frames | slow gap | |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    with server.client() as client:
        for name, spec in SPECS.items():
            started = time.perf_counter()
            answer = client.post("/api/sessions", json={"spec": spec}, timeout=60)
            made = time.perf_counter() - started
            session = answer.json()
            page, ready = opened(browser, f"{server.url}/walk/session/{session['id']}")
            for state in ("as it opens", "all open"):
                if state == "all open":
                    page.bring_to_front()
                    page.get_by_role("button", name="Open all").click()
                    page.wait_for_selector("[data-fold=none]:disabled")
                for speed in SPEEDS:
                    shares, gaps = zip(
                        *(play(page, blank, speed) for _ in range(rounds)), strict=True
                    )
                    share = statistics.median(shares)
                    count = page.evaluate("document.querySelectorAll('*').length")
                    said = "met" if share >= FRAMES else "missed"
                    print(
                        f"| {name}, {state} | {len(session['graph']['nodes'])} "
                        f"| {len(session['plan'])} | {made:.2f} | {ready:.2f} | {count} "
                        f"| {speed}× | {share:.2f} | {statistics.median(gaps):.0f} ms | {said} |",
                        flush=True,
                    )
            page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        server = Server(folder).start()
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=FLAGS)
        try:
            with bare_server(folder) as blank:
                compare(browser, server, blank, asked.rounds)
        finally:
            browser.close()
            server.kill()


if __name__ == "__main__":
    main()
