"""The Learning-rate lab: lanes in lock-step, verdicts in time, an address that restores it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAB = "/lab/learning-rate"


@pytest.fixture
def still(new_page: NewPage) -> Page:
    """With reduced motion the run is shown whole at once."""
    page: Page = new_page(reduced_motion="reduce")
    page.goto(LAB)
    page.wait_for_selector(".lane-verdict.right")
    return page


def verdicts(page: Page) -> list[str]:
    classes = "(all) => all.map((one) => one.className.split(' ').at(-1))"
    return list(page.eval_on_selector_all(".lane-verdict", classes))


def test_on_the_bowl_each_rate_has_its_verdict(still: Page) -> None:
    assert verdicts(still) == ["crawls", "right", "oscillates", "oscillates", "diverges"]
    assert "thrown out" in (still.locator(".bowl-gone").last.text_content() or "")


def test_no_verdict_before_its_time(still: Page) -> None:
    still.keyboard.press("Home")
    assert verdicts(still) == [""] * 5
    for _ in range(3):
        still.keyboard.press("ArrowRight")
    assert still.inner_text(".lab-clock") == "iteration 3 of 40"
    assert verdicts(still)[-1] == "diverges"


def test_lanes_move_in_lock_step_until_they_are_halted(page: Page) -> None:
    page.goto(LAB)
    page.wait_for_selector(".lab-play[aria-label=Pause]")
    page.wait_for_function("() => Number(document.querySelector('.lab-scrub').value) > 1")
    page.click(".lab-play")
    before = page.inner_text(".lab-clock")
    page.wait_for_timeout(900)
    assert page.inner_text(".lab-clock") == before


def test_a_lane_is_changed_added_and_removed_and_the_address_knows(still: Page) -> None:
    still.fill(".lane-rate >> nth=0", "0.4")
    still.press(".lane-rate >> nth=0", "Enter")
    still.wait_for_selector(".lane >> nth=0 >> .lane-verdict.right")
    still.click("text=Add a lane")
    assert still.locator(".lane").count() == 6
    still.click(".lane-drop >> nth=1")
    assert still.locator(".lane").count() == 5
    assert "rates=0.4,0.9,1,1.1," in still.url
    still.reload()
    still.wait_for_selector(".lane-verdict.right")
    assert still.locator(".lane-rate").first.input_value() == "0.4"


def test_a_rate_that_is_none_is_refused_in_words(still: Page) -> None:
    still.fill(".lane-rate >> nth=0", "fast")
    still.press(".lane-rate >> nth=0", "Enter")
    assert "not a learning rate" in still.inner_text(".lab .complaint")


def test_another_network_runs_in_the_same_lanes(still: Page) -> None:
    still.select_option("#lab-lesson", "weight-sigmoid-loss")
    still.wait_for_selector(".lane-aside:visible")
    still.wait_for_selector(".lane-verdict b")
    assert "lesson=weight-sigmoid-loss" in still.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_the_lab_fits_and_hides_nothing(
    new_page: NewPage, axe: Callable[[Page], list[str]], size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    page = new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto(LAB)
    page.wait_for_selector(".lane-verdict.right")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert axe(page) == []
