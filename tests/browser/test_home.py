"""Home: alive when it opens, one button to take over, the lessons, one's own formula."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage, Watch
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

WHERE = ".hero-where"


def where(page: Page) -> str:
    page.wait_for_selector(WHERE)
    return page.inner_text(WHERE)


def test_the_neuron_walks_by_itself_and_can_be_halted(page: Page) -> None:
    page.goto("/")
    first = where(page)
    page.wait_for_function(
        "(first) => document.querySelector('.hero-where').innerText !== first", arg=first
    )
    page.click(".hero-pause")
    halted = where(page)
    page.wait_for_timeout(3500)
    assert where(page) == halted


def test_with_reduced_motion_the_picture_is_a_still_from_mid_walk(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    first = where(page)
    assert "backward" in first
    page.wait_for_timeout(3500)
    assert where(page) == first


def test_taking_over_goes_on_at_the_step_that_is_shown(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/")
    step = re.search(r"step (\d+)", where(page))
    assert step
    page.click(".hero-take")
    page.wait_for_selector("main[data-ready]")
    assert page.inner_text(".step-count").startswith(step[1])


def test_every_lesson_is_on_the_shelf_with_a_picture(page: Page, server: Server) -> None:
    with server.client() as client:
        lessons = client.get("/api/lessons").json()["lessons"]
    page.goto("/")
    page.wait_for_selector(".card")
    assert page.locator(".card").count() == len(lessons)
    assert page.locator(".card .mini").count() == len(lessons)


def test_a_formula_of_ones_own_becomes_a_walk(page: Page) -> None:
    page.goto("/")
    page.fill("#own-program", "u = p*q\nL = u*u")
    assert page.locator(".own-values input").count() == 2
    page.fill(".own-values input[name=p]", "0.5")
    page.click(".own-go button[type=submit]")
    page.wait_for_selector("main[data-ready]")
    assert page.locator("button.node[data-node=u]").count() == 1


def test_a_mistake_is_shown_where_it_is(page: Page, watch: Watch) -> None:
    watch.expect("422")
    page.goto("/")
    page.fill("#own-program", "u = p*q\nL = u* + (")
    page.click(".own-go button[type=submit]")
    page.wait_for_selector(".own-wrong p")
    assert "line 2" in page.inner_text(".own-wrong")
    assert page.evaluate("document.getElementById('own-program').selectionStart") > 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_home_fits_and_hides_nothing(
    new_page: NewPage, axe: Callable[[Page], list[str]], size: tuple[int, int], scheme: str
) -> None:
    width, height = size
    page = new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto("/")
    where(page)
    page.wait_for_selector(".card")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    take = page.locator(".hero-take").bounding_box()
    assert take and take["y"] + take["height"] <= height
    assert axe(page) == []
