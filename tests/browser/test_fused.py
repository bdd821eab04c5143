"""A sequence fused for training on the page and unrolled again: equal numbers at the same place."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, differences
from tests.serving import Server

LESSON = "bptt-three-steps"


def test_time_steps_become_one_node_and_nodes_again(server: Server, new_page: NewPage) -> None:
    with Truth(server, lesson=LESSON) as truth:
        step = truth.index("forward", "0.h_3") + 1
        fused: dict[str, Any] = {**truth.session["spec"], "fused": True}
    walk = Walk(new_page(reduced_motion="reduce")).open(LESSON)
    walk.line(step - 1).locator(".line-go").click()
    walk.wait_at(0, step)
    before = walk.numbers()
    walk.node("0.h_2").click()
    walk.page.get_by_role("button", name="Fuse for training").click()
    walk.page.wait_for_selector("[data-fused=off]")
    assert "rnn_layer" in walk.current_line(), "the last step of the same layer"
    assert walk.node("0.H").evaluate("(node) => node.classList.contains('is-selected')")
    walk.press("Escape")
    with Truth(server, spec=fused) as truth:
        assert walk.of == len(truth.plan) < 10
        _, at = walk.at
        walk.press("ArrowRight").wait_at(0, at + 1)
        assert not differences(walk.numbers(), truth.state(*walk.at))
    walk.press("ArrowLeft").wait_at(0, at)
    place = f"0.{at}"
    walk.page.wait_for_function(f"() => location.hash.startsWith('#at={place}&run=')")
    link = urlsplit(walk.page.url)

    walk.page.get_by_role("button", name="Time steps as nodes").click()
    walk.page.wait_for_selector("[data-fused=on]")
    assert walk.at == (0, step) and walk.numbers() == before, "as before, to the last digit shown"
    assert walk.page.get_by_role("button", name="Layer as one node").count() == 1

    other = Walk(new_page(reduced_motion="reduce")).open(f"/walk#{link.fragment}")
    assert "rnn_layer" in other.current_line(), "the link knows of the form"
