"""Large graphs beside a blank page: time until they can be stepped, elements in the document, and
frames while they play.

    python -m tests.benchmark.large [--rounds 3] [--chromium /usr/bin/chromium]

Two graphs of about a thousand nodes, as they open (layers closed) and with every layer open: an
LSTM unrolled over many steps, and a deep network taken apart into numbers. Each plays, then a blank
page, which changes nothing, counts its own frames; told is the median of the ratios. On a busy
machine these say little; the time of the page's own thread for a step, beside that of the 2-3-1
network's 12 nodes, is told as well.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page

from tests.benchmark.beside import arguments, beside
from tests.benchmark.page import COUNT
from tests.serving import Server

FRAMES, SECONDS = 0.95, 4
SPEEDS = (1, 16)
SMALL = "network-2-3-1"


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


STEPS = """() => {
  const read = (name) => document.querySelector(`.counter-${name} .counter-value`).textContent;
  const [step, of] = read("step").split("/").map(Number);
  return Number(read("iteration").replace(/\\D/g, "")) * of + step;
}"""


def play(page: Page, blank: Page, speed: int) -> tuple[float, float]:
    """Its share of a blank page's frames, and ms of its own thread for a step."""
    page.bring_to_front()
    page.select_option("select.speed", str(speed))
    page.locator("button.play").click()
    page.wait_for_timeout(300)
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    first, before = page.evaluate(STEPS), busy(wire)
    ours = page.evaluate(COUNT, SECONDS)
    steps, spent = page.evaluate(STEPS) - first, busy(wire) - before
    wire.detach()
    page.locator("button.play").click()
    blank.bring_to_front()
    return ours / blank.evaluate(COUNT, SECONDS), 1000 * spent / max(1, steps)


def busy(wire: CDPSession) -> float:
    found = wire.send("Performance.getMetrics")["metrics"]
    return next(float(it["value"]) for it in found if it["name"] == "TaskDuration")


def measure(page: Page, blank: Page, name: str, rounds: int, told: str) -> None:
    for speed in SPEEDS:
        rows = [play(page, blank, speed) for _ in range(rounds)]
        share, thread = (statistics.median(column) for column in zip(*rows, strict=True))
        count = page.evaluate("document.querySelectorAll('*').length")
        said = "met" if share >= FRAMES else "missed"
        print(
            f"| {name} | {told} | {count} | {speed}× | {thread:.1f} | {share:.2f} | {said} |",
            flush=True,
        )


def compare(browser: Browser, server: Server, address: str, rounds: int) -> None:
    blank = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    blank.goto(address)
    print("| | nodes | steps | s to make | s to open | elements | speed | ms a step | frames | |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    page, ready = opened(browser, f"{server.url}/walk/{SMALL}")
    measure(page, blank, SMALL, rounds, f"12 | 26 | | {ready:.2f}")
    page.context.close()
    with server.client() as client:
        for name, spec in SPECS.items():
            started = time.perf_counter()
            session = client.post("/api/sessions", json={"spec": spec}, timeout=60).json()
            made = time.perf_counter() - started
            page, ready = opened(browser, f"{server.url}/walk/session/{session['id']}")
            size = f"{len(session['graph']['nodes'])} | {len(session['plan'])}"
            told = f"{size} | {made:.2f} | {ready:.2f}"
            measure(page, blank, f"{name}, as it opens", rounds, told)
            page.bring_to_front()
            page.get_by_role("button", name="Open all").click()
            page.wait_for_selector("[data-fold=none]:disabled")
            measure(page, blank, f"{name}, all open", rounds, told)
            page.context.close()


def main() -> None:
    asked = arguments(__doc__, 3).parse_args()
    with beside(asked.chromium) as pages:
        compare(*pages, asked.rounds)


if __name__ == "__main__":
    main()
