"""The playground: training that is watched, changed while it runs, frozen and walked through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import NewPage
from tests.browser.walking import Walk, read, same
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

# How many of the output's pixels are nearer to the second class, of a canvas as it is shown.
SECOND = """() => {
  const map = document.querySelector(".plane-map"); // drawn by a thread of its own
  const copy = new OffscreenCanvas(100, 100).getContext("2d");
  copy.drawImage(map, 0, 0, 100, 100);
  const { data } = copy.getImageData(0, 0, 100, 100);
  let second = 0;
  for (let i = 0; i < data.length; i += 4) second += data[i + 2] > data[i] ? 1 : 0;
  return second / (data.length / 4);
}"""


def opened(page: Page, address: str = "/playground") -> Page:
    page.goto(address)
    page.wait_for_selector("main[data-ready]")
    page.wait_for_function("() => document.querySelector('#play-train').textContent !== '–'")
    return page


def until(page: Page, updates: int) -> None:
    """So many updates have been made."""
    count = "document.querySelector('#play-iteration').textContent.replace(/\\D/g, '')"
    page.wait_for_function(f"(n) => Number({count}) > n", arg=updates)


def shown(page: Page, name: str) -> str:
    return page.inner_text(f"#play-{name}")


def session_of(page: Page) -> str:
    """The id of the session that this page watches."""
    found = page.evaluate(
        "() => performance.getEntriesByType('resource').map((it) => it.name)"
        ".filter((name) => name.endsWith('/live')).at(-1)"
    )
    return str(found).split("/")[-2]


def test_the_network_learns_before_ones_eyes(new_page: NewPage, axe: Callable[[Any], Any]) -> None:
    page = opened(new_page())
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    first, before = read(shown(page, "train")), page.evaluate(SECOND)
    assert axe(page) == []
    page.keyboard.press("Space")
    until(page, 3000)
    page.get_by_role("slider", name="Learning rate, on a scale").fill("-1.5")
    at = int(shown(page, "iteration").replace("\u202f", ""))
    until(page, at + 3000)  # on, not from the start
    page.keyboard.press("Space")
    page.wait_for_selector("body[data-playing=false]")
    assert read(shown(page, "train")) < first / 2
    assert read(shown(page, "accuracy").split()[0]) > 85
    assert abs(page.evaluate(SECOND) - before) > 0.1  # the boundary has moved
    assert page.evaluate("() => document.querySelector('#play-lr').value") == "0.032"


def test_a_frozen_update_is_the_one_that_is_walked_through(
    new_page: NewPage, server: Server
) -> None:
    page = opened(new_page(reduced_motion="reduce"))
    page.get_by_role("button", name="Train").click()
    until(page, 300)
    page.get_by_role("button", name="Freeze here").click()
    walk = Walk(page).ready()
    iteration, step = walk.at
    assert iteration > 300 and step == 0
    with server.client() as client:
        path = f"/api/sessions/{page.url.split('/')[-1].split('#')[0]}"
        frozen = client.get(f"{path}/play").json()
    assert frozen["position"]["iteration"] == iteration
    walk.press("ArrowDown", 4).wait_at(iteration, 8)
    assert same(page.inner_text(".chart-now"), frozen["batch_loss"])
