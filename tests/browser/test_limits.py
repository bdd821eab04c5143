"""The lab's other pages: how large a step may be, and the loss as a landscape."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewPage
from tests.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

READY = "() => !document.querySelector('#lab').hasAttribute('aria-busy')"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PATIENCE = 30_000  # ms: other processes are started here


def test_on_a_quadratic_bowl_theory_and_practice_agree(
    new_page: NewPage, axe: Callable[[Page], list[str]]
) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/lab/sharpness?on=ravine&rate=0.079&iterations=60")
    page.wait_for_selector(".limit-table", timeout=PATIENCE)
    page.wait_for_selector(".lines-band", state="attached", timeout=PATIENCE)
    page.wait_for_function(READY, timeout=PATIENCE)
    facts = page.inner_text(".limit-facts").split()
    # ½x² + 12½y² has λmax = 25, so the limit is 0.08
    assert float(facts[facts.index("λmax") + 1]) == 25
    assert float(facts[facts.index("2/λmax") + 1]) == 0.08
    rows = page.locator(".limit-table tbody tr")
    assert rows.count() == 6
    for i in range(6):
        theory, seen = rows.nth(i).locator("td").all_inner_texts()[2:]
        assert seen.startswith("✓") and theory in seen
    assert "6 of 6 as predicted" in page.inner_text(".limit-test")
    told = page.locator(".lab-range .lines").get_attribute("aria-label") or ""
    assert "rate η" in told and "worth trying" in page.inner_text("body")
    assert axe(page) == []
    field = page.get_by_role("textbox", name="Rate η")
    field.fill("0.1")
    field.press("Enter")
    page.wait_for_function("() => location.search.includes('rate=0.1&')")
    page.wait_for_selector(".limit-facts[data-over='true']", timeout=PATIENCE)
    assert "is above" in page.inner_text(".limit-says >> nth=0")


def test_a_landscape_is_drawn_and_saved(
    new_page: NewPage, axe: Callable[[Page], list[str]]
) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/lab/landscape?on=moons&iterations=40&points=25&view=map&plane=trajectory")
    page.wait_for_selector(".ground-plot .contourlayer path", state="attached", timeout=PATIENCE)
    page.wait_for_function(READY, timeout=PATIENCE)
    shape = "() => document.querySelector('.ground-plot').data[0].z.map((row) => row.length)"
    assert page.evaluate(shape) == [25] * 25
    way = "() => document.querySelector('.ground-plot').data[1].x.length"
    assert page.evaluate(way) == 41
    assert re.search(r"hold \d+(\.\d+)? % of how far", page.inner_text(".limit-says"))
    with page.expect_download() as saved:
        page.get_by_label("Download the landscape").click()
        page.get_by_role("button", name="CSV").click()
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert lines[0].startswith("principal 1,principal 2,loss") and len(lines) == 1 + 25 * 25
    with page.expect_download() as saved:
        page.get_by_label("Download the landscape").click()
        page.get_by_role("button", name="PNG", exact=True).click()
    assert Path(saved.value.path()).read_bytes()[:4] == b"\x89PNG"
    page.get_by_label("Plane through").select_option("parameters")
    page.wait_for_function("() => location.search.includes('a=0.weight[0,0]')", timeout=PATIENCE)
    page.wait_for_function(READY, timeout=PATIENCE)
    assert page.get_by_label("across").input_value() == "0.weight[0,0]"
    assert axe(page) == []
    assert "#at=40.0&run=" in (
        page.get_by_role("link", name="Walk from here").get_attribute("href") or ""
    )


def test_without_webgl_the_surface_is_a_map_and_says_so(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce", **PHONE)
    none = """const { prototype } = HTMLCanvasElement;
      const own = prototype.getContext;
      prototype.getContext = function (kind, ...more) {
        return kind.startsWith("webgl") ? null : own.call(this, kind, ...more);
      };"""
    page.add_init_script(none)
    page.goto("/lab/landscape?on=ravine&plane=parameters&iterations=20&points=25")
    page.wait_for_selector(".ground-plot .contourlayer path", state="attached", timeout=PATIENCE)
    assert "no WebGL" in page.inner_text(".limit-says")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_walk_page_s_chart_is_a_file(new_page: NewPage) -> None:
    page = new_page(reduced_motion="reduce")
    page.goto("/walk/gradient-descent#at=12.0")
    page.get_by_role("button", name="Open chart").click()
    page.wait_for_selector(".chart-plot .main-svg", state="attached", timeout=PATIENCE)
    with page.expect_download() as saved:
        page.get_by_label("Download the history").click()
        page.get_by_role("button", name="CSV", exact=True).click()
    rows = [line.split(",") for line in Path(saved.value.path()).read_text("utf-8").splitlines()]
    assert rows[0][:2] == ["iteration", "train_loss"] and len(rows) == 13
    assert [float(row[1]) for row in rows[1:4]] == pytest.approx([9, 2.4**2, 1.92**2])
    with page.expect_download() as saved:
        page.get_by_label("Download the history").click()
        page.get_by_role("button", name="SVG", exact=True).click()
    assert Path(saved.value.path()).read_text("utf-8").startswith("<svg")


def test_a_session_of_one_s_own_has_a_landscape(new_page: NewPage, server: Server) -> None:
    spec = {"program": "L = 0.5*(x**2 + 25*y**2)", "values": {"x": -4, "y": 1.5}}
    with server.client() as client:
        body = {"spec": spec, "position": {"iteration": 7, "step": 0}}
        id = client.post("/api/sessions", json=body).json()["id"]
    page = new_page(reduced_motion="reduce")
    page.goto(f"/lab/landscape?session={id}&plane=parameters&points=25&view=map")
    page.wait_for_selector(".ground-plot .contourlayer path", state="attached", timeout=PATIENCE)
    assert page.evaluate("() => document.querySelector('.ground-plot').data[1].x.length") == 8
    link = page.get_by_role("link", name="Walk from here")
    link.wait_for()
    assert link.get_attribute("href") == f"/walk/session/{id}"
