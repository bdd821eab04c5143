"""Every page in every dress: light and dark, projection, a phone. Nothing bars anyone, nothing
runs over the edge, and what a thumb needs is in its reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Walk

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}
Axe = Callable[["Page"], list[str]]


def home(page: Page) -> None:
    page.goto("/")
    page.wait_for_selector(".card")
    page.wait_for_selector(".hero-says")


def lab(page: Page) -> None:
    page.goto("/lab/learning-rate")
    page.wait_for_selector(".lab-race .lane-line")
    page.wait_for_function("() => !document.querySelector('#lab').hasAttribute('aria-busy')")


def walk_at_start(page: Page) -> None:
    Walk(page).open("network-2-3-1")


def walk_backward(page: Page) -> None:
    Walk(page).open("/walk/network-2-3-1#at=0.10")


def walk_node(page: Page) -> None:
    walk = Walk(page).open("/walk/weight-sigmoid-loss#at=0.12")
    walk.node("w").click()
    page.locator(".editor input").wait_for()


def walk_edited(page: Page) -> None:
    Walk(page).open("/walk/weight-sigmoid-loss#at=0.8").edit("w", "0.9")


def walk_neurons(page: Page) -> None:
    Walk(page).open("/walk/network-2-3-1#at=0.12")
    page.get_by_role("tab", name="Neurons").click()
    page.locator(".neuron").first.wait_for()


def walk_trained(page: Page) -> None:
    walk = Walk(page).open("gradient-descent")
    page.get_by_role("button", name="Train 100 iterations").first.click()
    walk.wait_at(100, 0)
    page.wait_for_selector(".chart-line")


def walk_help(page: Page) -> None:
    Walk(page).open("neuron").press("?")
    page.get_by_role("dialog").wait_for()


def walk_check(page: Page) -> None:
    Walk(page).open("neuron")
    page.get_by_role("button", name="Check the gradients").click()
    page.locator(".check-table tbody tr").first.wait_for()


def projected(page: Page) -> None:
    Walk(page).open("/walk/weight-sigmoid-loss?projection#at=0.9")


def not_there(page: Page) -> None:
    page.goto("/walk/no-such-lesson")


SCENES = [
    home, lab, walk_at_start, walk_backward, walk_node, walk_edited, walk_neurons, walk_trained,
    walk_help, walk_check, projected,
]  # fmt: skip
DRESSES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True, "device_scale_factor": 2},
}


@pytest.mark.parametrize("dress", DRESSES)
def test_nothing_serious_bars_anyone(new_page: NewPage, axe: Axe, dress: str) -> None:
    faults = []
    for scene in SCENES if dress == "light" else SCENES[dress == "phone" :: 2]:
        page = new_page(reduced_motion="reduce", **DRESSES[dress])
        scene(page)
        faults += [f"{scene.__name__}: {fault}" for fault in axe(page)]
        page.close()
    assert not faults, "\n".join(faults)


def test_the_page_that_is_not_there_says_so(new_page: NewPage, axe: Axe, watch: Watch) -> None:
    watch.expect("status of 404")
    page = new_page()
    not_there(page)
    assert "there is no lesson of this name" in page.inner_text("main")
    assert axe(page) == []
    page.get_by_role("link", name="To the lessons").click()
    page.wait_for_selector(".card")


@pytest.mark.parametrize("width", [390, 360])
def test_a_phone_never_scrolls_sideways(new_page: NewPage, width: int) -> None:
    dress = {**DRESSES["phone"], "viewport": {"width": width, "height": 844}}
    wide = "() => document.documentElement.scrollWidth"
    for scene in (home, lab, walk_at_start, walk_backward, walk_neurons, walk_trained, walk_edited):
        page = new_page(reduced_motion="reduce", **dress)
        scene(page)
        assert page.evaluate(wide) <= width, scene.__name__
        page.close()


def test_on_a_phone_the_transport_is_always_in_reach(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce", **DRESSES["phone"])
    walk = Walk(page).open("network-2-3-1")
    reach = """() => [...document.querySelectorAll(".play, .transport-tool")].every((it) => {
      const { top, bottom, left, right, width, height } = it.getBoundingClientRect();
      const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return top >= innerHeight / 3 && bottom <= innerHeight && left >= 0 && right <= innerWidth
        && Math.min(width, height) >= 36 && it.contains(over);
    })"""
    assert page.evaluate(reach)
    bottom = "window.scrollTo(0, document.documentElement.scrollHeight)"
    page.evaluate(bottom)
    page.wait_for_timeout(100)
    assert page.evaluate(reach)
    page.get_by_role("button", name="Next step", exact=True).tap()
    assert walk.at == (0, 1)
    # stage, transport, inspector, program: one under the other
    tops = [
        page.get_by_role("region", name=name).evaluate("(it) => it.offsetTop")
        for name in ("Stage", "Inspector", "Program")
    ]
    assert tops == sorted(tops) and len(set(tops)) == 3


def test_a_phone_changes_a_weight_by_thumb(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce", **DRESSES["phone"])
    walk = Walk(page).open("/walk/weight-sigmoid-loss#at=0.3")
    walk.node("w").tap()
    field = page.locator(".editor input")
    field.wait_for()
    box = field.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    field.fill("2")
    field.press("Enter")
    page.wait_for_function(
        "() => document.querySelector('.node[data-node=z] .chip-number').textContent === '4'"
    )


def test_the_theme_is_remembered(new_page: NewPage) -> None:
    page = new_page(color_scheme="light", reduced_motion="reduce")
    home(page)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/walk/neuron")
    Walk(page).ready()
    assert (
        page.evaluate(ground) == dark
        or page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    )


def test_the_stage_owns_the_first_screen(new_page: NewPage) -> None:
    """At 1280 × 720: header ≤ 48 px, stage ≥ 60 % of the area, and the page does not scroll."""
    page = new_page(reduced_motion="reduce")
    Walk(page).open("network-2-3-1").press("End")
    height = "(it) => it.getBoundingClientRect().height"
    assert page.locator("header.header").evaluate(height) <= 48
    box = page.locator(".panel-stage").bounding_box()
    assert box is not None and box["width"] * box["height"] >= 0.6 * 1280 * 720
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
