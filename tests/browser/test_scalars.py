"""The 2-3-1 network taken apart on the page: equal numbers, the same place, and together again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.browser.conftest import NewPage, Watch
from tests.browser.walking import Truth, Walk, differences
from tests.serving import Server

LESSON = "network-2-3-1"


def turn(walk: Walk, to: str) -> None:
    """As scalars ("on") or as arrays ("off"), until the other button stands there."""
    walk.page.click(f"[data-scalars={to}]")
    walk.page.wait_for_selector(f"[data-scalars={'off' if to == 'on' else 'on'}]")


def centre(walk: Walk) -> str:
    return walk.page.locator(".node.is-centre").get_attribute("data-node") or ""


def test_a_network_is_taken_apart_into_numbers_and_put_together(
    server: Server, new_page: NewPage
) -> None:
    with Truth(server, lesson=LESSON) as truth:
        step = truth.index("backward", "0.z") + 1
        apart: dict[str, Any] = {**truth.session["spec"], "scalars": True}
    walk = Walk(new_page(reduced_motion="reduce")).open(LESSON)
    walk.line(step - 1).locator(".line-go").click()
    walk.wait_at(0, step)
    before = walk.numbers()
    walk.node("0.bias").click()
    walk.page.evaluate("window.stays = true")
    turn(walk, "on")
    assert walk.page.evaluate("window.stays"), "nothing is loaded anew"
    assert centre(walk).startswith("0.z["), "the last step of the same tensor"
    assert walk.node("0.bias[0]").evaluate("(node) => node.classList.contains('is-selected')")
    walk.press("Escape")
    with Truth(server, spec=apart) as truth:
        assert walk.of == len(truth.plan) > 60
        assert not differences(walk.numbers(), truth.state(*walk.at))
        _, step = walk.at
        walk.press("ArrowRight").wait_at(0, step + 1)
        assert not differences(walk.numbers(), truth.state(*walk.at))
    place = walk.at
    there = f"location.pathname === '/walk' && location.hash.startsWith('#at=0.{place[1]}&run=')"
    walk.page.wait_for_function(f"() => {there}")
    link = urlsplit(walk.page.url)
    turn(walk, "off")
    assert walk.page.locator(".node").count() == len(before) and walk.of < 30
    walk.page.wait_for_function(f"() => location.pathname === '/walk/{LESSON}'")

    other = Walk(new_page(reduced_motion="reduce")).open(f"/walk#{link.fragment}")
    assert other.at == place and other.text("h1") == walk.text("h1"), "the link knows of scalars"


def test_a_graph_that_is_too_large_says_so(server: Server, new_page: NewPage, watch: Watch) -> None:
    watch.expect("422")
    spec = {
        "model": {"layers": [{"type": "linear", "out_features": 400}]},
        "loss": "mse",
        "data": {"inputs": [[1.0, 2.0]], "targets": [[0.0] * 400]},
    }
    with Truth(server, spec=spec) as truth:
        walk = Walk(new_page(reduced_motion="reduce"))
        walk.open(f"/walk/session/{truth.session['id']}").press("ArrowRight", 3)
        walk.page.click("[data-scalars=on]")
        walk.page.wait_for_selector(".stage-complaint p")
        words = walk.text(".stage-complaint")
        assert "may have at most 1,000 entries in all" in words and "2,003" in words
        assert walk.at == (0, 3), "and all stays as it is"
