"""Projection mode can be read from the last row: sizes measured on the page, as shares of the
screen's height, with every scaling and every script size in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import NewPage
from tests.browser.walking import Truth, Walk
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

FORMULA, CHIP, LEAST = 4.6, 3.5, 2.8

# Of everything that is written and seen: what it says, of which kind it is, its size in % of the
# screen's height.
SIZES = """() => {
  const kinds = [["formula", ".strip-line"], ["packet", ".packet"], ["chip", ".chip"]];
  const scripts = ["msub", "msup", "msubsup"].map((m) => `${m} > :nth-child(n + 2)`).join();
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const element = text.parentElement;
    const range = document.createRange();
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (!text.data.trim() || box.width < 2 || box.right < 0 || box.left > innerWidth) continue;
    if (box.bottom < 0 || box.top > innerHeight) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest(".unseen, .skip, option, header, .chip-sign")) continue;
    const world = element.closest(".world, .neuron-world");
    const zoom = world ? new DOMMatrix(getComputedStyle(world).transform).a : 1;
    const kind = kinds.find(([, inside]) => element.closest(inside))?.[0] ?? "rest";
    const size = (100 * parseFloat(getComputedStyle(element).fontSize) * zoom) / innerHeight;
    const script = element.closest(scripts) !== null;
    found.push({ says: text.data.trim(), kind, size, script });
  }
  return found;
}"""


def sizes(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(SIZES)
    return found


def too_small(found: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for it in found:
        least = {"formula": FORMULA, "packet": FORMULA, "chip": CHIP, "rest": LEAST}[it["kind"]]
        if it["script"]:  # an index of a letter
            least = LEAST
        if it["size"] < least - 0.005:
            wrong.append(f"{it['kind']} {it['says']!r}: {it['size']:.2f} % < {least} %")
    return wrong


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720)], ids=["1080p", "720p"])
def test_everything_can_be_read_from_the_last_row(
    new_page: NewPage, server: Server, size: tuple[int, int]
) -> None:
    page = new_page(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", color_scheme="dark"
    )
    for lesson in ("w-x-plus-b-squared", "weight-sigmoid-loss", "fan-out", "network-2-3-1"):
        with Truth(server, lesson=lesson) as truth:
            of = len(truth.plan)
            phases = [entry["phase"] for entry in truth.plan]
        walk = Walk(page).open(f"/walk/{lesson}?projection")
        kinds: set[str] = set()
        for step in range(1, of + 1):
            walk.press("PageDown")
            found = sizes(page)
            here = {it["kind"] for it in found}
            kinds |= here
            assert too_small(found) == [], f"{lesson}, step {step}"
            if phases[step - 1] not in ("data", "zero_grad"):
                assert "formula" in here, f"{lesson}, step {step}: no formula"
            strip = page.locator(".strip")
            fits = "(e) => e.scrollHeight <= e.clientHeight + 1 && e.scrollWidth <= e.clientWidth"
            assert strip.evaluate(fits), f"{lesson}, step {step}: the formula is cut off"
            words = page.locator(".strip-says").evaluate(fits)
            assert words, f"{lesson}, step {step}: the sentence is cut off"
        assert kinds >= {"formula", "packet", "chip", "rest"} - (
            {"packet"} if lesson == "network-2-3-1" else set()
        )


def test_a_clicker_and_a_key_are_all_that_is_needed(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    walk = Walk(page).open("weight-sigmoid-loss")
    walk.press("p")
    for shown in ("Stage", "Transport"):
        assert page.get_by_role("region", name=shown).is_visible()
    for hidden in ("Program", "Inspector", "Learning rate", "Charts"):
        assert page.get_by_role("region", name=hidden).count() == 0
    assert walk.press("PageDown", 3).at == (0, 3)
    assert walk.press("PageUp").at == (0, 2)
    height = "document.documentElement.scrollHeight"
    assert page.evaluate(height) <= 720
    walk.press("p")
    page.get_by_role("region", name="Inspector").wait_for()


def test_the_focus_stays_in_view(new_page: NewPage, server: Server) -> None:
    page = new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    walk = Walk(page).open("/walk/network-2-3-1?projection")
    inside = """() => {
      const node = document.querySelector(".node.is-centre")?.getBoundingClientRect();
      const stage = document.querySelector(".stage-view").getBoundingClientRect();
      return !node || (node.left >= stage.left && node.right <= stage.right
        && node.top >= stage.top && node.bottom <= stage.bottom);
    }"""
    for step in range(1, walk.of + 1):
        walk.press("PageDown")
        assert page.evaluate(inside), f"step {step}"


COVERED = """() => {
  const boxes = [...document.querySelectorAll(".packet")].map((it) => it.getBoundingClientRect());
  return boxes.some((a, i) => boxes.some((b, j) => i < j
    && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1));
}"""


@pytest.mark.parametrize("mode", ["", "?projection"], ids=["desk", "projection"])
def test_no_packet_covers_another(new_page: NewPage, mode: str) -> None:
    page = new_page(reduced_motion="reduce")
    for lesson in ("network-2-3-1", "fan-out", "two-paths"):
        walk = Walk(page).open(f"/walk/{lesson}{mode}")
        for step in range(1, walk.of + 1):
            walk.press("PageDown")
            assert not page.evaluate(COVERED), f"{lesson}, step {step}"


def test_edges_are_thick(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    walk = Walk(page).open("/walk/weight-sigmoid-loss?projection")
    walk.press("PageDown", 4)
    width = """() => Math.min(...[...document.querySelectorAll(".lane-forward")].map((lane) =>
      parseFloat(getComputedStyle(lane).strokeWidth)
        * new DOMMatrix(getComputedStyle(lane.closest(".world")).transform).a))"""
    assert page.evaluate(width) >= 3
