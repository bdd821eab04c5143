"""The walk page beside a blank one: bytes and time until the first step can be pressed, and frames
while it plays.

    python -m tests.benchmark.page [--rounds 10] [--chromium /usr/bin/chromium]

Both pages are opened in turns in fresh contexts of one browser, each first every other time, the
blank one (a button, nothing else) from a bare server. Time runs from the start of the navigation
until the button is there and the plan is known; bytes are those on the wire, headers included. On
more visits the button is pressed at that very moment: the step has to be seen on the stage, and
the time until it is, is told.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.benchmark.beside import arguments, beside

LESSON = "network-2-3-1"
KILOBYTES, TIMES, FRAMES = 80.0, 2.0, 0.97
SECONDS_OF_PLAY = 4

READY = """
window.whenReady = new Promise((ready) => {
  const look = () => {
    const button = [...document.querySelectorAll("button")].find(
      (b) => (b.getAttribute("aria-label") || b.textContent) === "Next step" && !b.disabled);
    const count = document.querySelector(".counter-step .counter-value");
    if (!button || (count && !/\\/ [1-9]/.test(count.textContent))) return;
    ready(performance.now());
    watcher.disconnect();
  };
  const watcher = new MutationObserver(look);
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  watcher.observe(document, all);
});
"""
PRESS = """
whenReady.then(() => [...document.querySelectorAll("button")].find(
  (b) => b.getAttribute("aria-label") === "Next step").click());
window.whenSeen = new Promise((seen) => {
  const look = () => {
    const count = document.querySelector(".counter-step .counter-value")?.textContent;
    const input = document.querySelector('.node[data-kind="input"] .role-value:not(.is-empty)');
    if (!count?.startsWith("1 /") || !input?.checkVisibility()) requestAnimationFrame(look);
    else setTimeout(() => seen(performance.now()));
  };
  requestAnimationFrame(look);
});
"""
COUNT = """(seconds) => new Promise((done) => {
  let frames = 0, first;
  const tick = (now) => {
    first ??= now;
    if (now - first >= seconds * 1000) return done(frames / ((now - first) / 1000));
    frames += 1;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""


@dataclass
class Visit:
    """What came over the wire, in order of arrival: URL, bytes, and seconds."""

    page: Page
    loaded: list[tuple[str, float, float]] = field(default_factory=list)
    ready: float = 0.0
    started: float = 0.0

    def until_ready(self) -> float:
        return sum(size for _, size, when in self.loaded if when <= self.started + self.ready)


def visit(browser: Browser, url: str, script: str = READY) -> Visit:
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(script)
    found = Visit(context.new_page())
    wire, names = context.new_cdp_session(found.page), {}

    def sent(event: dict[str, Any]) -> None:
        names[event["requestId"]] = event["request"]["url"]
        found.started = found.started or event["timestamp"]

    def finished(event: dict[str, Any]) -> None:
        row = (names.get(event["requestId"], "?"), event["encodedDataLength"], event["timestamp"])
        found.loaded.append(row)

    wire.on("Network.requestWillBeSent", sent)
    wire.on("Network.loadingFinished", finished)
    wire.send("Network.enable")
    found.page.goto(url)
    found.ready = found.page.evaluate("window.whenReady") / 1000
    found.page.wait_for_load_state("networkidle")
    return found


def frames(page: Page) -> float:
    rate: float = page.evaluate(COUNT, SECONDS_OF_PLAY)
    return rate


def walk_works(page: Page) -> None:
    """The button does step: otherwise the time until it can be pressed says nothing."""
    count = page.locator(".counter-step .counter-value")
    before = count.inner_text()
    page.get_by_role("button", name="Next step", exact=True).click()
    expect(count).not_to_have_text(before)


def seen_after(browser: Browser, walk: str) -> float:
    """Until a step is seen that was pressed as soon as it could be."""
    pressed = visit(browser, walk, READY + PRESS)
    seconds: float = pressed.page.evaluate("window.whenSeen") / 1000
    pressed.page.context.close()
    return seconds


def compare(browser: Browser, walk: str, blank: str, rounds: int) -> None:
    times, rates, sizes, charts, seen = [], [], [], [], []
    for number in range(rounds + 1):
        if number % 2:
            ours, theirs = visit(browser, walk), visit(browser, blank)
        else:
            theirs, ours = visit(browser, blank), visit(browser, walk)
        if number:  # the first visits warm both servers up
            times.append((ours.ready, theirs.ready))
            sizes.append(ours.until_ready())
        early = [u for u, _, when in ours.loaded if when <= ours.started + ours.ready]
        charts += [u for u in early if "plotly.min" in u]
        if number in (1, 2, 3):
            walk_works(ours.page)
            ours.page.locator("button.play").click()
            rate = frames(ours.page)
            rates.append((rate, frames(theirs.page)))
            seen.append(seen_after(browser, walk))
        last = ours
        ours.page.context.close()
        theirs.page.context.close()
    kilobytes = statistics.median(sizes) / 1000
    a, b = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
    least, least_blank = (min(column) * 1000 for column in zip(*times, strict=True))
    slower = statistics.median(x / y for x, y in times)
    p, q = (statistics.median(column) for column in zip(*rates, strict=True))
    smooth = statistics.median(x / y for x, y in rates)
    print("| | walk page | blank page | ratio | target | |\n|---|---:|---:|---:|---:|---|")
    row("kB until ready", kilobytes, 0, kilobytes, KILOBYTES, kilobytes <= KILOBYTES)
    row("ms until ready", a, b, slower, TIMES, slower <= TIMES)
    print(
        f"| the fastest visits | {least:.1f} | {least_blank:.1f} | {least / least_blank:.2f} | | |"
    )
    print(
        f"| ms until a step pressed then is seen | {statistics.median(seen) * 1000:.1f} | | | | |"
    )
    row("frames a second", p, q, smooth, FRAMES, smooth >= FRAMES)
    print(f"chart library before a chart is seen: {'yes: ' + charts[0] if charts else 'no'}")
    print("\nheaviest until then:")
    early_rows = [r for r in last.loaded if r[2] <= last.started + last.ready]
    for url, size, when in sorted(early_rows, key=lambda r: -r[1])[:12]:
        print(f"  {size / 1000:6.1f} kB at {(when - last.started) * 1000:4.0f} ms  {url}")
    print(f"  {len(early_rows)} requests")


def row(name: str, ours: float, blank: float, ratio: float, target: float, met: bool) -> None:
    said = "met" if met else "missed"
    print(f"| {name} | {ours:.1f} | {blank:.1f} | {ratio:.2f} | {target} | {said} |")


def main() -> None:
    asked = arguments(__doc__, 10).parse_args()
    with beside(asked.chromium) as pages:
        walk = f"{pages.server.url}/walk/{LESSON}"
        compare(pages.browser, walk, pages.blank, asked.rounds)


if __name__ == "__main__":
    main()
