"""What other plans do is shown where a session has one: memory, sums, float16, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage
from tests.browser.walking import Walk, read

if TYPE_CHECKING:
    from playwright.sync_api import Page


def walk(new_page: NewPage, lesson: str, **options: str) -> Walk:
    opened = Walk(new_page(reduced_motion="reduce", **options)).open(f"/walk/{lesson}")
    opened.page.wait_for_selector(".plans-part")
    return opened


def test_a_plain_walk_has_no_such_panel(page: Page) -> None:
    Walk(page).open("/walk/neuron")
    assert page.locator(".panel-plans").count() == 0


def test_the_memory_strip_follows_the_walk(new_page: NewPage) -> None:
    opened = walk(new_page, "checkpointing")
    page = opened.page
    assert page.locator(".plans-key").first.inner_text().split("\n") == [
        "56 B at most",
        "104 B plain",
    ]
    opened.press("ArrowRight", 4).wait_at(0, 4)
    assert page.locator(".plans-line").inner_text() == "now 16 B"
    box = page.locator(".plans-strip").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 29.5 / 42, box["y"] + 20)
    opened.wait_at(0, 30)
    assert "z₁" in opened.current_line()


def test_the_sum_of_the_parts_is_the_large_batch(new_page: NewPage) -> None:
    opened = walk(new_page, "gradient-accumulation")
    cells = opened.page.locator(".plans-table td")
    assert cells.all_inner_texts() == ["?"] * 4  # no number before its time
    opened.press("ArrowRight", 9).wait_at(0, 9)
    assert [read(cells.first.inner_text()), *cells.all_inner_texts()[1:]] == [-2.5, "?", "?", "?"]
    opened.press("End").wait_at(0, 18)
    assert [read(text) for text in cells.all_inner_texts()] == [-2.5, -12.5, -15, -15]


def test_what_float16_loses_and_scaling_saves(new_page: NewPage) -> None:
    opened = walk(new_page, "float16-underflow").press("End")
    lost = opened.page.locator(".plans-lost")
    assert "∂W₁ 1 of 2 became 0" in lost.inner_text()
    saved = walk(new_page, "loss-scaling").press("End").page.locator(".panel-plans")
    assert "every gradient arrived" in saved.inner_text()


def test_an_error_ends_the_walk_and_the_repaired_one_is_a_click_away(new_page: NewPage) -> None:
    opened = walk(new_page, "in-place")
    page = opened.page
    page.get_by_role("button", name="Go there").click()
    opened.wait_at(0, 8)
    assert "modified by an inplace operation" in page.locator(".plans-fault").inner_text()
    page.get_by_role("link", name="Walk the repaired version").click()
    page.wait_for_selector(".plans-fault >> text=Repaired")
    Walk(page).ready().press("End")
    assert page.locator(".plans-fault .complaint").count() == 0


def test_the_order_of_the_way_back_is_a_switch(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    opened = Walk(page).open("/walk/fan-out")
    for on, slope in ((False, "36"), (True, "24")):
        with page.expect_navigation():
            page.get_by_role("switch", name="topological order").click()
        opened.ready().press("End").wait_until("step > 0")
        switch = page.get_by_role("switch", name="topological order")
        assert switch.get_attribute("aria-checked") == str(on).lower()
        assert page.locator(".node[data-node=a] .role-grad .chip-number").inner_text() == slope
    chain = Walk(page).open("/walk/weight-sigmoid-loss").page
    assert chain.get_by_role("switch", name="topological order").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["checkpointing", "gradient-accumulation", "in-place"])
def test_nothing_serious_bars_anyone(
    new_page: NewPage, axe: Callable[[Page], list[str]], lesson: str, scheme: str
) -> None:
    opened = walk(new_page, lesson, color_scheme=scheme)
    opened.press("End")
    opened.page.wait_for_timeout(300)
    assert axe(opened.page) == []


def test_the_check_tells_what_every_way_costs(new_page: NewPage) -> None:
    opened = Walk(new_page(reduced_motion="reduce")).open("/walk/numerical-and-automatic")
    opened.page.get_by_role("button", name="Check the gradients").click()
    opened.page.wait_for_selector(".check-ways")
    told = opened.page.locator(".check-ways tr")
    rows = [row.split("\t") for row in told.all_inner_texts()[1:]]
    assert [(row[0], row[2]) for row in rows] == [
        ("measured, one-sided", "2"),
        ("measured, central", "2"),
        ("forward mode", "1"),
        ("reverse mode", "1"),
    ]
    assert "step of 1e−5" in (opened.page.locator(".ways-curve").get_attribute("aria-label") or "")
    opened.page.get_by_label("∂L∕∂w").fill("3*w**2 + 6")
    opened.page.get_by_role("button", name="Compare").click()
    opened.page.wait_for_function("() => document.querySelectorAll('.check-ways tr').length === 6")
    assert told.all_inner_texts()[1].split("\t") == ["by hand", "18", "0", "0.5"]
    assert opened.page.get_by_text("1 pass: one for each loss").is_visible()
    opened.page.get_by_role("link", name="Walk forward mode for w").click()
    opened.ready()
    assert "forward mode" in opened.page.locator("h1").inner_text()
    opened.page.wait_for_selector(".panel-plans .plans-key")
    assert "pass 1 of 1" in opened.page.locator(".panel-plans").inner_text()


def test_ways_of_decay_are_compared_on_the_same_weight(new_page: NewPage) -> None:
    opened = walk(new_page, "weight-decay")
    opened.page.locator(".plans-fold summary").click()
    rows = [row.split("\t") for row in opened.page.locator(".plans-decay tr").all_inner_texts()]
    assert [row[0] for row in rows][2:] == ["L2 penalty", "coupled decay", "decoupled decay"]
    assert [row[1] for row in rows] == ["1.90", "1.90", "1.90", "1.90", "1.80"]
