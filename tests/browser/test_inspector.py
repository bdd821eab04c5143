"""The side of a walk: the step written out, a node's editor, gradient check, rate and charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Walk

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCALAR = "/walk/w-x-plus-b-squared"
NETWORK = "/walk/network-2-3-1"


def walk(page: Page, path: str, step: int) -> None:
    page.goto(f"{path}#at=0.{step}")
    page.wait_for_selector("main[data-ready]")
    page.wait_for_selector(".step-count")


def choose(page: Page, node: str) -> None:
    """Select a node, and put away the editor that opens beside it."""
    page.locator(f'button.node[data-node="{node}"]').evaluate("(node) => node.click()")
    page.wait_for_selector(".node-view")
    page.evaluate("() => document.querySelector('.editor [aria-label^=Close]')?.click()")


def test_a_number_leads_to_the_step_that_made_it(page: Page) -> None:
    walk(page, SCALAR, 8)
    assert page.inner_text(".step-count") == "8 of 10"
    link = page.locator(".row-numbers .ref.goes").first
    assert "from step 7" in (link.get_attribute("aria-label") or "")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.step-count').innerText === '7 of 10'")


def test_hovering_a_number_lights_its_source(page: Page) -> None:
    walk(page, SCALAR, 8)
    page.locator(".row-numbers .ref").first.hover()
    page.wait_for_selector("button.node.is-lit")


def test_what_needs_no_working_out_is_said_once(page: Page) -> None:
    walk(page, "/walk/bptt-three-steps", 10)
    assert page.locator(".lines .row").count() == 2, "the symbols, and = 0"
    assert page.locator(".row-result .ref").count() == 1


def test_an_activation_shows_its_slope(page: Page) -> None:
    walk(page, NETWORK, 11)
    page.wait_for_selector(".curve .curve-tangent")
    assert "slope" in (page.get_attribute(".curve", "aria-label") or "")


def test_an_entry_of_an_array_is_written_out(page: Page) -> None:
    walk(page, NETWORK, 12)
    page.locator(".inspector .cell").first.focus()
    before = page.inner_text(".row-result")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".line-where:has-text('entry [0, 1]')")
    page.wait_for_function(
        "(before) => document.querySelector('.row-result').innerText !== before", arg=before
    )
    assert page.inner_text(".array-readout").startswith("[0, 1] = ")


def test_an_edit_is_put_beside_what_the_slope_said(page: Page) -> None:
    walk(page, SCALAR, 8)
    choose(page, "w")
    page.fill(".edit-field", "1.5")
    page.press(".edit-field", "Enter")
    page.wait_for_selector(".effect-why")
    assert "slope said +8, it was +12" in (page.text_content(".effect") or "")
    assert "the rest, +4, is curvature" in page.inner_text(".effect-why")
    page.wait_for_function("() => document.querySelector('.chart-now').innerText === '16'")


def test_arrow_keys_nudge_a_number(page: Page) -> None:
    walk(page, SCALAR, 8)
    choose(page, "b")
    field = page.locator(".edit-field")
    before = float(field.input_value())
    field.press("ArrowUp")
    page.wait_for_selector(".effect-why")
    assert float(field.input_value()) == pytest.approx(before + 0.1)


def test_what_is_no_number_is_refused(page: Page) -> None:
    walk(page, SCALAR, 8)
    choose(page, "w")
    page.fill(".edit-field", "much")
    page.press(".edit-field", "Enter")
    assert "not a number" in page.inner_text(".edit-hint")


def test_the_gradients_are_checked_entry_by_entry(page: Page) -> None:
    walk(page, SCALAR, 8)
    page.click(".check-run")
    page.wait_for_selector(".check-table")
    assert page.locator(".check-table tbody tr").count() == 3
    assert page.inner_text(".check-ok").startswith("✓")
    page.keyboard.press("Escape")
    page.wait_for_selector(".check-table", state="detached")


def test_training_draws_the_loss_and_the_picture_leads_back(page: Page) -> None:
    walk(page, SCALAR, 8)
    page.click("[aria-label='Train 10 iterations']")
    page.wait_for_selector(".chart-line")
    page.focus(".chart-stage")
    page.keyboard.press("Home")
    page.wait_for_function(
        "() => document.querySelector('.chart-stage').getAttribute('aria-valuenow') === '0'"
    )


def test_the_rate_says_when_it_counts(page: Page) -> None:
    walk(page, SCALAR, 8)
    page.fill(".rate-field", "0.2")
    page.press(".rate-field", "Enter")
    assert page.inner_text(".rate-note") == "from next update"


def test_the_chart_library_comes_when_it_is_asked_for(page: Page, watch: Watch) -> None:
    watch.expect("inline style")  # one style of the library's own, which it can do without
    watch.expect("style-src-elem")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    walk(page, SCALAR, 8)
    page.click("[aria-label='Train 10 iterations']")
    page.wait_for_selector(".chart-line")
    assert not any("plotly.min" in url for url in asked)
    page.click("text=Open chart")
    page.wait_for_selector(".chart-plot .main-svg", timeout=30_000)
    titles = page.eval_on_selector_all(
        ".modebar-btn", "(all) => all.map((one) => one.dataset.title ?? '')"
    )
    assert not [title for title in titles if "loud" in title or "hare" in title]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_has_to_be_scrolled_at_720_lines(
    new_page: NewPage, axe: Callable[[Page], list[str]], scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    for step in range(1, 11):
        walk(page, SCALAR, step)
        room = "(body) => body.clientHeight - body.scrollHeight"
        assert page.eval_on_selector(".inspector-body", room) >= 0, step
    assert axe(page) == []


ORDINARY = [
    "x-plus-2-squared", "three-x-plus-2-squared", "x-squared-plus-2x", "two-paths", "w-x-plus-b",
    "w-x-plus-b-squared", "fan-out", "weight-sigmoid-loss", "sigmoid-of-w-x-plus-b", "neuron",
    "network-2-2-1", "network-2-3-1", "relu-sigmoid-network", "gradient-descent", "weight-decay",
]  # fmt: skip
ROOM = """() => {
  const body = document.querySelector(".inspector-body");
  const stage = document.querySelector(".panel-stage").getBoundingClientRect();
  const share = stage.width * stage.height / innerWidth / innerHeight;
  return [body.scrollHeight - body.clientHeight, share];
}"""


def test_no_step_of_an_ordinary_lesson_has_to_be_scrolled(new_page: NewPage) -> None:
    """Scalars and small networks at 1280×720; and the stage still owns the screen."""
    page = new_page(reduced_motion="reduce")
    for lesson in ORDINARY:
        open_walk = Walk(page).open(lesson)
        for step in range(open_walk.of + 1):
            if step:
                open_walk.press("ArrowRight")
            hidden, stage = page.evaluate(ROOM)
            assert hidden <= 0, f"{lesson}, step {step}: {hidden} px below the edge"
            assert stage >= 0.6, f"{lesson}, step {step}: the stage has {stage:.3f}"


def test_contributions_take_turns_when_they_do_not_fit_together(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 560})
    walk(page, "/walk/fan-out", 8)
    turns = page.get_by_role("group", name="Contributions").get_by_role("button")
    assert turns.all_inner_texts() == ["∂a (1)", "∂a (2)"]
    turns.last.click()
    assert turns.last.get_attribute("aria-pressed") == "true"
    assert page.locator(".line-contribution").count() == 1


def test_no_two_buttons_have_one_name(page: Page) -> None:
    Walk(page).open("network-2-3-1")
    names = page.get_by_role("button").evaluate_all(
        "(all) => all.map((it) => it.ariaLabel).filter((name) => name?.match(/iterations?$/))"
    )
    assert len(names) == len(set(names)) >= 5, names


def test_fast_nudges_are_all_counted(page: Page) -> None:
    """Answers to the first must not set the number back under the hand."""
    walk(page, SCALAR, 8)
    choose(page, "b")
    field = page.locator(".edit-field")
    before = float(field.input_value())
    for nth in range(1, 9):
        field.press("ArrowUp")
        page.wait_for_timeout(30)
        assert float(field.input_value()) == pytest.approx(before + 0.1 * nth)
    page.wait_for_function("() => !document.body.hasAttribute('data-stale')")
    assert float(field.input_value()) == pytest.approx(before + 0.8)
