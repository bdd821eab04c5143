"""What runs opens by itself in a large graph, and a link shows the same layers open."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk
from tests.serving import Server

LESSON = "lstm-and-rnn"
INNER = "0/branches-0/0/"


def frame(walk: Walk, scope: str) -> Any:
    return walk.page.locator(f'.frame-head[data-scope="{scope}"]')


def test_the_layer_that_runs_is_open_and_the_link_knows(server: Server, new_page: NewPage) -> None:
    with Truth(server, lesson=LESSON) as truth:
        first = truth.index("forward", "0.branches.0.0.z_2")
        walk = Walk(new_page(reduced_motion="reduce")).open(LESSON)
        walk.page.click("[data-tab=graph]")
        walk.line(first).locator(".line-go").click()
        walk.wait_at(0, first + 1)
        follow = walk.page.get_by_role("button", name="Open what runs")
        assert frame(walk, f"{INNER}t2/").count() == 0, "off at first"
        follow.click()
        frame(walk, f"{INNER}t2/").wait_for()
        assert follow.get_attribute("aria-pressed") == "true"
        assert walk.node("0.branches.0.0.z_2").is_visible()
        after = truth.index("forward", "0.branches.0.0.x_3")
        walk.line(after).locator(".line-go").click()
        frame(walk, f"{INNER}t3/").wait_for()
        assert frame(walk, f"{INNER}t2/").count() == 0, "closed when it was left"
        same = f"location.hash.endsWith('&open={quote(INNER + 't3/', '')}')"
        walk.page.wait_for_function(f"() => {same}")
        link = urlsplit(walk.page.url)

    other = Walk(new_page(reduced_motion="reduce")).open(f"{link.path}#{link.fragment}")
    frame(other, f"{INNER}t3/").wait_for()
    assert frame(other, f"{INNER}t2/").count() == 0 and other.at == (0, after + 1)
    assert other.node("0.branches.0.0.x_3").is_visible()
