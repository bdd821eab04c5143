"""Makes the picture of the README: a real walk, in a real browser, at the step where the sigmoid
passes the gradient on.

    python -m tests.picture
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.browser.conftest import FLAGS, NAMES
from tests.serving import ROOT, Server

PICTURE = ROOT / "static" / "img" / "walk.png"
SIZE = {"width": 1280, "height": 720}
LESSON, STEP = "weight-sigmoid-loss", "∂z ← ∂a"
MOST = 150_000


def take(server: Server, path: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce", color_scheme="light")
        page.goto(f"{server.url}/walk/{LESSON}")
        page.wait_for_selector("main[data-ready]")
        page.get_by_role("button", name="Train 10 iterations").click()
        page.wait_for_selector(".chart-line")
        slider = page.get_by_role("slider", name="Loss by iteration: go to an iteration")
        slider.focus()
        for key in ("Home", "ArrowRight", "ArrowRight"):
            page.keyboard.press(key)
            page.wait_for_load_state("networkidle")
        page.get_by_role("button", name=STEP, exact=True).click()
        page.wait_for_selector(".packet")
        page.mouse.move(640, 600)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        page.screenshot(path=path)
        browser.close()


def main() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder)).start()
        try:
            take(server, PICTURE)
        finally:
            server.kill()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size:,} bytes")
    if size > MOST:
        raise SystemExit(f"more than {MOST:,} bytes")


if __name__ == "__main__":
    main()
