"""The mixing board: faders moved by hand and by descent, with the API's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk, same
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_faders_are_moved_by_hand_and_then_by_descent(
    new_page: NewPage, server: Server, axe: Callable[[Page], list[str]]
) -> None:
    page = new_page(reduced_motion="reduce", color_scheme="dark")
    walk = Walk(page).open("/walk/mixing-board?picture=board")
    loss = page.locator(".board-loss")
    until = "(text) => document.querySelector('.board-loss').textContent === text"
    page.wait_for_function(until, arg="1.86")  # 1.865, rounded to even digits as everywhere
    assert page.locator(".board-grad").all_inner_texts() == ["∂ −1.55▼", "∂ −1.75▼", "∂ −1.3▼"]
    assert "W₁[0, 1]" in page.locator(".pic-board .pic-caption").inner_text()
    slider = page.locator(".board-slider").nth(1)
    slider.focus()
    with page.expect_response(lambda answer: answer.request.method == "PUT") as put:
        page.keyboard.press("PageUp")
    moved = put.value.request.post_data_json["value"]
    with Truth(server, lesson="mixing-board") as truth:
        effect = truth.put("0.weight", moved)["effect"]
        page.wait_for_function("() => document.querySelector('.board-best').textContent !== ''")
        assert same(loss.inner_text(), effect["after"]) and moved[0][1] > 0 == moved[0][0]
        page.get_by_role("button", name="Let descent move them", exact=True).click()
        walk.wait_at(1, 6)
        true = truth.client.get(f"{truth.path}/state?iteration=1&step=6").json()
    for shown, value in zip(
        page.locator(".board-value").all_inner_texts(),
        true["nodes"]["0.weight"]["value"]["data"][0],
        strict=True,
    ):
        assert same(shown, value)
    assert same(loss.inner_text(), true["loss"])
    assert axe(page) == []
