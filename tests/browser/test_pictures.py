"""The pictures that fit a model, beside its graph: what stands on them is what the API says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage
from tests.browser.walking import Walk, read

if TYPE_CHECKING:
    from playwright.sync_api import Page


def walk(new_page: NewPage, lesson: str, picture: str) -> Walk:
    page = new_page(reduced_motion="reduce")
    opened = Walk(page).open(f"/walk/{lesson}")
    page.get_by_role("tab", name=picture).click()
    page.wait_for_selector(".picture:not([hidden]) .pic")
    return opened


def test_a_sequence_shows_the_gradient_shrink_on_its_way_back_in_time(new_page: NewPage) -> None:
    opened = walk(new_page, "bptt-three-steps", "Sequence")
    page = opened.page
    sizes = page.locator(".seq-step .seq-size")
    assert sizes.all_inner_texts() == ["?", "?", "?"]
    opened.press("End").wait_until("step > 20")
    assert [read(text) for text in sizes.all_inner_texts()] == [0.5, 1, 2]
    added = page.locator(".seq-step .seq-add-number").all_inner_texts()
    assert [read(text.lstrip("+")) for text in added] == [0, -2, -4]
    assert page.locator(".seq-total").inner_text() == "Σ −6"
    heights = [
        box["height"] for box in map(lambda it: it.bounding_box(), page.locator(".seq-bar").all())
    ]
    assert abs(heights[2] - 2 * heights[1]) < 3 and abs(heights[1] - 2 * heights[0]) < 3


def test_the_cut_of_truncated_backpropagation_is_drawn(new_page: NewPage) -> None:
    opened = walk(new_page, "truncated-bptt", "Sequence")
    opened.press("End").wait_until("step > 20")
    assert opened.page.locator(".seq-carry.is-cut").count() == 1
    assert opened.page.locator(".seq-step .seq-size").all_inner_texts() == [
        "none",
        "none",
        "1",
        "2",
    ]


def test_the_cut_is_dragged_to_another_step_and_the_run_goes_on_with_it(new_page: NewPage) -> None:
    opened = walk(new_page, "truncated-bptt", "Sequence")
    page = opened.page
    opened.press("End").wait_until("step > 20")
    grip = page.locator(".seq-carry.is-grip").bounding_box()
    step = page.locator(".seq-step").first.bounding_box()
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + 20)
    page.mouse.down()
    page.mouse.move(step["x"] + step["width"] + 4, grip["y"] + 20, steps=4)
    assert page.locator(".seq-carry.is-cut").count() == 3  # before the hand lets go
    with page.expect_event("load"):
        page.mouse.up()
    opened.ready()
    page.wait_for_selector(".picture:not([hidden]) .seq-step")
    assert page.locator("h1").inner_text().endswith("cut every 1 step")
    assert opened.current_line() and opened.at[1] == opened.of  # the same line as before
    sizes = page.locator(".seq-step .seq-size").all_inner_texts()
    assert sizes == ["none", "none", "none", "2"]
    with page.expect_event("load"):
        page.get_by_role("button", name="cut after more steps").click()
    opened.ready()
    page.wait_for_selector(".picture:not([hidden]) .seq-step")
    assert page.locator(".seq-step .seq-size").all_inner_texts() == ["none", "none", "1", "2"]
    scissors = page.get_by_role("slider", name="RNN: where the gradient's way is cut")
    scissors.focus()
    with page.expect_event("load"):  # taken when the keys rest
        opened.press("ArrowLeft").press("ArrowRight").press("ArrowRight")
    opened.ready()
    page.wait_for_function("document.activeElement.getAttribute('aria-valuenow') === '3'")


def test_the_pictures_follow_one_key_and_the_arrow_keys_of_their_tabs(new_page: NewPage) -> None:
    opened = walk(new_page, "bptt-three-steps", "Sequence")
    page = opened.page
    opened.press("v", page.get_by_role("tab").count() - 1)  # past all other pictures
    page.wait_for_selector('[data-tab="graph"][aria-selected="true"]')
    assert page.locator(".stage-view").is_visible() and not page.locator(".pic").is_visible()
    page.get_by_role("tab", name="Graph").focus()
    opened.press("ArrowRight")
    page.wait_for_selector(".pic:visible")
    assert page.evaluate("document.activeElement.dataset.tab") == "sequence"


def test_the_window_of_a_convolution_is_moved_by_hand_forward_and_backward(
    new_page: NewPage,
) -> None:
    opened = walk(new_page, "convolution-by-hand", "Feature maps")
    page = opened.page
    opened.press("ArrowRight", 3).wait_until("step === 3")
    line = page.locator(".lens-line")
    assert line.inner_text().endswith("1·1 + 3·0 + 1·(−1) + 1·2 = 2")
    page.locator(".lens-window").first.focus()
    opened.press("ArrowLeft").press("ArrowUp")
    assert line.inner_text().endswith("1·1 + 2·0 + 0·(−1) + 1·2 = 3")
    assert opened.at == (0, 3)
    box = page.locator(".lens-map").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + 8)
    assert line.inner_text().endswith("2·1 + 0·0 + 1·(−1) + 3·2 = 7")
    page.evaluate("document.activeElement.blur()")
    opened.press("ArrowRight", 5).wait_until("step === 8")
    gathered = page.locator(".lens-figure", has_text="so far").locator(".map-cell")
    assert [read(text) for text in gathered.all_inner_texts()] == [0.5, 0.5, -1, 0]


def test_a_max_pool_lights_the_cell_that_gets_the_gradient(new_page: NewPage) -> None:
    opened = walk(new_page, "max-pool", "Feature maps")
    page = opened.page
    opened.press("ArrowRight", 3).wait_until("step === 3")
    assert page.locator(".lens-line").inner_text().endswith("max(1, 3, 2, 4) = 4")
    opened.press("End").wait_until("step > 9")
    gradient = page.locator(".lens-figure", has_text="∂x")
    assert [read(text) for text in gradient.locator(".map-cell").all_inner_texts()] == [0, 0, 0, 1]
    assert gradient.locator(".map-cell.is-best").inner_text() == "1"


def test_a_step_slides_the_window_and_the_next_key_ends_it(new_page: NewPage) -> None:
    page = new_page()
    opened = Walk(page).open("/walk/convolution-by-hand?picture=maps")
    opened.press("ArrowRight", 3).wait_until("step === 3")
    page.wait_for_selector(".lens-map .map-cell.is-empty")
    page.wait_for_function("() => !document.querySelector('.lens-map .map-cell.is-empty')")
    opened.press("ArrowLeft").press("ArrowRight").press("ArrowRight").wait_until("step === 4")
    assert page.locator(".lens-map .map-cell.is-empty").count() == 0


def column(walk: Walk, number: int) -> list[float]:
    """A column of the table of the chosen row."""
    cells = walk.page.locator(f".att-table tbody td:nth-child({number + 1}) .att-number")
    return [read(text) for text in cells.all_inner_texts()]


def test_a_row_of_attention_shows_its_shares_and_who_gets_its_error(new_page: NewPage) -> None:
    opened = walk(new_page, "attention-by-hand", "Attention")
    page = opened.page
    opened.press("End").wait_until("step > 20")
    assert page.locator('.att-token[aria-checked="true"]').inner_text() == "token 3"
    assert column(opened, 2) == [0.25, 0.25, 0.5]
    assert column(opened, 4) == [-0.0625, 0.188, -0.125]
    assert column(opened, 5) == [0.25, 0.25, 0.5]
    page.locator('.att-token[aria-checked="true"]').focus()
    opened.press("ArrowLeft")
    assert page.locator('.att-token[aria-checked="true"]').inner_text() == "token 2"
    assert column(opened, 2) == [0.2, 0.4, 0.4]
    at = opened.at
    page.locator(".is-matrix .lens-map").first.click(position={"x": 20, "y": 8})
    assert column(opened, 2) == [0.4, 0.2, 0.4]
    assert opened.at == at


def test_the_gradient_of_a_residual_is_shared_by_its_two_paths(new_page: NewPage) -> None:
    opened = walk(new_page, "residual", "Paths")
    page = opened.page
    assert page.locator(".path-size").all_inner_texts()[:2] == ["around: ∂ ?", "through: ∂ ?"]
    opened.press("End").wait_until("step > 20")
    sizes = [read(text) for text in page.locator(".path-size b").all_inner_texts()]
    assert sizes == [1.21, 0.121, 1.1, 0.11, 1, 0.1]
    assert "1 → 1.33" in page.locator(".pic-caption").inner_text()
    assert "about 0.001" in page.locator(".pic-caption").inner_text()
    page.locator(".path-node").first.click()
    assert opened.at[1] > 20


def test_a_norm_shows_its_values_before_and_after(new_page: NewPage) -> None:
    opened = walk(new_page, "batch-norm-by-hand", "Distribution")
    page = opened.page
    opened.press("End").wait_until("step > 10")
    assert page.locator(".norm-facts").all_inner_texts() == [
        "mean 10, deviation 5",
        "sum 0",
        "mean 0, deviation 1",
        "sum 2",
        "mean 1, deviation 2",
        "sum 1",
    ]
    assert page.locator(".norm-side").first.locator(".norm-dot").count() == 4


PICTURES = [
    ("bptt-three-steps", "sequence"),
    ("convolution-by-hand", "maps"),
    ("max-pool", "maps"),
    ("attention-by-hand", "attention"),
    ("residual", "paths"),
    ("batch-norm-by-hand", "norms"),
]
SMALL = """() => [...document.querySelectorAll(".picture *")].flatMap((it) => {
  const text = [...it.childNodes].find((n) => n.nodeType === 3 && n.data.trim());
  if (!text || !it.checkVisibility()) return [];
  const scale = it instanceof SVGElement ? it.ownerSVGElement.getScreenCTM().a : 1;
  const size = 100 * scale * parseFloat(getComputedStyle(it).fontSize) / innerHeight;
  return size < 2.795 ? [`${text.data.trim()}: ${size.toFixed(2)} %`] : [];
})"""


@pytest.mark.parametrize(("lesson", "picture"), PICTURES)
def test_a_picture_can_be_read_from_the_last_row_and_by_everyone(
    new_page: NewPage, axe: Callable[[Page], list[str]], lesson: str, picture: str
) -> None:
    page = new_page(reduced_motion="reduce", viewport={"width": 1920, "height": 1080})
    opened = Walk(page).open(f"/walk/{lesson}?picture={picture}&projection")
    page.wait_for_selector(".pic:visible")
    opened.press("End").wait_until("step > 7")
    assert page.evaluate(SMALL) == []
    opened.press("p")
    page.wait_for_selector(".tabs:visible")
    assert axe(page) == []


@pytest.mark.parametrize(("lesson", "picture"), PICTURES)
def test_a_phone_shows_a_picture_without_scrolling_the_page_sideways(
    new_page: NewPage, lesson: str, picture: str
) -> None:
    page = new_page(reduced_motion="reduce", viewport={"width": 390, "height": 844})
    opened = Walk(page).open(f"/walk/{lesson}?picture={picture}")
    page.wait_for_selector(".pic:visible")
    opened.press("End").wait_until("step > 7")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    inside = "(it => it.scrollWidth - it.clientWidth)(document.querySelector('.picture'))"
    assert page.evaluate(inside) <= 1
