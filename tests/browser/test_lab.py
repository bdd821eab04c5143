"""The lab: lanes, verdicts in their time, their ways over the loss, links and files; by hand and by
key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import NewPage
from tests.browser.walking import same
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAB = "/lab/learning-rate"
VALUES = "(all) => all.map((it) => it.value)"


def run_over(page: Page) -> None:
    """The lanes are trained, and their pictures stand."""
    page.wait_for_function("() => !document.querySelector('#lab').hasAttribute('aria-busy')")
    page.wait_for_selector(".lab-race .lane-line", state="attached")


def losses(page: Page) -> list[str]:
    told = page.locator(".lane-numbers").all_inner_texts()
    return [found[1] for text in told if (found := re.search(r"loss\s(\S+)", text))]


def sweep(server: Server, body: dict[str, Any]) -> list[dict[str, Any]]:
    with server.client() as client:
        lanes: list[dict[str, Any]] = client.post("/api/sweeps", json=body).json()["lanes"]
        return lanes


def test_the_lanes_of_the_bowl_say_what_became_of_them(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(LAB)
    run_over(page)
    rates = [float(r) for r in page.locator(".lane-rate").evaluate_all(VALUES)]
    spec = {"program": "L = x**2", "values": {"x": 3}}
    true = sweep(server, {"spec": spec, "lanes": [{"lr": r} for r in rates], "iterations": 40})
    verdicts = page.locator(".lane-verdict")
    for nth, (lane, shown) in enumerate(zip(true, losses(page), strict=True)):
        assert lane["verdict"]["kind"] in (verdicts.nth(nth).get_attribute("class") or "")
        assert lane["verdict"]["says"] in verdicts.nth(nth).inner_text()
        assert same(shown, lane["loss"][40])
    # by theory: x ← (1 − 2η)·x
    kinds = [lane["verdict"]["kind"] for lane in true]
    assert kinds == ["crawls", "right", "oscillates", "oscillates", "diverges"]
    assert page.locator(".terrain .terrain-ball").count() == len(rates) - 1
    assert "thrown out at step" in (page.text_content(".terrain-out") or "")
    assert page.locator(".lab-race .lane-line").count() == len(rates)
    box = page.locator(".lab").bounding_box()
    assert box and box["width"] > 0.95 * page.evaluate("innerWidth"), "the window is used"


def test_lanes_run_in_lock_step_and_keys_scrub(new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{LAB}?on=bowl&rates=0.1,0.5,1&iterations=40")
    run_over(page)
    page.wait_for_function("() => Number(document.querySelector('.lab-scrub').value) > 2")  # plays
    page.keyboard.press("Home")
    assert "0 of 40" in page.inner_text(".lab-clock")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "3 of 40" in page.inner_text(".lab-clock")
    # η = 0.5 lands in one step, η = 1 jumps from 3 to −3 for ever
    xs = [text.split()[1] for text in page.locator(".lane-numbers").all_inner_texts()]
    assert xs == ["1.54", "0", "−3"]
    verdicts = page.locator(".lane-verdict")
    assert [verdicts.nth(i).inner_text() for i in (0, 2)] == ["…"] * 2  # not before its time
    assert "by iteration 1;" in verdicts.nth(1).inner_text()
    page.keyboard.press("End")
    assert "40 of 40" in page.inner_text(".lab-clock")
    assert "…" not in verdicts.all_inner_texts()


def test_a_lane_is_added_changed_and_taken_away(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(f"{LAB}?rates=0.1,0.5,1")
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
    page.get_by_role("button", name="Remove lane 1: 0.1").click()
    page.wait_for_function("() => location.search.includes('rates=0.5,1,2')")
    # everything about a lane, from the catalogue
    page.get_by_role("button", name="Change lane 3: 2").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("optimizer", exact=True).select_option("adam")
    dialog.get_by_label("optimizer: betas").fill("0.5, 0.9")
    dialog.get_by_role("button", name="Train this lane").click()
    page.wait_for_function("() => location.search.includes('adam(betas:0.5|0.9)')")
    run_over(page)
    page.reload()  # the address says it all
    run_over(page)
    assert page.locator(".lane-rate").evaluate_all(VALUES) == ["0.5", "1", "2"]
    assert page.locator(".lane-choice").last.input_value() == "adam"
    assert page.locator(".lab-race .lane-label").last.text_content() == "Adam"


def test_optimizers_go_their_ways_and_one_is_walked(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(LAB)
    run_over(page)
    page.get_by_role("button", name="Optimizers in a ravine").click()
    page.wait_for_selector(".terrain-level", state="attached")
    run_over(page)
    assert page.locator(".terrain-path").count() == 7
    assert page.locator(".terrain-level").count() >= 10
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    shown = losses(page)[5]
    with page.expect_download() as saved:
        page.get_by_label("Download the losses").click()
        page.get_by_role("button", name="JSON").click()
    columns = json.loads(Path(saved.value.path()).read_text("utf-8"))
    assert len(columns["Adam"]) == 61 and same(shown, columns["Adam"][5])
    with page.expect_download() as saved:
        page.get_by_label("Download the second picture").click()
        page.get_by_role("button", name="SVG").click()
    drawn = Path(saved.value.path()).read_text("utf-8")
    assert 'stroke="rgb(' in drawn and "var(" not in drawn
    page.get_by_role("link", name="Walk lane 6, Adam, from iteration 5").click()
    page.wait_for_url("**/walk**")
    page.locator(".chart-now").wait_for()
    page.wait_for_function("() => document.querySelector('.chart-now').textContent !== ''")
    assert "at=5.0" in page.url
    page.keyboard.press("Shift+ArrowRight")  # the loss of iteration 5 stands at its end
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => document.querySelector('.chart-now').textContent === '{shown}'")


def test_batches_are_counted_in_updates_and_in_samples(new_page: NewPage, server: Server) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto(f"{LAB}?preset=batches")
    run_over(page)
    assert page.locator(".lab-second .lines-axis").first.text_content() == "samples"
    label = "(it) => it.getAttribute('aria-label')"
    assert "batch 20" in page.locator(".lab-second svg.lines").evaluate(label)
    page.get_by_role("button", name="Gradient noise").click()
    page.wait_for_selector(".noise-part", state="attached")
    assert page.locator(".noise .lane-2 .noise-part").count() == 12  # single samples
    page.get_by_label("Train", exact=True).select_option("lesson/network-2-3-1")
    page.wait_for_function("() => location.search.includes('lesson=network-2-3-1')")
    run_over(page)
    page.wait_for_selector(".lab-second .terrain")  # of thirteen numbers: on one plane for all
    balls = page.locator(".terrain-ball").count() + page.locator(".terrain-out").count()
    assert balls == page.locator(".lab-lanes > li").count()
