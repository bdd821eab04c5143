"""Large graphs on the real page: layers as boxes that open and close, only what is in view in the
document, and the box that an error stops at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, differences
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

Axe = Callable[["Page"], list[str]]
STEPS = 40


def unrolled() -> dict[str, Any]:
    """An LSTM over forty steps: 332 nodes, a plan of 654 lines."""
    rows = [[[round(0.1 * (t % 7) - 0.3, 3), 0.2] for t in range(STEPS)]]
    return {
        "model": {
            "input_shape": [STEPS, 2],
            "layers": [
                {"type": "lstm", "hidden_size": 2, "return_sequences": False},
                {"type": "linear", "out_features": 1},
            ],
        },
        "loss": "mse",
        "data": {"inputs": rows, "targets": [[1.0]]},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }


def box(walk: Walk, scope: str) -> Any:
    return walk.page.locator(f'.scope-box[data-scope="{scope}"]')


def test_layers_are_boxes_that_light_up_open_and_close(
    server: Server, new_page: NewPage, axe: Axe
) -> None:
    with Truth(server, spec=unrolled()) as truth:
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}")
        page = walk.page
        assert page.locator(".nodes .node").count() < 60, "only what is in view"
        assert box(walk, "0/t1/").get_attribute("aria-expanded") == "false"
        inner = truth.index("forward", "0.z_2")
        line = walk.line(inner - 2)
        line.locator(".line-go").click()
        walk.press("ArrowRight", 2).wait_at(0, inner + 1)
        assert "is-centre" in (box(walk, "0/t2/").get_attribute("class") or "")
        assert page.locator(".packet").count() >= 2, "what flows into the box travels"
        assert page.locator(".edge.is-live").count() >= 2
        assert "z₂" in walk.current_line(), "the program tells the node inside"
        assert "z₂" in walk.text(".inspector h2")
        assert page.locator(".crumb").all_inner_texts() == ["−\nlayer 0", "+\nt = 2"]

        before = box(walk, "0/t2/").bounding_box()
        box(walk, "0/t2/").click()
        page.wait_for_selector('.frame-head[data-scope="0/t2/"]')
        now = page.locator('.frame-head[data-scope="0/t2/"]').bounding_box()
        assert before and now and abs(now["x"] - before["x"]) < 30, "it opens where it stood"
        assert walk.node("0.z_2").is_visible()
        assert "is-centre" in (walk.node("0.z_2").get_attribute("class") or "")
        shown = {k: v for k, v in walk.numbers().items() if k in truth.state(0, inner + 1)}
        assert "0.z_2" in shown and not differences(shown, truth.state(0, inner + 1))
        assert not axe(page)

        page.locator('.frame-head[data-scope="0/t2/"]').focus()
        page.keyboard.press("Enter")
        page.wait_for_selector('.scope-box[data-scope="0/t2/"]:focus')
        page.keyboard.press("Enter")
        page.wait_for_selector('.frame-head[data-scope="0/t2/"]:focus')

        page.get_by_role("button", name="Close all").click()
        page.wait_for_selector('.scope-box[data-scope="0/"]')
        assert page.locator(".frame").count() == 0
        said = box(walk, "0/").get_attribute("aria-label") or ""
        assert said.startswith("layer 0, closed: 322 ops, recurrent, lstm_gate")
        page.get_by_role("button", name="Open all").click()
        page.wait_for_selector("[data-fold=none]:disabled")
        assert walk.node("0.z_2").is_visible()
        assert page.locator(".node, .frame").count() < 60, "still only what is in view"


def test_a_long_program_keeps_only_the_lines_in_view(server: Server, new_page: NewPage) -> None:
    with Truth(server, spec=unrolled()) as truth:
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}")
        page, of = walk.page, walk.of
        assert of > 600
        lines = page.locator(".program-line")
        assert 10 < lines.count() < 150
        walk.press("End").wait_at(0, of)
        assert 10 < lines.count() < 150
        current = page.locator(".program-line.is-current").bounding_box()
        panel = page.locator(".panel-program").bounding_box()
        assert current and panel
        assert panel["y"] <= current["y"] <= panel["y"] + panel["height"]
        page.locator(".panel-program").evaluate("(panel) => panel.scrollTo(0, 0)")
        page.wait_for_selector('.program-line[data-index="0"]')
        assert walk.line(0).is_visible()


def test_the_node_at_which_a_walk_stops_is_marked(new_page: NewPage) -> None:
    walk = Walk(new_page(reduced_motion="reduce")).open("in-place")
    assert walk.page.locator(".is-fault").count() == 0
    walk.press("End").wait_at(0, walk.of)
    fault = walk.page.locator(".node.is-fault")
    assert fault.count() == 1
    ring = fault.evaluate("(node) => getComputedStyle(node).borderTopColor")
    assert ring == walk.page.locator(".fault-says").evaluate("(it) => getComputedStyle(it).color")
    assert walk.text(".fault-says") == "✕ The walk stops here: RuntimeError"
    walk.press("ArrowLeft").wait_at(0, walk.of - 1)
    assert walk.page.locator(".is-fault").count() == 0
