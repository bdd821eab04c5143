"""The playground while it trains: updates seen a second, and frames beside a blank page of the same
browser in the same round, at full speed and with the page's processor slowed four times.

    python -m tests.benchmark.playground [--rounds 3] [--seconds 4] [--chromium /usr/bin/chromium]

The network is the default one, 2-4-2-1 with batches of 10 out of 250. Updates are read off the
page, from the counter that a visitor sees; the first seconds, in which it gathers speed, are not
counted. On a busy machine the server gets less than a core: what it does in a second of processor
time is told beside it.
"""

from __future__ import annotations

import os
import statistics

from playwright.sync_api import Browser, Page

from tests.benchmark.beside import arguments, beside, processor
from tests.benchmark.page import row
from tests.serving import Server

UPDATES, FRAMES, SLOWED_FRAMES = 28_000.0, 0.97, 0.90
SLOWED = 4
UP_TO_SPEED = 20_000  # updates

COUNT = """(seconds) => new Promise((done) => {
  const read = () => Number(
    document.querySelector("#play-iteration")?.textContent.replace(/\\D/g, "") ?? 0);
  let frames = 0, first, updates, last, longest = 0;
  const tick = (now) => {
    if (first === undefined) [first, updates] = [now, read()];
    else longest = Math.max(longest, now - last);
    last = now;
    const passed = (now - first) / 1000;
    if (passed >= seconds) return done([frames / passed, (read() - updates) / passed, longest]);
    frames += 1;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""


def opened(browser: Browser, url: str, size: tuple[int, int]) -> Page:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(url)
    return page


def slow(page: Page, times: int) -> None:
    wire = page.context.new_cdp_session(page)
    wire.send("Emulation.setCPUThrottlingRate", {"rate": times})


def measure(
    browser: Browser,
    server: Server,
    blank: str,
    times: int,
    seconds: float,
) -> tuple[float, float, float, float, float]:
    """Our frames, the blank page's, updates a second, our longest gap between two frames, and the
    server's share of a core.
    """
    url, size = f"{server.url}/playground", (1280, 720)
    ours, theirs = opened(browser, url, size), opened(browser, blank, size)
    try:
        ours.wait_for_selector("main[data-ready]")
        ours.bring_to_front()
        ours.keyboard.press("Space")
        ours.wait_for_function(
            "(n) => Number(document.querySelector('#play-iteration')"
            ".textContent.replace(/\\D/g, '')) > n",
            arg=UP_TO_SPEED,
            timeout=60_000,
        )
        slow(ours, times)
        slow(theirs, times)
        before = processor(server)
        frames, updates, longest = ours.evaluate(COUNT, seconds)
        share = (processor(server) - before) / seconds
        theirs.bring_to_front()
        ours.keyboard.press("Space")
        base, _, _ = theirs.evaluate(COUNT, seconds)
        return frames, base, updates, longest, share
    finally:
        ours.context.close()
        theirs.context.close()


def main() -> None:
    parser = arguments(__doc__, 3)
    parser.add_argument("--seconds", type=float, default=4)
    asked = parser.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("| | ours | blank page | ratio | target | |\n|---|---:|---:|---:|---:|---|")
    with beside(asked.chromium) as (browser, server, blank):
        for times, wanted in ((1, FRAMES), (SLOWED, SLOWED_FRAMES)):
            rounds = [
                measure(browser, server, blank, times, asked.seconds) for _ in range(asked.rounds)
            ]
            what = "" if times == 1 else f", slowed {times} times"
            ours, theirs = (statistics.median(r[k] for r in rounds) for k in (0, 1))
            ratio = statistics.median(r[0] / r[1] for r in rounds)
            updates = statistics.median(r[2] for r in rounds)
            row(f"frames a second{what}", ours, theirs, ratio, wanted, ratio >= wanted)
            if times == 1:
                share = updates / UPDATES
                row("updates a second", updates, UPDATES, share, 1.0, share >= 1)
            else:
                print(f"| updates a second{what} | {updates:.0f} | | | | |")
            if all(r[4] for r in rounds):
                each = statistics.median(r[2] / r[4] for r in rounds)
                core = statistics.median(r[4] for r in rounds)
                words = f"updates in a second of the processor{what}"
                print(f"| {words} | {each:.0f} | | | | it had {core:.2f} of a core |")
            gap = max(r[3] for r in rounds)
            print(f"| longest gap between frames{what} | {gap:.0f} ms | | | | |")
    print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
