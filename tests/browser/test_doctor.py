"""The doctor on the walk page: a count on its button, findings that lead to their step, cures as
second lanes, and a healthy run that is said to be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, read, same
from tests.lab.test_doctor import SICK
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_finding_leads_to_its_step_and_its_cure_is_a_lane_that_can_be_walked(
    new_page: NewPage, server: Server, axe: Callable[[Page], list[str]]
) -> None:
    page = new_page(reduced_motion="reduce")
    with Truth(server, spec=SICK["vanishing"][0]) as truth:
        walk = Walk(page).open(f"/walk/session/{truth.session['id']}")
        page.get_by_role("button", name="Train 10 iterations").click()
        button = page.get_by_role("button", name="Doctor: 1 finding")
        button.click()
        found = page.locator(".doctor-finding")
        true = truth.client.get(f"{truth.path}/doctor?iteration=10").json()["findings"]
        assert found.count() == len(true) == 1
        for words in (true[0]["says"], true[0]["compared"], true[0]["source"]):
            assert words in found.inner_text()
        place = true[0]["place"]
        page.get_by_role("button", name="Look there").click()
        walk.wait_at(place["iteration"], place["step"] + 1)
        found.get_by_role("button", name="batch norm").click()
        page.wait_for_selector(".doctor-lane.is-cured path")
        body = {"check": "vanishing", "cure": "batch_norm", "iteration": 10}
        told = truth.client.post(f"{truth.path}/doctor", json=body).json()
        assert told["says"] in found.inner_text()
        page.wait_for_timeout(200)
        assert axe(page) == []
        page.locator(".doctor-row a").click()
        page.wait_for_url("**/walk#**")
        Walk(page).ready()
        page.wait_for_function("() => document.title.startsWith('Walk, batch norm')")
        assert page.locator('.node[data-node="0.weight"]').count() == 1
        loss = told["lanes"][1]["loss"][walk.at[0]]
        walk.press("End").wait_until("step > 60")
        assert walk.loss() == read(f"{loss:.3g}")


def test_ten_sigmoid_layers_are_a_staircase_that_leads_to_its_steps(
    new_page: NewPage, server: Server, axe: Callable[[Page], list[str]]
) -> None:
    page = new_page(reduced_motion="reduce", color_scheme="dark")
    with Truth(server, spec=SICK["vanishing"][0]) as truth:
        truth.client.post(f"{truth.path}/train", json={"iterations": 20})
        walk = Walk(page).open(f"/walk/session/{truth.session['id']}")
        page.get_by_role("tab", name="Health").click()
        page.wait_for_selector(".health-bar")
        told = truth.client.get(f"{truth.path}/vitals?looks=21").json()
        height = "(all) => all.map((bar) => bar.height.baseVal.value)"
        heights = page.locator(".health-bar").evaluate_all(height)
        assert len(heights) == len(told["layers"]) == 11 and heights == sorted(heights)
        assert page.locator(".health-map").count() == 22
        first = told["layers"][0]["looks"][-1]
        says = page.locator(".health-rung").first.get_attribute("aria-label") or ""
        assert same(says.partition("gradient ")[2].removesuffix(". Walk there"), first["delta"])
        page.wait_for_timeout(200)
        assert axe(page) == []
        page.locator(".health-rung").first.press("Enter")
        walk.wait_at(20, first["step"] + 1)


def test_a_healthy_run_says_so_and_the_first_load_brings_no_doctor(new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    Walk(page).open("/walk/network-2-3-1")
    page.wait_for_timeout(300)
    assert not [url for url in asked if "doctor" in url]
    page.get_by_role("button", name="Train 10 iterations").click()
    page.get_by_role("button", name="Doctor: nothing found").click()
    panel = page.locator(".panel-doctor")
    panel.get_by_text("All 13 checks are passed.").wait_for()
    page.get_by_role("button", name="Close the doctor").click()
    assert panel.count() == 0
    assert page.evaluate("() => document.activeElement.dataset.do") == "doctor"
