"""The Learning-rate lab: lanes, verdicts in their time, the bowl, all by hand and by key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.browser.conftest import NewPage
from tests.browser.walking import same
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def run_over(page: Page) -> None:
    """The race is loaded, and shown at its end."""
    page.wait_for_function("() => !document.querySelector('#lab').hasAttribute('aria-busy')")
    page.wait_for_selector(".race .lane-line", state="attached")


def test_the_lanes_of_the_bowl_say_what_became_of_them(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/lab/learning-rate")
    run_over(page)
    lanes = page.locator(".lane")
    assert 3 <= lanes.count() <= 6
    rates = [
        float(r)
        for r in page.locator(".lane-rate").evaluate_all("(all) => all.map((it) => it.value)")
    ]
    with server.client() as client:
        spec = {"program": "L = x**2", "values": {"x": 3}}
        asked = {"spec": spec, "lanes": [{"lr": rate} for rate in rates], "iterations": 40}
        true = client.post("/api/sweeps", json=asked).json()["lanes"]
    verdicts = page.locator(".lane-verdict")
    kinds = []
    for nth, lane in enumerate(true):
        kind = lane["verdict"]["kind"]
        kinds.append(kind)
        assert kind in (verdicts.nth(nth).get_attribute("class") or "")
        assert lane["verdict"]["says"] in verdicts.nth(nth).inner_text()
        shown = re.search(r"loss (\S+)", page.locator(".lane-numbers").nth(nth).inner_text())
        assert shown is not None and same(shown[1], lane["loss"][40])
    # by theory: x ← (1 − 2η)·x
    assert kinds == ["crawls", "right", "oscillates", "oscillates", "diverges"]
    assert page.locator(".bowl").count() == len(rates)
    assert "thrown out at step" in page.locator(".bowl").last.text_content()
    assert page.locator(".race .lane-line").count() == len(rates)


def test_lanes_run_in_lock_step_and_keys_scrub(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/lab/learning-rate?rates=0.1,0.5,1&iterations=40")
    run_over(page)
    page.wait_for_function("() => Number(document.querySelector('.lab-scrub').value) > 2")  # plays
    page.keyboard.press("Home")
    assert "0 of 40" in page.inner_text(".lab-clock")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "3 of 40" in page.inner_text(".lab-clock")
    # η = 0.5 lands in one step, η = 1 jumps from 3 to −3 for ever
    numbers = page.locator(".lane-numbers")
    assert numbers.nth(0).inner_text().split()[1] == "1.54"
    assert numbers.nth(1).inner_text().split()[1] == "0"
    assert numbers.nth(2).inner_text().split()[1] == "−3"
    assert page.locator(".lane-verdict").all_inner_texts() == ["…"] * 3  # not before its time
    page.keyboard.press("End")
    assert "40 of 40" in page.inner_text(".lab-clock")
    assert "…" not in page.locator(".lane-verdict").all_inner_texts()


def test_a_lane_is_added_changed_and_taken_away(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/lab/learning-rate?rates=0.1,0.5,1")
    run_over(page)
    page.get_by_role("button", name="Add a lane").click()
    page.wait_for_function("() => document.querySelectorAll('.lane').length === 4")
    field = page.get_by_label("Learning rate of lane 4")
    field.fill("-1")
    field.press("Enter")
    assert "not a learning rate" in page.get_by_role("alert").inner_text()
    field.fill("2")
    field.press("Enter")
    page.wait_for_function("() => location.search.includes('rates=0.1,0.5,1,2')")
    run_over(page)
    page.locator(".lane-verdict.diverges").wait_for()
    page.get_by_role("button", name="Remove the lane with rate 0.1").click()
    page.wait_for_function("() => location.search.includes('rates=0.5,1,2')")
    run_over(page)
    page.reload()  # the address says it all
    run_over(page)
    values = "(all) => all.map((it) => it.value)"
    assert page.locator(".lane-rate").evaluate_all(values) == ["0.5", "1", "2"]


def test_a_network_in_the_lanes_keeps_the_bowl_beside_it(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/lab/learning-rate?rates=0.1,1,10")
    run_over(page)
    with page.expect_response(lambda answer: answer.url.endswith("/api/sweeps")):
        page.get_by_label("Network").select_option("network-2-3-1")
    run_over(page)
    page.wait_for_function(
        "() => document.querySelector('.lab-clock').innerText.includes('40 of 40')"
    )
    rates = page.locator(".lane-rate").evaluate_all("(all) => all.map((it) => Number(it.value))")
    with server.client() as client:
        asked = {"lesson": "network-2-3-1", "lanes": [{"lr": r} for r in rates], "iterations": 40}
        true = client.post("/api/sweeps", json=asked).json()["lanes"]
    for nth, lane in enumerate(true):
        shown = re.search(r"loss (\S+)", page.locator(".lane-numbers").nth(nth).inner_text())
        assert shown is not None and same(shown[1], lane["loss"][40])
    assert page.get_by_text("the same rate in the bowl x²").first.is_visible()
