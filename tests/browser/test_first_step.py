"""The first step waits for nothing but the page itself, and nothing of it is lost afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage, Watch

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

COUNT = ".counter-step .counter-value"
SHOWS = "([where, text]) => document.querySelector(where)?.textContent.includes(text)"


def waits(page: Page, where: str, text: str) -> None:
    page.wait_for_function(SHOWS, arg=[where, text])


def test_steps_are_taken_before_the_session_is_there(page: Page) -> None:
    held: list[Route] = []
    sought: list[Request] = []
    page.route("**/api/sessions", lambda route: held.append(route))
    page.on("request", lambda it: sought.append(it) if it.url.endswith("/seek") else None)
    page.goto("/walk/network-2-3-1")
    page.wait_for_selector("main[data-ready]")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    waits(page, COUNT, "3 / 16")
    page.wait_for_timeout(400)
    assert len(held) == 1 and not sought
    with page.expect_response(lambda it: it.url.endswith("/seek")) as heard:
        held[0].continue_()
    assert heard.value.ok
    assert json.loads(heard.value.request.post_data or "") == {"iteration": 0, "step": 3}
    assert page.inner_text(COUNT) == "3 / 16"


def test_a_link_into_the_first_iteration_opens_there(page: Page) -> None:
    page.goto("/walk/network-2-3-1#at=0.5")
    waits(page, COUNT, "5 / 16")
    page.wait_for_selector("main[data-ready]")
    with page.expect_response(lambda it: it.url.endswith("/seek")) as heard:
        page.keyboard.press("ArrowLeft")
    assert heard.value.ok
    waits(page, COUNT, "4 / 16")


def test_no_session_is_said_and_the_next_call_tries_again(page: Page, watch: Watch) -> None:
    watch.expect("503")
    full = {"error": {"code": "full", "message": "no room for now", "where": None}}
    page.route("**/api/sessions", lambda route: route.fulfill(status=503, json=full))
    page.goto("/walk/neuron")
    waits(page, ".stage-complaint", "no room for now")
    page.keyboard.press("ArrowRight")
    waits(page, COUNT, "1 / 10")
    page.unroute("**/api/sessions")
    with page.expect_response(lambda it: it.url.endswith("/seek")) as heard:
        page.keyboard.press("ArrowRight")
    assert heard.value.ok
    waits(page, COUNT, "2 / 10")


def test_panels_that_do_not_arrive_leave_the_stage_to_be_used(page: Page, watch: Watch) -> None:
    watch.expect("ERR_FAILED")
    page.route("**/bundle/main.late.js*", lambda route: route.abort())
    page.goto("/walk/neuron")
    waits(page, ".stage-complaint", "did not arrive")
    page.get_by_role("button", name="Next step", exact=True).click()
    waits(page, COUNT, "1 / 10")


SHIFTS = """
window.moved = [];
new PerformanceObserver((list) => moved.push(...list.getEntries()))
  .observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize(
    ("width", "height", "query"),
    [(1280, 720, ""), (390, 844, ""), (1280, 720, "?projection")],
    ids=["desk", "phone", "hall"],
)
def test_nothing_jumps_when_the_rest_comes(
    new_page: NewPage, width: int, height: int, query: str
) -> None:
    page = new_page(viewport={"width": width, "height": height})
    page.add_init_script(SHIFTS)
    page.goto(f"/walk/network-2-3-1{query}")
    page.wait_for_selector("main[data-ready]")
    page.wait_for_timeout(200)
    jumps = page.evaluate("moved.reduce((sum, { value }) => sum + value, 0)")
    assert jumps < 0.02


def test_a_chosen_theme_is_there_on_the_next_page(page: Page) -> None:
    page.goto("/walk/neuron")
    page.wait_for_selector("main[data-ready]")
    page.click('[data-do="theme"]')
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto("/", wait_until="commit")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
